"""Warmup, stable and decay steps of a run, by the learning rates that it logged."""

from typing import NamedTuple

import numpy as np

from analysis.runlog import Run, schema

SAME_RATE = 1e-6  # relative (ours: schedules are logged in float32)
LEAST_SHARE = 0.01  # of the steps (ours): a cosine stands still for its first steps, which is no stable phase


class SchedulePhases(NamedTuple):
    """One boolean mask a phase, each of shape (n,); every step is in exactly one of them."""

    warmup: np.ndarray
    stable: np.ndarray
    decay: np.ndarray


def split_schedule(run: Run, steps: np.ndarray) -> SchedulePhases | None:
    """Splits steps where the learning rate has come up to its peak, and where it goes down from it.

    Args:
        run: A run with an lr column.
        steps: 0-based step indices, shape (n,).

    Returns:
        One mask a phase; None where the rate never changes, or goes up and down in more than one piece.
    """
    at, lr = run.series(schema.LR)
    at, lr = at[np.isfinite(lr)], lr[np.isfinite(lr)]
    if not len(lr) or lr.max() <= 0:
        return None
    ends = find_plateau(lr)
    if ends is None:
        return None
    first, last = (int(at[index]) for index in ends)
    warmup, decay = steps < first, steps > last
    stable = ~warmup & ~decay
    if decay.any() and stable.sum() < LEAST_SHARE * len(steps):
        decay, stable = decay | stable, np.zeros(len(steps), bool)
    phases = SchedulePhases(warmup, stable, decay)
    return phases if sum(mask.any() for mask in phases) > 1 else None


def find_plateau(lr: np.ndarray) -> tuple[int, int] | None:
    """Returns the first and the last index at the peak; None unless the rate rises, stays and falls, in this order.

    Args:
        lr: Learning rates, shape (n,), finite, the largest positive.

    >>> find_plateau(np.array([0.0, 0.5, 1.0, 1.0, 0.5])), find_plateau(np.array([1.0, 0.1, 1.0, 0.1]))
    ((2, 3), None)
    """
    peak = lr.max()
    at_peak = np.flatnonzero(lr >= (1 - SAME_RATE) * peak)
    first, last = int(at_peak[0]), int(at_peak[-1])
    slack = SAME_RATE * peak
    in_order = (np.diff(lr[: first + 1]) >= -slack).all() and (np.diff(lr[last:]) <= slack).all()
    return (first, last) if in_order and len(at_peak) == last - first + 1 else None
