"""The rules of gradient clipping: from the norms so far to what the gradient is multiplied by.

Which rule helps when: docs/clipping.md.
"""

import math
from abc import ABC, abstractmethod
from collections import deque
from heapq import heappop, heappush, heappushpop

from analysis.runlog import RunLogError

LEAST_HISTORY = 20  # norms that `SkipSigma` needs at least, this one included (OLMo-core, get_step_factor)
ZCLIP_EPS = 1e-6  # keeps the z-score of constant norms finite (ZClip, zclip.py)


class ClipRule(ABC):
    """A rule sees the unclipped norm of every step once, in order.

    `multiplier` is what training calls. `threshold` observes the norm and returns the lambda_t of its step, `scale`
    says what a norm above it is multiplied by.
    """

    @abstractmethod
    def threshold(self, norm: float) -> float:
        """Observes |g_t|, finite, and returns lambda_t: infinite where the rule sets no limit."""

    def scale(self, norm: float, threshold: float) -> float:
        """Returns min(1, lambda / |g|)."""
        return 1.0 if norm <= threshold else threshold / norm

    def multiplier(self, norm: float) -> float:
        """Observes |g_t|, finite, and returns what the gradient is multiplied by: 1 unclipped, 0 to skip the step."""
        return self.scale(norm, self.threshold(norm))


class GlobalNorm(ClipRule):
    """If |g| > lambda then g' = lambda g / |g|.

    Source:
        Deep Learning Tuning Playbook, FAQ, "Gradient clipping".

    >>> GlobalNorm(2.0).multiplier(8.0)
    0.25
    """

    def __init__(self, clip_threshold: float):
        """Takes lambda; infinity clips nothing."""
        self.clip_threshold = clip_threshold

    def threshold(self, norm: float) -> float:
        """Returns lambda."""
        return self.clip_threshold


class AutoClip(ClipRule):
    """lambda_t = the p-th percentile of |g_0| ... |g_t|, linear between ranks.

    Two heaps hold the norms below and above the percentile, so a step costs O(log t).

    Source:
        Seetharaman et al. 2020, "AutoClip: Adaptive Gradient Clipping for Source Separation Networks", p = 10.
    """

    def __init__(self, percentile: float = 10.0):
        """Takes p in percent: 10 clips 90 % of the updates."""
        _check("autoclip", "percentile", percentile, 0, 100)
        self.percentile = percentile
        self._low: list[float] = []  # max-heap, negated: the norms up to the rank of the percentile
        self._high: list[float] = []  # min-heap: the others

    def threshold(self, norm: float) -> float:
        """Adds |g_t| and returns the percentile."""
        low, high = self._low, self._high
        rank, part = divmod(self.percentile / 100 * (len(low) + len(high)), 1)
        heappush(high, -heappushpop(low, -norm))
        if len(low) <= rank:
            heappush(low, -heappop(high))
        return -low[0] + part * (high[0] + low[0]) if part else -low[0]


class ZClip(ClipRule):
    """z = (|g| - mu) / sigma; where z > z_thres, lambda = mu + z_thres^2 sigma / z ("reciprocal" clipping).

    mu and sigma^2 are exponential moving averages of the clipped norm, begun by the mean and variance of the first
    `warmup` norms, none of which is clipped. The fixed limit of 1 that the published program adds is left out.

    Source:
        Kumar et al. 2025, "ZClip: Adaptive Spike Mitigation for LLM Pre-Training", section 3; program zclip.py.
    """

    def __init__(self, alpha: float = 0.97, z_thres: float = 2.5, warmup: int = 25):
        """Takes the smoothing factor, the z-score above which to clip, and the steps before the first clip."""
        _check("zclip", "alpha", alpha, 0, 1)
        _check("zclip", "z_thres", z_thres, 0, math.inf)
        _check("zclip", "warmup", warmup, 0, math.inf)
        self.alpha, self.z_thres, self.warmup = alpha, z_thres, warmup
        self.mu = self.variance = 0.0
        self._first: list[float] = []

    def threshold(self, norm: float) -> float:
        """Returns lambda_t, then takes min(|g_t|, lambda_t) into the averages."""
        if len(self._first) < self.warmup:
            self._first.append(norm)
            self.mu = math.fsum(self._first) / len(self._first)
            self.variance = math.dist(self._first, [self.mu] * len(self._first)) ** 2 / len(self._first)
            return math.inf
        sigma = math.sqrt(self.variance)
        limit = self.mu + self.z_thres * (sigma + ZCLIP_EPS)
        if norm > limit:
            z = (norm - self.mu) / (sigma + ZCLIP_EPS)
            limit = self.mu + self.z_thres * sigma * (self.z_thres / z)
        effective = min(norm, limit)
        self.mu = self.alpha * self.mu + (1 - self.alpha) * effective
        self.variance = self.alpha * self.variance + (1 - self.alpha) * (effective - self.mu) ** 2
        return limit


class SkipSigma(ClipRule):
    """Skips the step where |g_t| exceeds mean + sigma times the standard deviation of the last `window` norms.

    The norms of skipped steps stay in the window, as in the source; a rule on the loss beside it is left out. Nothing
    is skipped in the first half window.

    Source:
        OLMo-core, optim/skip_step_optimizer.py, `SkipStepOptimizer`: sigma 6, window 128.
    """

    def __init__(self, sigma: float = 6.0, window: int = 128):
        """Takes the number of standard deviations and the length of the window in steps."""
        _check("skip_sigma", "sigma", sigma, 0, math.inf)
        _check("skip_sigma", "window", window, LEAST_HISTORY - 1, math.inf)
        self.sigma, self.window = sigma, window
        self._last: deque[float] = deque(maxlen=int(window))

    def threshold(self, norm: float) -> float:
        """Returns the limit from the norms before this one, then adds this one."""
        last, limit = self._last, math.inf
        if len(last) + 1 >= max(LEAST_HISTORY, self.window // 2):
            mean = sum(last) / len(last)
            limit = mean + self.sigma * math.dist(last, [mean] * len(last)) / math.sqrt(len(last) - 1)
        last.append(norm)
        return limit

    def scale(self, norm: float, threshold: float) -> float:
        """Returns 0 above the limit, else 1."""
        return 0.0 if norm > threshold else 1.0


GLOBAL_NORM = "global_norm"  # the rule with one threshold
ADAPTIVE_RULES = {"autoclip": AutoClip, "zclip": ZClip, "skip_sigma": SkipSigma}


def _check(rule: str, name: str, value: float, low: float, high: float) -> None:
    if not low < value <= high or math.isinf(value):
        above = f"above {low}" if math.isinf(high) else f"above {low} and at most {high}"
        raise RunLogError(f"clip rule {rule}: {name} is {value}. Give a number {above}")
