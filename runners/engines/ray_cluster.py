"""Trains planned runs on a Ray cluster that is already there: Ray places, counts and repeats the tasks."""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from ulid import ULID

from analysis.runlog import RunLogError, layout, url_store
from runners.engines.local import POLL_SECONDS, divide, show_ended
from runners.engines.worker import Board, Target, train_unit, use_board
from runners.plan import PlannedRun
from runners.progress import Progress

ADDRESS_VARIABLE = "RAY_ADDRESS"
CONNECT_SECONDS = 5  # ours: Ray itself tries for two minutes, then ends the process
MAX_RETRIES = 3  # Ray's own default of tasks, stated because docs/engines.md names it
LOCK_SECONDS = 120  # ours: NFS frees the locks of a lost machine after 90 s


class Tally:
    """How far each run is. Ray keeps one, on the machine of the driver."""

    def __init__(self, num_runs: int):
        """Starts before the first step."""
        self._seen = [(0, "")] * num_runs

    def report(self, indices: Sequence[int], seen: Sequence[tuple[int, str]]) -> None:
        """Takes steps done and status (empty until the end) of some runs."""
        for index, each in zip(indices, seen, strict=True):
            self._seen[index] = each

    def read(self) -> list[tuple[int, str]]:
        """Returns steps done and status of every run."""
        return self._seen


def execute(plan: Sequence[PlannedRun], target: Target, jobs: int, progress: Progress, address: str | None) -> None:
    """Trains all runs as Ray tasks of one CPU, as many at a time as the cluster has.

    The plan is divided as the local engine divides it. A task whose machine is lost starts again elsewhere: runs that
    had ended are skipped, the others get another attempt. At Ctrl-C every running training stops after its current row
    and is recorded as interrupted.

    Raises:
        RunLogError: Where no cluster answers, a task was lost too often, or a run refused its input.
    """
    root = layout.store_root(target.store)
    target = replace(target, store=str(root if layout.is_url(root) else os.path.abspath(root)))
    run_ids = sorted(str(ULID()) for _ in plan)  # fixed here, so that a task that starts again finds its runs
    plan = [replace(planned, run_id=planned.run_id or new) for planned, new in zip(plan, run_ids, strict=True)]
    with _connect(address or os.environ.get(ADDRESS_VARIABLE) or "auto"):
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        tally = ray.remote(num_cpus=0, scheduling_strategy=here)(Tally).remote(len(plan))
        task = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(train_task)
        units = divide(plan, target, jobs)
        tasks = [task.remote(unit, [plan[index] for index in unit], target, tally) for unit in units]
        try:
            _watch(tasks, tally, plan, progress)
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:
            reason = str(error).splitlines()[0]
            raise RunLogError(
                f"a task was lost on the Ray cluster ({reason}). Rows are kept: run again with --resume"
            ) from error
        finally:
            for each in tasks:
                ray.cancel(each)
            ray.wait(tasks, num_returns=len(tasks))


@contextlib.contextmanager
def _connect(address: str) -> Iterator[None]:
    """Joins a cluster as its driver, and leaves it; a cluster is never started or stopped here."""
    need = f"Start one by `ray start --head`, and name it by --ray-address or ${ADDRESS_VARIABLE}"
    try:
        if address != "auto":
            host, _, port = address.removeprefix("ray://").rpartition(":")
            socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
        ray.init(address, logging_level=logging.WARNING)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RunLogError(f"no Ray cluster answers at {address} ({reason}); --engine ray needs one. {need}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _watch(
    tasks: Sequence[ray.ObjectRef], tally: ray.actor.ActorHandle, plan: Sequence[PlannedRun], progress: Progress
) -> None:
    board, training, pending = Board(multiprocessing, len(plan)), set(range(len(plan))), list(tasks)
    while pending:
        ended, pending = ray.wait(pending, timeout=POLL_SECONDS)
        for index, (num_steps, status) in enumerate(ray.get(tally.read.remote())):
            board.steps_done[index] = num_steps
            if status:
                board.end_run(index, status)
        show_ended(board, training, plan, progress)
        ray.get(ended)


def train_task(
    indices: Sequence[int], unit: Sequence[PlannedRun], target: Target, tally: ray.actor.ActorHandle
) -> None:
    """Trains runs as a local worker does, on whichever machine Ray chose.

    Args:
        indices: Their places in the plan.
        unit: The runs, with their run_ids.
        target: Where their rows go.
        tally: Whom to tell how far they are.
    """
    board = Board(multiprocessing, len(unit))
    use_board(board)
    with _heed_cancel(board), _reported(board, indices, tally):
        left = _find_left(unit, target)
        for place in set(range(len(unit))).difference(left):
            board.steps_done[place] = unit[place].config.total_steps
            board.end_run(place, "ended before its machine was lost")
        train_unit(left, [unit[place] for place in left], target)


def _find_left(unit: Sequence[PlannedRun], target: Target) -> list[int]:
    """Returns the places of the runs that have not ended, once no process writes any of them.

    The process of a lost machine may outlive the news of it for a moment. One that goes on is met by RunWriter.
    """
    folders = [layout.run_folder(target.study, planned.run_id, target.store) for planned in unit]
    give_up = time.monotonic() + LOCK_SECONDS
    while any(map(layout.is_being_written, folders)) and time.monotonic() < give_up:
        time.sleep(POLL_SECONDS)
    pushed = url_store.find_pushed(target.store, target.study)
    return [
        place
        for place, (planned, folder) in enumerate(zip(unit, folders, strict=True))
        if (target.study, planned.run_id) not in pushed and not (folder / layout.SEALED_FILE).exists()
    ]


@contextlib.contextmanager
def _heed_cancel(board: Board) -> Iterator[None]:
    """Ray cancels a task by an interrupt; rows are whole if it is heeded between two of them."""

    def stop(number: int, frame: object) -> None:
        board.stop.value = 1

    previous = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


@contextlib.contextmanager
def _reported(board: Board, indices: Sequence[int], tally: ray.actor.ActorHandle) -> Iterator[None]:
    """Tells the tally now and then, and for certain at the end, what the board shows."""

    def report() -> ray.ObjectRef:
        seen = [(steps, board.read_status(place)) for place, steps in enumerate(board.steps_done)]
        return tally.report.remote(indices, seen)

    def report_often() -> None:
        while not ended.wait(POLL_SECONDS):
            report()

    ended = threading.Event()
    thread = threading.Thread(target=report_often)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        ray.get(report())
