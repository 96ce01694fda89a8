"""How noisy a loss curve is: running order statistics, robust spread, correlation in time.

Everything here is robust to the events that we look for: medians and quantiles, never means and variances.
"""

import math
from bisect import insort

import numpy as np
from scipy import ndimage

MAD_TO_SD = 1.4826  # median absolute deviation to standard deviation, for a normal law


def trailing_rank(x: np.ndarray, width: int, quantile: float) -> np.ndarray:
    """Returns an order statistic of the last `width` values, current one included.

    The first values use the shorter history that there is.

    Args:
        x: Values, shape (n,), finite.
        width: Number of values in the window, at least 1.
        quantile: Which order statistic, in [0, 1]; 0.5 is the (upper) median.

    Returns:
        Array of shape (n,).

    >>> trailing_rank(np.array([3.0, 1.0, 2.0, 9.0]), 3, 0.5)
    array([3., 3., 2., 2.])
    """
    n = len(x)
    if width <= 1 or n == 0:
        return x.copy()
    out, by_size = np.empty(n), []
    for i, value in enumerate(x[: width - 1].tolist()):
        insort(by_size, value)
        out[i] = by_size[min(i, int(quantile * (i + 1)))]
    if n >= width:
        rank = min(width - 1, int(quantile * width))
        centred = ndimage.rank_filter(x, rank=rank, size=width, mode="nearest")
        ahead = width - width // 2 - 1  # values of a centred window that lie after its center
        out[width - 1 :] = centred[width - 1 - ahead : n - ahead]
    return out


def trailing_median(x: np.ndarray, width: int) -> np.ndarray:
    """Returns the median of the last `width` values, current one included; shape (n,)."""
    return trailing_rank(x, width, 0.5)


def previous(x: np.ndarray, first: float) -> np.ndarray:
    """Returns x shifted by one, so that entry i knows only what came before i; entry 0 is `first`."""
    out = np.empty(len(x))
    out[:1] = first
    out[1:] = x[:-1]
    return out


def lowest_ahead(x: np.ndarray, width: int) -> np.ndarray:
    """Returns the minimum of each value and the width - 1 after it, -inf where there are not that many; shape (n,).

    >>> lowest_ahead(np.array([3.0, 1.0, 2.0]), 2)
    array([  1.,   1., -inf])
    """
    out = np.full(len(x), -np.inf)
    if len(x) >= width:
        centred = ndimage.minimum_filter1d(x, width, mode="nearest")
        out[: len(x) - width + 1] = centred[width // 2 : len(x) - width + 1 + width // 2]
    return out


def centred_median(x: np.ndarray, width: int) -> np.ndarray:
    """Returns the median of `width` values around each value (width odd), edges repeated; shape (n,)."""
    if width <= 1 or len(x) == 0:
        return x.copy()
    return ndimage.median_filter(x, size=width, mode="nearest")


def block_means(x: np.ndarray, size: int) -> np.ndarray:
    """Returns the means of consecutive blocks of `size` values; an incomplete last block is left out."""
    if size == 1:
        return x
    count = len(x) // size
    return x[: count * size].reshape(count, size).mean(axis=1)


def difference_sd(x: np.ndarray) -> float:
    """Returns the standard deviation of the noise, from successive differences (a trend only enlarges it).

    >>> round(difference_sd(np.array([0.0, 1.0, 0.0, 1.0, 0.0])), 3)
    1.048
    """
    if len(x) < 2:
        return 0.0
    return MAD_TO_SD * float(np.median(np.abs(np.diff(x)))) / math.sqrt(2)


def curvature_sd(x: np.ndarray) -> np.ndarray:
    """Returns the standard deviation of the noise, from second differences along the last axis: blind to a trend."""
    return MAD_TO_SD / math.sqrt(6) * np.median(np.abs(np.diff(x, 2, axis=-1)), axis=-1)


def relative_sd(x: np.ndarray, block: int = 20) -> float:
    """Returns the median over blocks of noise divided by level; 0.05 (ours) where no block tells."""
    count = len(x) // block
    if count < 1:
        level = float(np.median(np.abs(x))) if len(x) else 0.0
        return difference_sd(x) / level if level > 0 else 0.05
    parts = x[: count * block].reshape(count, block)
    level = np.median(np.abs(parts), axis=1)
    sd = MAD_TO_SD * np.median(np.abs(np.diff(parts, axis=1)), axis=1) / math.sqrt(2)
    return float(np.median(sd[level > 0] / level[level > 0])) if (level > 0).any() else 0.05


def correlation_time(x: np.ndarray, block: int = 100, longest: float = 40.0) -> tuple[float, float]:
    """Returns (integrated correlation time in points, lag-1 correlation) of the noise.

    The correlation r is the median over blocks of the lag-1 correlation of clipped, linearly detrended
    residuals, so that trends and events do not count as correlation; tau = (1 + r) / (1 - r), 1 below r = 0.15
    (ours: below that, it is estimation noise).

    Args:
        x: Values, shape (n,), finite.
        block: Points a block.
        longest: Cap on tau, in points.
    """
    block = min(block, len(x) // 4)
    if block < 50:
        return 1.0, 0.0
    count = min(len(x) // block, 400)  # 400 blocks fix a median; more cost time only
    chosen = np.linspace(0, len(x) // block - 1, count).astype(int)
    parts = x[: len(x) // block * block].reshape(-1, block)[chosen]
    t = np.arange(block) - (block - 1) / 2
    parts = parts - np.median(parts, axis=1, keepdims=True)
    parts = parts - np.outer(parts @ t / (t @ t), t)
    spread = MAD_TO_SD * np.median(np.abs(parts), axis=1, keepdims=True) + 1e-300
    parts = np.clip(parts / spread, -3, 3)
    parts = parts - parts.mean(axis=1, keepdims=True)
    power = np.einsum("ij,ij->i", parts, parts)
    lagged = np.einsum("ij,ij->i", parts[:, :-1], parts[:, 1:])
    if not (power > 0).any():
        return 1.0, 0.0
    r = float(np.median(lagged[power > 0] / power[power > 0])) + 3.0 / block  # + 3/block: bias of short blocks
    r = min(max(r, 0.0), 0.99)
    return (1.0, r) if r < 0.15 else (min((1 + r) / (1 - r), longest), r)
