"""A loss curve made ready for the rules: finite values, their noise, and what counts as material and as early."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis import noise

MIN_RISE = 0.10  # of the level just before (ours, docs/evidence.md#materiality)
MIN_RISE_OF_START = 0.05  # of the starting loss: 0.001 -> 0.03 is not news (ours, docs/evidence.md#materiality)
EARLY_SHARE = 0.10  # of the planned steps (ours, docs/evidence.md#early)
EARLY_AT_LEAST, EARLY_AT_MOST = 20, 500  # steps; 500 is the playbook's probe length (PLAYBOOK P4)
NEAR_POINTS = 7  # points of one look at the noise near the starting level (ours)
NEAR_SAFETY = 1.75  # the quieter looks underestimate (ours)
LARGEST_LOSS = 1e30  # larger finite losses are cut here so that squares and means stay finite


@dataclass(frozen=True)
class LossCurve:
    """The finite part of a logged loss, with the run facts that the rules use.

    Attributes:
        step: Logged steps with a finite loss, shape (n,), ascending.
        loss: Their losses, shape (n,), cut at LARGEST_LOSS.
        end_step: Last logged step, finite or not.
        lost_from: First step from which every loss is non-finite; None if the run ends finite.
        init_mean: Mean loss of the untrained model, None if not logged.
        init_sd: Batch-to-batch standard deviation of that loss, None if not logged.
        planned_steps: Steps the run was to take; the last logged step where unknown.
    """

    step: np.ndarray
    loss: np.ndarray
    end_step: int
    lost_from: int | None
    init_mean: float | None
    init_sd: float | None
    planned_steps: int

    @property
    def early_end(self) -> int:
        """Last step at which an onset is called early."""
        share = int(EARLY_SHARE * self.planned_steps)
        return int(self.step[0]) + min(EARLY_AT_MOST, max(EARLY_AT_LEAST, share))

    @cached_property
    def stride(self) -> float:
        """Median steps between two points."""
        return float(np.median(np.diff(self.step))) if len(self.step) > 1 else float("inf")

    @cached_property
    def correlation(self) -> tuple[float, float]:
        """(correlation time of the noise in points, lag-1 correlation)."""
        return noise.correlation_time(self.loss)

    @cached_property
    def signed_spread(self) -> float | None:
        """Where losses can be negative, relative rules are off and this spread (p95 - p5) is the scale."""
        if not (self.loss < 0).any():
            return None
        low, high = np.percentile(self.loss, [5, 95])
        return float(high - low) or 1.0

    @cached_property
    def init_level(self) -> float:
        """Loss of the untrained model: measured, else the lower of the first loss and the first three's median."""
        if self.init_mean is not None:
            return self.init_mean
        return min(float(self.loss[0]), float(np.median(self.loss[:3])))

    @cached_property
    def init_relative_sd(self) -> float:
        """Noise of the loss near its starting level, relative to the level: measured, else estimated."""
        if self.init_mean and self.init_sd is not None:
            return max(self.init_sd / abs(self.init_mean), 1e-3)
        usual = min(noise.relative_sd(self.loss), 0.2 if len(self.loss) < 20 else 0.6)
        first = self.loss[0]
        if first <= 0:
            return usual
        if len(self.loss) < NEAR_POINTS:
            return usual
        looks = np.lib.stride_tricks.sliding_window_view(self.loss[: 200 + NEAR_POINTS - 1], NEAR_POINTS)[::2]
        level = np.median(looks, axis=1)
        near = (0.5 * first <= level) & (level <= 1.6 * first)
        if near.sum() < 2:
            return usual
        sd = noise.curvature_sd(looks[near][:20]) / level[near][:20]
        r = self.correlation[1]
        seen = math.sqrt((6 - 8 * r + 2 * r * r) / 6)  # share of correlated noise that second differences see
        return min(NEAR_SAFETY * float(np.quantile(sd, 0.25)) / max(seen, 0.1), 0.6) or usual

    @cached_property
    def start(self) -> float:
        """Starting loss as a scale: the lower of the first level and the level after 1 % of the run.

        The lower of both, so that a bad initialisation (a loss of 1000) does not make every later rise immaterial.
        """
        first = self.init_level
        span = self.step[-1] - self.step[0]
        at = max(10, int(np.searchsorted(self.step, self.step[0] + 0.01 * span)))
        if len(self.loss) <= 20:
            return abs(first)
        soon = float(np.median(self.loss[max(0, at - 10) : at + 1]))
        return min(first, soon) if min(first, soon) > 0 else abs(first)

    def material(self, level: np.ndarray | float) -> np.ndarray | float:
        """Returns the smallest rise above `level` that matters, in units of loss."""
        if self.signed_spread is not None:
            return 2 * MIN_RISE_OF_START * self.signed_spread + 0.0 * np.abs(level)
        return np.maximum(MIN_RISE * np.abs(level), MIN_RISE_OF_START * self.start)


def make_curve(step, loss, *, init_mean=None, init_sd=None, planned_steps=None) -> LossCurve | None:
    """Builds the curve of a logged loss.

    Args:
        step: Logged steps, shape (n,), ascending.
        loss: Logged losses, shape (n,); NaN and infinity are what the run logged.
        init_mean: Mean loss over forward batches before step 0.
        init_sd: Standard deviation of the loss over those batches.
        planned_steps: Steps the run was to take.

    Returns:
        The curve, or None where no finite loss was logged.
    """
    finite = np.isfinite(loss)
    if not finite.any():
        return None
    last = int(np.flatnonzero(finite)[-1])
    lost_from = int(step[last + 1]) if last + 1 < len(step) else None
    span = int(step[-1] - step[0]) + 1
    return LossCurve(
        step=np.asarray(step)[finite],
        loss=np.clip(np.asarray(loss, float)[finite], -LARGEST_LOSS, LARGEST_LOSS),
        end_step=int(step[-1]),
        lost_from=lost_from,
        init_mean=init_mean,
        init_sd=init_sd,
        planned_steps=max(span, int(planned_steps or 0)),
    )
