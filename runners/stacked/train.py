"""The training loop of a stack: what `runners.train` does for one run, for many at once."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from analysis.runlog import schema
from runners.config import RunConfig
from runners.guard import StoppedAtRise
from runners.stacked.stack import Stack
from runners.train import Writer


def _ignore(index: int, event: int | str) -> None:
    """Does nothing."""


def train_stack(
    configs: Sequence[RunConfig],
    writers: Sequence[Writer],
    on_step: Callable[[int, int], None] = _ignore,
    on_end: Callable[[int, str], None] = _ignore,
    compiles: bool = False,
) -> list[str]:
    """Trains configurations of one `stack_key` together; each logs what `runners.train.train` would log.

    Losses agree with those of `train` to about 1e-6: the arithmetic is the same, the order of its sums is not. The
    elapsed_seconds of a row are those of the whole stack. A run that has ended leaves the stack at once.

    Args:
        configs: What to train.
        writers: Where the rows and facts of each run go. A guard that stops one ends that run alone.
        on_step: Called with the index of a run and a step, after that row is written; an exception from it interrupts
            all runs.
        on_end: Called with the index of a run and its status, when it ends.
        compiles: Compile the passes; losses agree with those of `train` as closely.

    Returns:
        The status of each run: as of `train`, or what the guard said.

    Raises:
        RunLogError: Where the workload's batches end early.
    """
    stack, statuses, started = Stack(configs, compiles), [""] * len(configs), time.perf_counter()
    for writer, facts in zip(writers, stack.describe(), strict=True):
        writer.update(**facts)
    for step in itertools.count():
        kept = []
        for row, (member, metrics) in enumerate(zip(stack.members, stack.measure(step), strict=True)):
            metrics |= stack.evaluate(row, step) | {schema.ELAPSED_SECONDS: time.perf_counter() - started}
            index, writer = member.index, writers[member.index]
            status = _log(writer, step, metrics, member.config.total_steps, partial(on_step, index))
            if status:
                statuses[index] = status
                on_end(index, status)
            else:
                kept.append(row)
        if not kept:
            return statuses
        stack.advance(kept)


def _log(writer: Writer, step: int, metrics: Mapping[str, float], total: int, on_step: Callable[[int], None]) -> str:
    """Writes a row; returns the status of a run that ends with it, else nothing."""
    try:
        writer.step(step, **metrics)
    except StoppedAtRise as stop:
        return str(stop)
    on_step(step)
    if schema.UPDATE_NORM not in metrics:
        writer.finish("diverged")
        return "diverged"
    if step + 1 == total:
        writer.finish("finished")
        return "finished"
    return ""
