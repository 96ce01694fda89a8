"""The histogram of the gradient norm, over all steps and by phase, with what no axis can show counted beside it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.phases import Phases

NUM_BINS = 48  # ours: a bin of 6 pixels on a picture of 300
PHASE_BINS = 24  # ours: a tenth of a run has few steps, and its picture a third of the width


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

    @property
    def num_norms(self) -> int:
        """Norms that were counted, those beside the axis included."""
        return int(self.bins["count"].sum()) + self.num_zero + self.num_non_finite


def count_norms(norm: np.ndarray, num_bins: int = NUM_BINS, span: np.ndarray | None = None) -> NormHistogram:
    """Counts gradient norms in logarithmic bins.

    Args:
        norm: Gradient norms, shape (n,), not negative; NaN and infinity allowed.
        num_bins: Bins between the smallest and the largest norm.
        span: Norms that the bins span; None for the norms themselves.

    Source: PLAYBOOK P3 (the histogram over all steps).
    """
    finite = norm[np.isfinite(norm)]
    shown = np.log10(finite[finite > 0])
    bins = pd.DataFrame({"low": [], "high": [], "count": []}, dtype=float)
    if len(shown):
        ends = shown if span is None else np.log10(span[np.isfinite(span) & (span > 0)])
        lo, hi = ends.min(), ends.max()
        counts, edges = np.histogram(shown, bins=num_bins, range=(lo, hi) if hi > lo else (lo - 0.05, hi + 0.05))
        table = {"low": 10.0 ** edges[:-1], "high": 10.0 ** edges[1:], "count": counts.astype(float)}
        bins = pd.DataFrame(table)[counts > 0].reset_index(drop=True)
    return NormHistogram(bins, int((finite <= 0).sum()), int(len(norm) - len(finite)))


def count_norms_by_phase(
    norm: np.ndarray, phases: Phases | Mapping[str, np.ndarray], num_bins: int = PHASE_BINS
) -> dict[str, NormHistogram]:
    """Counts the norms of each phase of a run, in the same bins.

    Args:
        norm: Gradient norms of the whole run, shape (n,).
        phases: Which of them belong to which phase: a mask of each by its name, or what `split_phases` returns.
        num_bins: Bins between the smallest and the largest norm of the run.

    Returns:
        One histogram a phase, by its name, in their order.
    """
    masks = phases._asdict() if isinstance(phases, Phases) else phases
    return {name: count_norms(norm[mask], num_bins, span=norm) for name, mask in masks.items()}


def largest_share(histograms: Iterable[NormHistogram]) -> float:
    """Returns the largest share that one bin has of the norms of its histogram; 1 without any bin."""
    return max((each.bins["count"].max() / each.num_norms for each in histograms if len(each.bins)), default=1.0)
