"""The versions that made a report, and those that made its runs."""

import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from analysis.runlog import Run, schema

PROJECT = Path(__file__).parents[2]
LIBRARIES = ("pandas", "altair")


def describe_program() -> str:
    """Returns the version of this program in words: "commit 8658596", with a note where files differ from it."""
    if not (PROJECT / ".git").exists():
        return "not a checkout, commit unknown"
    commit, changes = ask_git("rev-parse", "--short", "HEAD"), ask_git("status", "--porcelain", "--untracked-files=no")
    return f"commit {commit}{', with changes' if changes else ''}" if commit else "commit unknown"


def ask_git(*words: str) -> str:
    """Returns what git says about this program, "" where it says nothing; git writes nothing."""
    command = ["git", "--no-optional-locks", "-C", str(PROJECT), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def list_versions(program: str, runs: Iterable[Run]) -> tuple[tuple[str, str], ...]:
    """Returns names and versions: of what made the report, then of what made the runs.

    Args:
        program: Version of this program in words.
        runs: Runs, whose records may hold versions.
    """
    made = [("Steadystep", program), ("Python", platform.python_version())]
    made += [(library, version(library)) for library in LIBRARIES]
    return (*made, *versions_of_runs(tuple(runs)))


def versions_of_runs(runs: tuple[Run, ...]) -> list[tuple[str, str]]:
    """Returns name and version of everything that run records name, with counts where they differ."""
    counts: dict[str, Counter] = {}
    for run in runs:
        recorded = run.record.get(schema.VERSIONS)
        for name, value in recorded.items() if isinstance(recorded, Mapping) else ():
            counts.setdefault(str(name), Counter())[str(value)] += 1
    return [(f"{name}, in the runs", say_counts(found, len(runs))) for name, found in sorted(counts.items())]


def say_counts(counts: Counter, num_runs: int) -> str:
    """Returns versions in words.

    >>> say_counts(Counter({"2.13": 3, "2.12": 1}), 4), say_counts(Counter({"2.13": 4}), 4)
    ('2.13 (3 runs), 2.12 (1 run)', '2.13')
    """
    if len(counts) == 1 and counts.total() == num_runs:
        return next(iter(counts))
    return ", ".join(f"{value} ({count} run{'s' * (count != 1)})" for value, count in counts.most_common())
