"""Trains planned runs on the cores of this machine, one process and one thread each."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for_end

from analysis.runlog import RunLogError
from runners.plan import PlannedRun
from runners.progress import Progress

POLL_SECONDS = 0.25  # ours: how often the progress bar moves
START_METHOD = "spawn"  # a forked torch may hang in its thread pool

_steps_done = None  # in a worker: one shared counter a run, without a lock
_stop = None  # in a worker: shared flag, set at Ctrl-C


@dataclass(frozen=True)
class Target:
    """Where the rows of runs go, and what is done when a loss rises.

    Attributes:
        study: Name of the study.
        store: Folder or URL of the store.
        log: "parquet", "wandb" or "both".
        on_rise: "ignore", "warn" or "stop".
    """

    study: str
    store: str | None = None
    log: str = "parquet"
    on_rise: str = "ignore"


def execute(plan: Sequence[PlannedRun], target: Target, jobs: int, progress: Progress) -> None:
    """Trains all runs, `jobs` at a time.

    At Ctrl-C every running training stops after its current row and is recorded as interrupted.

    Raises:
        RunLogError: Where a worker process was killed, or a run refused its input.
    """
    context = multiprocessing.get_context(START_METHOD)
    steps_done, stop = context.RawArray("q", len(plan)), context.RawValue("b", 0)
    with ProcessPoolExecutor(
        min(jobs, len(plan)), mp_context=context, initializer=_start_worker, initargs=(steps_done, stop)
    ) as pool:
        try:
            with _interrupt_waits():
                futures = {pool.submit(_train_run, index, planned, target): index for index, planned in enumerate(plan)}
            _watch(futures, plan, steps_done, progress)
        except BrokenProcessPool as error:
            raise RunLogError(
                "a training process was killed (out of memory?). Rows are kept: run again with --resume, fewer --jobs"
            ) from error
        finally:
            stop.value = 1
            pool.shutdown(wait=True, cancel_futures=True)


def _watch(
    futures: dict[Future, int], plan: Sequence[PlannedRun], steps_done: Sequence[int], progress: Progress
) -> None:
    pending = set(futures)
    while pending:
        ended, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in ended:
            planned = plan[futures[future]]
            progress.end_run(planned.name, future.result(), planned.config.total_steps - steps_done[futures[future]])
        progress.show_steps(sum(steps_done))


@contextmanager
def _interrupt_waits() -> Iterator[None]:
    """Ctrl-C reaches the whole process group; only the parent is to act on it, once the children have started.

    A blocked signal is inherited by the children, for good, and waits for the parent.
    """
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _start_worker(steps_done: Sequence[int], stop: object) -> None:
    global _steps_done, _stop
    _steps_done, _stop = steps_done, stop
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this worker when the parent is gone, however it went; what is on disk is whole rows."""
    wait_for_end([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _train_run(index: int, planned: PlannedRun, target: Target) -> str:
    from runners.guard import StoppedAtRise, watch_for_rises
    from runners.record import open_writer
    from runners.train import train

    def on_step(step: int) -> None:
        _steps_done[index] = step + 1
        if _stop.value:
            raise KeyboardInterrupt

    with open_writer(planned, target.study, target.store, target.log) as writer:
        if target.on_rise == "ignore":
            return train(planned.config, writer, on_step)
        steps = planned.config.total_steps
        guarded = watch_for_rises(writer, target.on_rise, planned_steps=steps, name=planned.name)
        try:
            return train(planned.config, guarded, on_step)
        except StoppedAtRise as stop:
            return str(stop).removeprefix(f"{planned.name} was ")
