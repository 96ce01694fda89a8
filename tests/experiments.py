"""Experiments in tests: held back in the queue, and waited for."""

import fcntl
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.runlog import experiments, layout

PATIENCE = 120  # seconds; two imports of torch on a loaded machine
POLL_SECONDS = 0.02


@contextmanager
def hold_turn(store: Path) -> Iterator[None]:
    """Holds the first turn of a store, as an experiment does that was started long ago and trains."""
    folder = store / "other" / experiments.FOLDER / "0"
    folder.mkdir(parents=True)
    with (folder / layout.LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_for(folder: Path, *states: str, steps: int = 0) -> experiments.Experiment:
    """Reads an experiment until it is in one of the states, with that many steps done."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = experiments.read_experiment(folder)
        if found.state in states and (not steps or (found.progress and found.progress.num_done_steps >= steps)):
            return found
        select.select([], [], [], POLL_SECONDS)
    raise AssertionError(f"still {found}: {found.read_tail(experiments.MESSAGES_FILE)}")


def pid_of(folder: Path) -> int:
    """Returns the process that runs an experiment."""
    return int((folder / layout.LOCK_FILE).read_text().split()[1])
