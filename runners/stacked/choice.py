"""Whether runs train faster in one program or one after another: both are timed, on copies that are thrown away."""

import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

from runners.config import RunConfig
from runners.plan import MemoryWriter
from runners.stacked.stack import Stack
from runners.train import train

LEAST_STEPS = 200  # ours: timing costs three to six steps, which a shorter run does not win back
LEAST_SPEEDUP = 1.05  # ours: less is within the error of the timing
UNTIMED_STEPS = 1  # ours: the first step allocates and warms caches
TIMED_STEPS = 5  # ours: at most
TIMED_SECONDS = 0.1  # ours: long steps vary little, so that two of them will do
LEAST_TIMED = 2  # ours


class _TimedEnoughError(Exception):
    """Ends a training that was only to be timed."""


def measure_speedup(configs: Sequence[RunConfig], compiles: bool = False) -> float:
    """Returns how many times less processor time a step of all runs takes in one program than one after another.

    Args:
        configs: Configurations of one `stack_key`.
        compiles: Whether that program is a compiled one; compiling takes no part in the answer.

    Raises:
        RuntimeError: Where the workload cannot be stacked, as PyTorch says it.
    """
    calm = [replace(config, base_lr=1e-6, schedule="constant", warmup_steps=0) for config in configs]
    return len(configs) * _time_train(calm[0]) / _time_stack(calm, compiles)


def _time_stack(configs: Sequence[RunConfig], compiles: bool) -> float:
    stack, everyone, times = Stack(configs, compiles), range(len(configs)), [time.process_time()]
    while not _is_timed_enough(times):
        step = len(times) - 1
        stack.measure(step)
        stack.advance(everyone)
        times.append(time.process_time())
    return _find_step_time(times)


def _time_train(config: RunConfig) -> float:
    times = []

    def on_step(step: int) -> None:
        times.append(time.process_time())
        if _is_timed_enough(times):
            raise _TimedEnoughError

    try:
        train(replace(config, max_train_steps=1000 * TIMED_STEPS), MemoryWriter(), on_step)  # no evaluation is due
    except _TimedEnoughError:
        return _find_step_time(times)


def _is_timed_enough(times: Sequence[float]) -> bool:
    timed = times[UNTIMED_STEPS:]
    if len(timed) <= LEAST_TIMED:
        return False
    return len(timed) > TIMED_STEPS or timed[-1] - timed[0] > TIMED_SECONDS


def _find_step_time(times: Sequence[float]) -> float:
    """Returns the median time between two readings, which one step that was disturbed does not move."""
    return statistics.median(end - start for start, end in itertools.pairwise(times[UNTIMED_STEPS:]))
