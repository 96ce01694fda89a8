"""What every clip threshold would do to the updates of a run that is logged. Source: PLAYBOOK P8."""

import numpy as np
import pandas as pd

NUM_TRIED = 200  # ours: thresholds of a curve, one for every 2 pixels or so
TOP_PERCENTILE, MARGIN = 99.5, 1.3  # ours: one norm of 1e15 must not flatten the curve; air at both ends


def trace_thresholds(norm: np.ndarray, low: float, high: float, num_tried: int = NUM_TRIED) -> pd.DataFrame:
    """Measures what each of many thresholds would do.

    Args:
        norm: Unclipped gradient norms, shape (n,), n at least 1; non-finite norms count as clipped, to nothing.
        low: Smallest threshold, positive.
        high: Largest threshold.
        num_tried: Thresholds between them, evenly on a logarithmic axis, ends included.

    Returns:
        One row per threshold, ascending: clip_threshold, clipped_fraction, effective_lr_multiplier.

    >>> trace_thresholds(np.array([1.0, 2.0, 4.0, 1.0]), 1.0, 4.0, num_tried=3).values.tolist()
    [[1.0, 0.5, 0.6875], [2.0, 0.25, 0.875], [4.0, 0.0, 1.0]]
    """
    size = np.sort(np.where(np.isfinite(norm), norm, np.inf))
    tried = np.geomspace(low, high, num_tried)
    kept = np.searchsorted(size, tried, side="right")  # norms up to the threshold pass as they are
    with np.errstate(divide="ignore"):
        inverse = np.append(np.cumsum((1.0 / size)[::-1])[::-1], 0.0)  # sum of 1 / |g| from each norm on
    clipped = np.where(kept < len(size), inverse[kept], 0.0)
    columns = {
        "clipped_fraction": 1 - kept / len(size),
        "effective_lr_multiplier": (kept + tried * clipped) / len(size),
    }
    return pd.DataFrame({"clip_threshold": tried} | columns)


def span_thresholds(norm: np.ndarray, clip_threshold: float) -> tuple[float, float]:
    """Returns the thresholds that a curve spans: from the smallest norm to the largest of all but a few, and a margin.

    Args:
        norm: Gradient norms, shape (n,), one at least finite and positive.
        clip_threshold: A threshold that lies inside.
    """
    size = norm[np.isfinite(norm) & (norm > 0)]
    low, high = np.percentile(size, [0.0, TOP_PERCENTILE])
    return float(min(low, clip_threshold)) / MARGIN, float(max(high, clip_threshold)) * MARGIN
