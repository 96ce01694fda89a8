"""Learning-rate schedules: functions of the step t that return the rate of the update from theta_t to theta_{t+1}."""

import math
from collections.abc import Callable

from analysis.runlog import RunLogError

Schedule = Callable[[int], float]


def constant(base_lr: float, max_train_steps: int) -> Schedule:
    """Returns lr(t) = base_lr.

    Args:
        base_lr: Plateau of the schedule, positive.
        max_train_steps: Steps without warmup; not used.
    """
    return lambda step: base_lr


def linear(base_lr: float, max_train_steps: int) -> Schedule:
    """Returns lr(t) = base_lr (1 - t / max_train_steps): the last update still moves, the one after it would not.

    Args:
        base_lr: Learning rate at step 0, positive.
        max_train_steps: Steps without warmup.
    """
    return lambda step: base_lr * (1 - step / max_train_steps)


def cosine(base_lr: float, max_train_steps: int) -> Schedule:
    """Returns lr(t) = base_lr (1 + cos(pi t / max_train_steps)) / 2.

    Args:
        base_lr: Learning rate at step 0, positive.
        max_train_steps: Steps without warmup.
    """
    return lambda step: base_lr * (1 + math.cos(math.pi * step / max_train_steps)) / 2


def prepend_warmup(schedule: Schedule, base_lr: float, warmup_steps: int) -> Schedule:
    """Returns a linear ramp from 0 to base_lr, followed by the schedule.

    lr(t) = base_lr t / warmup_steps for t < warmup_steps, then schedule(t - warmup_steps). The ramp starts at exactly
    0: the update of step 0 changes nothing, and step `warmup_steps` is the first at base_lr. Training grows by the
    warmup: total_steps = max_train_steps + warmup_steps.

    Args:
        schedule: Schedule of the steps after warmup, tuned without it.
        base_lr: End of the ramp.
        warmup_steps: Length of the ramp in steps; 0 for none.

    Returns:
        The schedule over max_train_steps + warmup_steps steps.

    Source:
        Deep Learning Tuning Playbook, FAQ, "Learning rate warmup"; the ramp is that of init2winit's schedules.

    >>> lr = prepend_warmup(constant(1.0, 100), base_lr=1.0, warmup_steps=4)
    >>> [lr(step) for step in range(6)]
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return lambda step: base_lr * step / warmup_steps if step < warmup_steps else schedule(step - warmup_steps)


SCHEDULES = {"constant": constant, "linear": linear, "cosine": cosine}


def make_schedule(name: str, base_lr: float, max_train_steps: int, warmup_steps: int) -> Schedule:
    """Returns the schedule of that name with its warmup prepended.

    Args:
        name: "constant", "linear" or "cosine".
        base_lr: Plateau or peak of the schedule.
        max_train_steps: Steps without warmup.
        warmup_steps: Steps of the ramp, 0 for none.

    Returns:
        The schedule over max_train_steps + warmup_steps steps.

    Raises:
        RunLogError: For an unknown name.
    """
    if name not in SCHEDULES:
        raise RunLogError(f"no schedule {name!r}. Take one of {', '.join(SCHEDULES)}")
    return prepend_warmup(SCHEDULES[name](base_lr, max_train_steps), base_lr, warmup_steps)
