"""Smoothing of a curve for the eye: drawn on top of the raw curve, never stored and never judged."""

from dataclasses import dataclass

import numpy as np

MEDIAN, MEAN = "median", "mean"


@dataclass(frozen=True)
class Smoothing:
    """How a curve is smoothed.

    Attributes:
        kind: MEDIAN, a moving median around each step, or MEAN, an exponential moving average of the steps so far.
        steps: Window in steps; of an average, the steps in which a jump fades to a seventh.
    """

    kind: str
    steps: int

    def __str__(self) -> str:
        """What captions call it."""
        name = "moving median of" if self.kind == MEDIAN else "exponential average over"
        return f"{name} {self.steps:,} step{'s' * (self.steps != 1)}"


def smooth(steps: np.ndarray, values: np.ndarray, smoothing: Smoothing) -> np.ndarray:
    """Smooths the finite values of a series; where a value is not finite, so is the result.

    Args:
        steps: Steps, ascending, shape (n,).
        values: Values, shape (n,), NaN and infinity allowed.
        smoothing: How.

    Returns:
        Smoothed values, shape (n,), NaN where `values` is not finite.

    >>> smooth(np.arange(5), np.array([1.0, 1.0, 9.0, 1.0, 1.0]), Smoothing(MEDIAN, 3)).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """
    import pandas as pd

    if len(values) < 2:
        return np.where(np.isfinite(values), values, np.nan)
    width = max(1, round(smoothing.steps / max(float(np.median(np.diff(steps))), 1.0)))
    series = pd.Series(np.where(np.isfinite(values), values, np.nan))
    if smoothing.kind == MEDIAN:
        smoothed = series.rolling(width, center=True, min_periods=1).median()
    else:
        smoothed = series.ewm(span=width, ignore_na=True).mean()
    return smoothed.where(series.notna()).to_numpy()
