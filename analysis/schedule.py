"""The learning-rate schedule that a log shows: warmup, peak, length, and whose steps the warmup took.

Source: PLAYBOOK P7: warmup is prepended, total = max_train_steps + warmup_steps.
"""

from dataclasses import dataclass

import numpy as np

from analysis.runlog import Run, schema

AT_PEAK = 0.99  # of the largest rate: the ramp has ended (ours: schedules are logged in float32)


@dataclass(frozen=True)
class Schedule:
    """A schedule read from the lr column.

    Attributes:
        warmup_steps: Steps until the peak; 0 where it starts there.
        peak_lr: Largest learning rate.
        final_lr: Learning rate of the last row.
        total_steps: Last logged step + 1.
        warmup_from: "prepended", "taken-from-training", "none", or "unknown" without max_train_steps on record.
    """

    warmup_steps: int
    peak_lr: float
    final_lr: float
    total_steps: int
    warmup_from: str


def read_schedule(run: Run) -> Schedule | None:
    """Reads the schedule of a run.

    Args:
        run: A finished run with an lr column.

    Returns:
        The schedule; None without finite learning rates.
    """
    steps, lr = run.series(schema.LR)
    steps, lr = steps[np.isfinite(lr)], lr[np.isfinite(lr)]
    if not len(lr) or lr.max() <= 0:
        return None
    peak = float(lr.max())
    reached = int(np.argmax(lr >= AT_PEAK * peak))
    ramped = reached > 0 and bool((np.diff(lr[: reached + 1]) >= 0).all())
    warmup = int(steps[reached]) if ramped else 0
    total = int(run.steps[schema.STEP].to_numpy()[-1]) + 1
    return Schedule(warmup, peak, float(lr[-1]), total, account(warmup, total, run.record.get(schema.MAX_TRAIN_STEPS)))


def account(warmup_steps: int, total_steps: int, max_train_steps: object) -> str:
    """Says whose steps the warmup took.

    >>> account(1000, 11_000, 10_000), account(1000, 10_000, 10_000)
    ('prepended', 'taken-from-training')
    """
    if not warmup_steps:
        return "none"
    if not isinstance(max_train_steps, int):
        return "unknown"
    spare = max(1, max_train_steps // 100)  # a hundredth: loggers skip last steps
    if total_steps >= max_train_steps + warmup_steps - spare:
        return "prepended"
    return "taken-from-training" if abs(total_steps - max_train_steps) <= spare else "unknown"
