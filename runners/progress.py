"""Progress: a bar with the time left on a terminal, one plain line a run elsewhere, and a file for who asks for one."""

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from analysis.runlog import experiments

PROGRESS_VARIABLE = "STEADYSTEP_PROGRESS"  # names the file
FILE_SECONDS = 0.5  # ours: at most two writes of the file a second


class Progress:
    """Shows how far a plan is. A context manager."""

    def __init__(self, num_runs: int, num_steps: int):
        """Takes the size of the plan."""
        self._num_runs, self._num_steps = num_runs, num_steps
        self._ended = self._skipped = self._done = self._timed_from = 0
        self._started = time.monotonic()
        console = Console(stderr=True)
        columns = (TextColumn("training"), BarColumn(), TaskProgressColumn(), TextColumn("steps"), MofNCompleteColumn())
        self._bar = RichProgress(*columns, TextColumn("time left"), TimeRemainingColumn(), console=console)
        self._steps = self._bar.add_task("steps", total=num_steps)
        self._live = console.is_terminal
        self._file, self._written = os.environ.get(PROGRESS_VARIABLE), float("-inf")

    def __enter__(self) -> "Progress":
        """Starts the bar on a terminal."""
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stops the bar."""
        if self._live:
            self._bar.stop()
        self._write_file()

    def show_steps(self, num_done: int) -> None:
        """Moves the bar; steps that a diverged run did not need count as done."""
        if not self._done:  # processes start and import until the first step
            self._started, self._timed_from = time.monotonic(), num_done
        self._done = num_done + self._skipped
        if self._live:
            self._bar.update(self._steps, completed=self._done)
        if time.monotonic() - self._written >= FILE_SECONDS:
            self._write_file()

    def end_run(self, name: str, status: str, num_skipped: int) -> None:
        """Says that a run has ended."""
        self._ended += 1
        self._skipped += num_skipped
        if not self._live:
            seconds = self._seconds_left() if self._ended < self._num_runs else None
            left = "" if seconds is None else f", about {seconds:.0f} s left"
            print(f"[{self._ended}/{self._num_runs}] {name}: {status}{left}", file=sys.stderr, flush=True)

    def _seconds_left(self) -> float | None:
        timed = self._done - self._timed_from
        if not timed:
            return None
        return (time.monotonic() - self._started) * max(0, self._num_steps - self._done) / timed

    def _write_file(self) -> None:
        if self._file:
            note = f"{self._ended} of {self._num_runs} runs ended"
            experiments.Progress(self._done, self._num_steps, self._seconds_left(), note).write(Path(self._file))
            self._written = time.monotonic()
