"""Trains planned runs on the cores of this machine, in processes of one thread each."""

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from analysis.runlog import RunLogError
from runners.engines.worker import Board, Target, start_worker, train_unit
from runners.plan import PlannedRun
from runners.progress import Progress
from runners.stacked.choice import LEAST_STEPS
from runners.stacked.grouping import group_runs

POLL_SECONDS = 0.25  # ours: how often the progress bar moves
START_METHOD = "forkserver"  # a later round starts at once; torch is imported there and runs nothing, so fork is safe
PRELOADED = ["runners.train"]


def execute(plan: Sequence[PlannedRun], target: Target, jobs: int, progress: Progress) -> None:
    """Trains all runs in `jobs` processes.

    At Ctrl-C every running training stops after its current row and is recorded as interrupted.

    Raises:
        RunLogError: Where a worker process was killed, or a run refused its input.
    """
    context = multiprocessing.get_context(START_METHOD)
    context.set_forkserver_preload(PRELOADED)
    board, units = Board(context, len(plan)), divide(plan, target, jobs)
    with ProcessPoolExecutor(
        min(jobs, len(units)), mp_context=context, initializer=start_worker, initargs=(board,)
    ) as pool:
        try:
            with _interrupt_waits():
                futures = {pool.submit(train_unit, unit, [plan[index] for index in unit], target) for unit in units}
            _watch(futures, plan, board, progress)
        except BrokenProcessPool as error:
            raise RunLogError(
                "a training process was killed (out of memory?). Rows are kept: run again with --resume, fewer --jobs"
            ) from error
        finally:
            board.stop.value = 1
            pool.shutdown(wait=True, cancel_futures=True)


def divide(plan: Sequence[PlannedRun], target: Target, jobs: int) -> list[list[int]]:
    """Returns the indices of the runs that one process is to train in one go, for each such unit.

    W&B knows one run a process, so runs that it is to see are units of their own; with "auto" so are short runs.
    """
    if target.stack == "off" or target.log != "parquet":
        return [[index] for index in range(len(plan))]
    least = LEAST_STEPS if target.stack == "auto" else 0
    long = [index for index, planned in enumerate(plan) if planned.config.total_steps >= least]
    grouped = group_runs([plan[index].config for index in long], jobs)
    alone = [[index] for index in range(len(plan)) if index not in long]
    return [[long[place] for place in group] for group in grouped] + alone


def _watch(futures: set[Future], plan: Sequence[PlannedRun], board: Board, progress: Progress) -> None:
    pending, training = futures, set(range(len(plan)))
    while pending:
        ended, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        show_ended(board, training, plan, progress)
        for future in ended:
            future.result()


def show_ended(board: Board, training: set[int], plan: Sequence[PlannedRun], progress: Progress) -> None:
    """Shows what the board holds, and takes the runs that have ended out of `training`."""
    for index in sorted(training):
        status, planned = board.read_status(index), plan[index]
        if status:
            training.discard(index)
            progress.end_run(planned.name, status, planned.config.total_steps - board.steps_done[index])
    progress.show_steps(sum(board.steps_done))


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
