"""How noisy the late loss is at each learning rate of a sweep, beside the next lower one.

A plateau at the edge of instability is often noisy rather than rising: each bump is judged on its own, and this number
says what they add up to. It takes no part in any verdict.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from analysis.lr_words import number, say_times
from analysis.results import EdgeNoise, LrSweep, RunDiagnosis

LATE_SHARE = 0.25  # of the logged losses: past warmup and most of the decline (ours, docs/evidence.md#edge-noise)
FEWEST_POINTS = 20  # late losses that a noise is measured over (ours, docs/evidence.md#edge-noise)
NOISY = 2.0  # times the noise at the next lower rate: worth a sentence (ours, docs/evidence.md#edge-noise)


def measure_late_noise(loss: np.ndarray) -> float | None:
    """Measures by which factor a late loss changes from one logged point to the next.

    The factor is exp(m), where m is the median of |log loss_i - log loss_{i-1}| over the last quarter of the points:
    robust to spikes, blind to the level of the loss; a trend
    only enlarges it.

    Args:
        loss: Logged losses, shape (n,), by step.

    Returns:
        The factor, at least 1; None for fewer than 20 late points, or where one is not finite or not above 0.

    >>> round(measure_late_noise(np.array([1.0, 1.1] * 40)), 3)
    1.1
    """
    late = loss[len(loss) - int(LATE_SHARE * len(loss)) :]
    if len(late) < FEWEST_POINTS or not (np.isfinite(late) & (late > 0)).all():
        return None
    return float(np.exp(np.median(np.abs(np.diff(np.log(late))))))


def measure_edge_noise(runs: Sequence[RunDiagnosis]) -> tuple[EdgeNoise, ...]:
    """Measures the late noise of every learning rate of a series, as the median over its runs, ascending.

    Rates without a run that can be measured are left out.
    """
    factors: dict[float, list[float]] = {}
    for judged in runs:
        factor = measure_late_noise(judged.run.loss[1])
        if factor is not None:
            factors.setdefault(judged.run.base_lr, []).append(factor)
    measured = [(base_lr, float(np.median(factors[base_lr]))) for base_lr in sorted(factors)]
    lowest = [EdgeNoise(*pair, None) for pair in measured[:1]]
    higher = [EdgeNoise(*upper, _times(lower[1], upper[1])) for lower, upper in itertools.pairwise(measured)]
    return (*lowest, *higher)


def _times(lower: float, upper: float) -> float | None:
    """Returns how many times as large the relative change of `upper` is; None beside a loss that does not change."""
    return math.log(upper) / math.log(lower) if lower > 1 else None


def say_edge_noise(sweep: LrSweep) -> str:
    """Names the learning rate, lr_star or above, at which the noise grows most; "" where it nowhere doubles."""
    near = [pair for pair in itertools.pairwise(sweep.edge_noise) if pair[1].base_lr >= (sweep.lr_star or 0)]
    grown = [pair for pair in near if pair[1].times is not None and pair[1].times >= NOISY]
    if not grown:
        return ""
    lower, upper = max(grown, key=lambda pair: pair[1].times)
    return (
        f"The late loss at {number(upper.base_lr)} is {say_times(upper.times)} times as noisy as at "
        f"{number(lower.base_lr)}: from one logged point to the next it changes by {say_change(upper.factor)}, "
        f"there by {say_change(lower.factor)}."
    )


def say_change(factor: float) -> str:
    """Returns a factor as a change in percent.

    >>> say_change(1.034), say_change(1.0021), say_change(2.4)
    ('3.4%', '0.21%', '140%')
    """
    return f"{float(f'{100 * (factor - 1):.2g}'):g}%"
