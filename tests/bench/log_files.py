"""What becomes of every file of a collection of logs: `python -m tests.bench.log_files FOLDER`.

Prints in Markdown how many files of each format were read and how many refused, for what reason; and, for an event
file and a table in folders of one name, how many points of the two are equal. Ends with 1 where twins differ.
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import numpy as np

from analysis.runlog import Run, RunLogError, schema
from analysis.runlog.paths import find_readers, read_file, walk

DIGITS_32 = 1e-6  # relative; event files keep 32 bits
LONGEST = 100  # characters of a reason that is shown


def read_folder(folder: Path) -> tuple[dict[Path, tuple[Run, ...]], dict[str, Counter[str]]]:
    """Reads every file of a folder.

    Returns:
        The runs by file; and by format, what became of how many files.
    """
    found: dict[Path, tuple[Run, ...]] = {}
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for path in walk(folder):
        kind = " or ".join(reader.NAME for reader in find_readers(path)) or "none"
        try:
            found[path] = read_file(path)
            outcomes[kind]["read"] += 1
            outcomes[kind]["runs"] += len(found[path])
            outcomes[kind]["losses"] += sum(len(run.loss[0]) for run in found[path])
            outcomes[kind]["not finite"] += sum(int((~np.isfinite(run.loss[1])).sum()) for run in found[path])
        except RunLogError as error:
            reason = str(error).removeprefix(f"{path.name} ")
            outcomes[kind][f"refused: {re.split(r'[(.] ?', reason)[0].strip()[:LONGEST]}"] += 1
    return found, outcomes


def compare(first: Run, second: Run) -> tuple[int, int]:
    """Returns how many points two logs of one run share, and how many of those are equal; each has its own clock."""
    num_shared = num_equal = 0
    names = {*first.steps.column_names} & {*second.steps.column_names} - {schema.STEP, schema.ELAPSED_SECONDS}
    for name in names:
        (steps, values), (other_steps, others) = first.series(name), second.series(name)
        _, here, there = np.intersect1d(steps, other_steps, return_indices=True)
        num_shared += len(here)
        num_equal += int(np.isclose(values[here], others[there], rtol=DIGITS_32, atol=0, equal_nan=True).sum())
    return num_shared, num_equal


def main() -> int:
    """Prints both tables."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("folder", type=Path, metavar="FOLDER")
    found, outcomes = read_folder(ask.parse_args().folder)
    print("| format | files read | runs | losses | of them not finite | refused |\n|---|---|---|---|---|---|")
    for kind, counts in sorted(outcomes.items()):
        refused = "; ".join(f"{num} {what.removeprefix('refused: ')}" for what, num in counts.items() if ":" in what)
        told = [f"{counts[name]:,}" for name in ("read", "runs", "losses", "not finite")]
        print(f"| {' | '.join([kind, *told, refused])} |")
    places = defaultdict(list)
    for path in found:
        places[path.parent.name].append(path)
    differs = False
    for name, paths in places.items():
        for first, second in combinations(sorted(paths), 2):
            if first.suffix == second.suffix or first.parent == second.parent:
                continue
            runs = [found[path][0] for path in (first, second)]
            shared, equal = compare(*runs)
            sizes = " and ".join(f"{len(run.loss[0]):,}" for run in runs)
            print(f"\n{name}: {sizes} losses; {equal:,} of {shared:,} shared points of all metrics are equal")
            differs |= shared != equal
    return int(differs)


if __name__ == "__main__":
    sys.exit(main())
