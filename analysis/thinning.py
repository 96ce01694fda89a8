"""Thinning of long series for drawing: what stands out is never lost."""

import numpy as np
from tsdownsample import MinMaxDownsampler

MAX_POINTS = 5_000  # ours: a chart of 5,000 points redraws in 0.4 s, one of 20,000 in 1.2 s (docs/benchmarks.md)
FEWEST_POINTS = 16  # ours: below that a line no longer has a shape


def thin(values: np.ndarray, num_points: int) -> np.ndarray:
    """Chooses about `num_points` points of a series so that no extreme and no gap is lost.

    The finite values are cut into equal bins, and each bin keeps its lowest and its highest point, so a spike of one
    step survives at every size. Of each stretch of non-finite values the first and the last point stay.

    Args:
        values: Shape (n,), NaN and infinity allowed.
        num_points: Points to keep; stretches of non-finite values come on top, at most as many again.

    Returns:
        Indices into `values`, ascending, shape (m,) with m <= 2 * num_points.

    >>> thin(np.array([1.0, 1.0, 9.0, 1.0, np.nan, np.nan, np.nan, 1.0]), 4).tolist()
    [0, 2, 4, 6, 7]
    """
    num_points = max(4, num_points)
    if len(values) <= num_points:
        return np.arange(len(values))
    is_finite = np.isfinite(values)
    finite = np.flatnonzero(is_finite)
    if len(finite) > num_points:
        even = num_points - 2 - num_points % 2  # first and last point are added below
        chosen = finite[MinMaxDownsampler().downsample(np.ascontiguousarray(values[finite], float), n_out=max(2, even))]
        finite = np.union1d(chosen, finite[[0, -1]])
    return np.union1d(finite, _ends_of_stretches(~is_finite, num_points)).astype(np.int64)


def _ends_of_stretches(flags: np.ndarray, num_points: int) -> np.ndarray:
    """Returns first and last index of each stretch of True; evenly chosen stretches where there are too many."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    firsts, lasts = edges[::2], edges[1::2] - 1
    if 2 * len(firsts) > num_points:
        some = np.linspace(0, len(firsts) - 1, num_points // 2).astype(int)
        firsts, lasts = firsts[some], lasts[some]
    return np.union1d(firsts, lasts)


def share_points(lengths: list[int], max_points: int = MAX_POINTS) -> list[int]:
    """Shares the points of a chart among its lines: short lines are drawn whole, long ones share the rest equally.

    >>> share_points([10, 200_000, 200_000], 1_010)
    [10, 500, 500]
    """
    shares = [0] * len(lengths)
    left = max_points
    for place, index in enumerate(sorted(range(len(lengths)), key=lambda i: lengths[i])):
        shares[index] = min(lengths[index], max(FEWEST_POINTS, left // (len(lengths) - place)))
        left -= shares[index]
    return shares
