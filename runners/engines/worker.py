"""A process that trains runs: one after another, or several in one program."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import wait as wait_for_end
from typing import TYPE_CHECKING

from analysis.runlog import schema
from runners.engines.memory import keep_freed_memory
from runners.plan import PlannedRun

if TYPE_CHECKING:
    from runners.train import Writer

STATUS_BYTES = 256  # ours: room for the longest thing that a guard says


@dataclass(frozen=True)
class Target:
    """Where the rows of runs go, and how they are trained.

    Attributes:
        study: Name of the study.
        store: Folder or URL of the store.
        log: "parquet", "wandb" or "both".
        on_rise: "ignore", "warn" or "stop".
        stack: Many runs in one program: "auto" where that is faster, "on" where it is possible, "compile" with its
            passes compiled, or "off".
    """

    study: str
    store: str | None = None
    log: str = "parquet"
    on_rise: str = "ignore"
    stack: str = "off"


class Board:
    """Memory that parent and workers share, without a lock: one writer a cell, and a status is whole when it shows."""

    def __init__(self, context: multiprocessing.context.BaseContext, num_runs: int):
        """Makes the cells."""
        self.steps_done = context.RawArray("q", num_runs)
        self.stop = context.RawValue("b", 0)  # set at Ctrl-C
        self.said = context.RawValue("b", 0)  # whether someone has said that runs cannot be stacked
        self._statuses = context.RawArray("c", num_runs * STATUS_BYTES)

    def end_run(self, index: int, status: str) -> None:
        """Shows how a run ended."""
        start = index * STATUS_BYTES
        self._statuses[start + 1 : start + STATUS_BYTES] = status.encode()[: STATUS_BYTES - 1].ljust(STATUS_BYTES - 1)
        self._statuses[start] = b"!"

    def read_status(self, index: int) -> str:
        """Returns how a run ended, nothing before it has."""
        shown = self._statuses[index * STATUS_BYTES : (index + 1) * STATUS_BYTES]
        return shown[1:].decode(errors="ignore").rstrip() if shown[:1] == b"!" else ""


_board: Board | None = None  # in a worker


def start_worker(board: Board) -> None:
    """Prepares a process of this machine's pool for `train_unit`."""
    use_board(board)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def use_board(board: Board) -> None:
    """Prepares a process for `train_unit`, wherever it runs."""
    global _board
    _board = board
    keep_freed_memory()


def _end_with_parent() -> None:
    """Ends this worker when the parent is gone, however it went; what is on disk is whole rows."""
    wait_for_end([multiprocessing.parent_process().sentinel])
    os._exit(1)


def train_unit(indices: Sequence[int], unit: Sequence[PlannedRun], target: Target) -> None:
    """Trains runs in this process and shows on the board how each ends.

    Args:
        indices: Their places on the board.
        unit: The runs; several are such that they may train in one program.
        target: Where their rows go, and whether they are to train in one program.
    """
    if len(unit) > 1 and _is_stackable(unit, target.stack):
        _train_stacked(indices, unit, target)
        return
    for index, planned in zip(indices, unit, strict=True):
        _board.end_run(index, _train_alone(index, planned, target))


def _is_stackable(unit: Sequence[PlannedRun], stack: str) -> bool:
    from runners.stacked.choice import LEAST_SPEEDUP, measure_speedup

    try:
        speedup = measure_speedup([planned.config for planned in unit], compiles=stack == "compile")
    except (RuntimeError, TypeError) as error:
        if not _board.said.value:
            _board.said.value = 1
            workload, reason = unit[0].config.workload, str(error).splitlines()[0]
            print(
                f"workload {workload} cannot train many runs in one program: {reason} They are trained one by one",
                file=sys.stderr,
            )
        return False
    return stack in ("on", "compile") or speedup >= LEAST_SPEEDUP


def _train_stacked(indices: Sequence[int], unit: Sequence[PlannedRun], target: Target) -> None:
    from runners.stacked.train import train_stack

    with ExitStack() as writers:
        train_stack(
            [planned.config for planned in unit],
            [writers.enter_context(_open_writer(planned, target, len(unit))) for planned in unit],
            lambda row, step: _heed(indices[row], step),
            lambda row, status: _board.end_run(indices[row], _shorten(status, unit[row])),
            compiles=target.stack == "compile",
        )


def _train_alone(index: int, planned: PlannedRun, target: Target) -> str:
    from runners.guard import StoppedAtRise
    from runners.train import train

    with _open_writer(planned, target, 1) as writer:
        try:
            return train(planned.config, writer, lambda step: _heed(index, step))
        except StoppedAtRise as stop:
            return _shorten(str(stop), planned)


def _heed(index: int, step: int) -> None:
    """Counts a step that is on disk, and stops if Ctrl-C was pressed."""
    _board.steps_done[index] = step + 1
    if _board.stop.value:
        raise KeyboardInterrupt


@contextmanager
def _open_writer(planned: PlannedRun, target: Target, num_stacked: int) -> "Iterator[Writer]":
    from runners.guard import watch_for_rises
    from runners.record import open_writer

    planned = replace(planned, facts={**planned.facts, schema.STACKED_RUNS: num_stacked})
    with open_writer(planned, target.study, target.store, target.log) as writer:
        if target.on_rise == "ignore":
            yield writer
        else:
            steps = planned.config.total_steps
            yield watch_for_rises(writer, target.on_rise, planned_steps=steps, name=planned.name)


def _shorten(status: str, planned: PlannedRun) -> str:
    return status.removeprefix(f"{planned.name} was ")
