"""What is known of the noise of a running loss: its size near the start, and its correlation in time."""

import math
from collections import deque

import numpy as np

from analysis import noise

RELATIVE_SD_AT_FIRST = 0.2  # noise near the start while nothing is known of it (ours)
CORRELATION_AT_FIRST = 0.3  # of neighbors, while nothing is known of it (ours)
CORRELATION_POINTS, CORRELATION_BLOCKS = 50, 64  # points of one look at the correlation, looks kept (ours)
_PARABOLA = np.linalg.qr(np.vander(np.linspace(-1, 1, CORRELATION_POINTS), 3))[0]


class LiveNoise:
    """What is known of the noise: its size near the start, and its correlation in time."""

    def __init__(self, init_mean: float | None, init_sd: float | None):
        self.measured = bool(init_mean) and init_sd is not None
        self.relative_sd = max(init_sd / abs(init_mean), 1e-3) if self.measured else RELATIVE_SD_AT_FIRST
        self.seen, self.chunk = 0, []
        self.correlations: deque[float] = deque(maxlen=CORRELATION_BLOCKS)
        self._set_r(CORRELATION_AT_FIRST)

    def take_start(self, relative_sd: float) -> None:
        """Takes the noise near the start as the first points show it, unless it was measured."""
        if not self.measured:
            self.relative_sd = relative_sd

    def add(self, loss: float) -> None:
        """Takes a loss that is part of no rise."""
        self.seen += 1
        self.chunk.append(loss)
        if len(self.chunk) == CORRELATION_POINTS:
            self.correlations.append(lag_one_correlation(np.array(self.chunk)))
            self.chunk.clear()
            self._set_r(sorted(self.correlations)[len(self.correlations) // 2] + 1 / math.sqrt(self.seen))

    def _set_r(self, r: float) -> None:
        self.r = min(r, 0.95)
        self.tau = min(40.0, (1 + self.r) / (1 - self.r)) if self.r >= 0.15 else 1.0


def lag_one_correlation(losses: np.ndarray) -> float:
    """Returns the correlation of neighbors around a parabola: a steep decline in few points must not count as one.

    The bias of a short stretch, n r = n r_true - 3 - 5 r_true to first order, is taken out.
    """
    n, parabola = CORRELATION_POINTS, _PARABOLA
    rest = losses - parabola @ (parabola.T @ losses)
    spread = noise.MAD_TO_SD * np.median(np.abs(rest)) + 1e-300
    rest = np.clip(rest / spread, -3, 3)
    power = rest @ rest
    return (float(rest[1:] @ rest[:-1] / power) + 3 / n) / (1 - 5 / n) if power > 0 else 0.0
