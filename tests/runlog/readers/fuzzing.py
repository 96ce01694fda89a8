"""What every malformed file must come to: runs that are whole, or one clear line. `python -m tests.bench.soak` too."""

import contextlib
import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.runlog import Run, RunLogError, read_paths, schema
from tests.runlog.readers.general_samples import PATTERN
from tests.runlog.readers.malformed import GOOD, malformed
from tests.runlog.readers.tracker_samples import mlflow_files

SHARED_MEMORY = "/dev/shm"
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


def judge(path: Path, pattern: str | None = None) -> str:
    """Reads a file; returns "read", "refused", or what is wrong with the reader."""
    try:
        runs = read_paths([path], pattern=pattern).runs
    except RunLogError as error:
        message = str(error)
        return "refused" if "\n" not in message and len(message) < LONGEST_LINE else f"unclear: {message!r}"
    except Exception as error:  # any other is the bug that is looked for
        return f"{type(error).__name__}: {error}"
    return "read" if runs and all(map(is_whole, runs)) else "not whole"


def place(name: str, folder: Path) -> tuple[Path, Path, str | None]:
    """Returns which file takes the content of a format, what is read, and by which pattern."""
    if name == "mlflow files":
        for part, content in mlflow_files().items():
            (folder / "run_07" / part).parent.mkdir(parents=True, exist_ok=True)
            (folder / "run_07" / part).write_text(content)
        return folder / "run_07" / "metrics" / "train" / "loss", folder / "run_07", None
    return folder / "run_07", folder / "run_07", PATTERN if name == "pattern text" else None


def fuzz(name: str, folder: Path, num: int, seconds: float = math.inf, seed: int = 0) -> Counter[str]:
    """Counts what became of malformed files of a format, as many as the processor time allows.

    A file that shows a bug is kept in the folder.
    """
    found: Counter[str] = Counter()
    file, path, pattern = place(name, folder)
    file.write_bytes(GOOD[name]())
    judge(path, pattern)  # imports what the reader needs, before the clock starts
    end = time.process_time() + seconds
    for number, content in enumerate(malformed(name, num, seed)):
        file.write_bytes(content)
        verdict = judge(path, pattern)
        found[verdict] += 1
        if verdict not in ("read", "refused"):
            (folder / f"{name.replace(' ', '_')}-{seed}-{number}").write_bytes(content)
        if time.process_time() > end:
            break
    return found


@contextlib.contextmanager
def memory_folder() -> Iterator[Path]:
    """Yields a folder that is gone afterwards, in memory where the system has such, which is faster."""
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)
