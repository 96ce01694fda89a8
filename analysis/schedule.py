"""The learning-rate schedule that a log shows: warmup, peak, length, and whose steps the warmup took.

Source: PLAYBOOK P7: warmup is prepended, total = max_train_steps + warmup_steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.runlog import Run, schema

AT_PEAK = 0.99  # of the largest rate: the ramp has ended (ours: schedules are logged in float32)
DRAWN_STEPS = 400  # ours: one for every 2 pixels or so
SHAPES = ("constant", "linear", "cosine")  # what follows the warmup


@dataclass(frozen=True)
class Schedule:
    """A schedule read from the lr column.

    Attributes:
        warmup_steps: Steps until the peak; 0 where it starts there.
        peak_lr: Largest learning rate.
        final_lr: Learning rate of the last row.
        total_steps: Last logged step + 1.
        warmup_from: "prepended", "taken-from-training", "none", or "unknown": max_train_steps is not on record, or
            the run did not take all its steps.
    """

    warmup_steps: int
    peak_lr: float
    final_lr: float
    total_steps: int
    warmup_from: str


def read_schedule(run: Run) -> Schedule | None:
    """Reads the schedule of a run.

    Args:
        run: A run with an lr column.

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
    ended = run.record.get(schema.STATUS) in (None, "finished")
    planned = run.record.get(schema.MAX_TRAIN_STEPS) if ended else None
    return Schedule(warmup, peak, float(lr[-1]), total, account(warmup, total, planned))


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


def say_warmup(schedule: Schedule | None) -> str:
    """Says whose steps the warmup took, and how many there are in all.

    >>> say_warmup(Schedule(1000, 0.1, 0.1, 11_000, "prepended"))
    '1,000 prepended, 11,000 in all'
    """
    if schedule is None:
        return "lr not logged"
    if schedule.warmup_from == "none":
        return f"none, {schedule.total_steps:,} in all"
    from_whom = {"prepended": "prepended", "taken-from-training": "taken from training", "unknown": "not accounted for"}
    return f"{schedule.warmup_steps:,} {from_whom[schedule.warmup_from]}, {schedule.total_steps:,} in all"


def schedule_lr(
    name: str, base_lr: float, max_train_steps: int, warmup_steps: int, steps: np.ndarray | Sequence[int]
) -> np.ndarray:
    """Returns the learning rates of a schedule with its warmup prepended, as our runners train it.

    lr(t) = base_lr t / warmup_steps for t < warmup_steps; then, with u = (t - warmup_steps) / max_train_steps,
    base_lr (constant), base_lr (1 - u) (linear) or base_lr (1 + cos(pi u)) / 2 (cosine).

    Args:
        name: One of SHAPES.
        base_lr: Plateau or peak.
        max_train_steps: Steps without warmup, positive.
        warmup_steps: Steps of the ramp, 0 for none.
        steps: 0-based step indices, shape (n,), below max_train_steps + warmup_steps.

    Returns:
        One learning rate a step, shape (n,).

    >>> schedule_lr("linear", 1.0, 4, 2, range(6)).tolist()
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25]
    """
    steps = np.asarray(steps)
    part = (steps - warmup_steps) / max_train_steps
    shapes = {"constant": np.ones_like(part), "linear": 1 - part, "cosine": (1 + np.cos(np.pi * part)) / 2}
    trained = base_lr * shapes[name]
    return np.where(steps < warmup_steps, base_lr * steps / max(warmup_steps, 1), trained)


def sample_steps(total_steps: int, warmup_steps: int, most: int = DRAWN_STEPS) -> np.ndarray:
    """Returns the steps of a schedule that a picture draws: evenly spread, the end of the warmup among them.

    >>> sample_steps(1_000, 30, most=4).tolist()
    [0, 30, 333, 666, 999]
    """
    even = np.linspace(0, total_steps - 1, min(most, total_steps)).astype(int)
    return np.union1d(even, [warmup_steps] if warmup_steps < total_steps else even)
