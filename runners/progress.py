"""Progress on standard error: a bar with the time left on a terminal, one plain line a run elsewhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress


class Progress:
    """Shows how far a plan is. A context manager."""

    def __init__(self, num_runs: int, num_steps: int):
        """Takes the size of the plan."""
        self._num_runs, self._num_steps = num_runs, num_steps
        self._ended = self._skipped = self._done = 0
        self._started = time.monotonic()
        console = Console(stderr=True)
        columns = (TextColumn("training"), BarColumn(), TaskProgressColumn(), TextColumn("steps"), MofNCompleteColumn())
        self._bar = RichProgress(*columns, TextColumn("time left"), TimeRemainingColumn(), console=console)
        self._steps = self._bar.add_task("steps", total=num_steps)
        self._live = console.is_terminal

    def __enter__(self) -> "Progress":
        """Starts the bar on a terminal."""
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stops the bar."""
        if self._live:
            self._bar.stop()

    def show_steps(self, num_done: int) -> None:
        """Moves the bar; steps that a diverged run did not need count as done."""
        if not self._done:
            self._started = time.monotonic()  # processes start and import until the first step
        self._done = num_done + self._skipped
        if self._live:
            self._bar.update(self._steps, completed=self._done)

    def end_run(self, name: str, status: str, num_skipped: int) -> None:
        """Says that a run has ended."""
        self._ended += 1
        self._skipped += num_skipped
        if not self._live:
            print(f"[{self._ended}/{self._num_runs}] {name}: {status}{self._time_left()}", file=sys.stderr, flush=True)

    def _time_left(self) -> str:
        left = self._num_runs - self._ended
        if not left or not self._done:
            return ""
        seconds = (time.monotonic() - self._started) * max(0, self._num_steps - self._done) / self._done
        return f", about {seconds:.0f} s left"
