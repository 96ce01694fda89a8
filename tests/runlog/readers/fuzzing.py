"""What every malformed file must come to: runs that are whole, or one clear line. `python -m tests.bench.soak` too."""

import time
from collections import Counter
from pathlib import Path

import numpy as np

from analysis.runlog import Run, RunLogError, read_paths, schema
from tests.runlog.readers.malformed import GOOD, malformed

LONGEST_LINE = 1200  # characters of a refusal


def is_whole(run: Run) -> bool:
    """Whether a run is what readers promise: ascending whole steps, a loss, float64 columns, a name."""
    steps = run.steps[schema.STEP].to_numpy()
    others = [column for column in run.steps.schema if column.name != schema.STEP]
    return (
        len(steps) > 0
        and (np.diff(steps) > 0).all()
        and steps[0] >= 0
        and all(str(column.type) == "double" for column in others)
        and len(run.loss[0]) > 0
        and bool(run.run_id)
    )


def judge(path: Path) -> str:
    """Reads a file; returns "read", "refused", or what is wrong with the reader."""
    try:
        runs = read_paths([path]).runs
    except RunLogError as error:
        message = str(error)
        return "refused" if "\n" not in message and len(message) < LONGEST_LINE else f"unclear: {message!r}"
    except Exception as error:  # any other is the bug that is looked for
        return f"{type(error).__name__}: {error}"
    return "read" if runs and all(map(is_whole, runs)) else "not whole"


def fuzz(name: str, folder: Path, num: int, seconds: float, seed: int = 0) -> Counter[str]:
    """Counts what became of malformed files of a format, as many as the processor time allows.

    A file that shows a bug is kept in the folder.
    """
    found: Counter[str] = Counter()
    path = folder / "run_07"
    path.write_bytes(GOOD[name]())
    judge(path)  # imports what the reader needs, before the clock starts
    for number, content in enumerate(malformed(name, num, seed)):
        path.write_bytes(content)
        verdict = judge(path)
        if number == 0:  # loads what the format needs
            end = time.process_time() + seconds
        found[verdict] += 1
        if verdict not in ("read", "refused"):
            path.rename(folder / f"{name.replace(' ', '_')}-{seed}-{number}")
        if time.process_time() > end:
            break
    return found
