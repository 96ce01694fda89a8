"""The histogram of the gradient norm over all steps, with what does not fit on an axis counted beside it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

NUM_BINS = 48  # ours: a bin of 6 pixels on a picture of 300


@dataclass(frozen=True)
class NormHistogram:
    """Counts of norms in bins of equal width on a logarithmic axis.

    Attributes:
        bins: One row per bin that holds a step: low, high (norm), count.
        num_zero: Norms of 0, which a logarithmic axis cannot show.
        num_non_finite: Norms that are NaN or infinite.
    """

    bins: pd.DataFrame
    num_zero: int
    num_non_finite: int


def count_norms(norm: np.ndarray, num_bins: int = NUM_BINS) -> NormHistogram:
    """Counts gradient norms in logarithmic bins.

    Args:
        norm: Gradient norms, shape (n,), not negative; NaN and infinity allowed.
        num_bins: Bins between the smallest and the largest norm.

    Source: PLAYBOOK P3 (the histogram over all steps).
    """
    finite = norm[np.isfinite(norm)]
    shown = np.log10(finite[finite > 0])
    bins = pd.DataFrame({"low": [], "high": [], "count": []}, dtype=float)
    if len(shown):
        lo, hi = shown.min(), shown.max()
        counts, edges = np.histogram(shown, bins=num_bins, range=(lo, hi) if hi > lo else (lo - 0.05, hi + 0.05))
        table = {"low": 10.0 ** edges[:-1], "high": 10.0 ** edges[1:], "count": counts.astype(float)}
        bins = pd.DataFrame(table)[counts > 0].reset_index(drop=True)
    return NormHistogram(bins, int((finite <= 0).sum()), int(len(norm) - len(finite)))
