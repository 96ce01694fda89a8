"""Rules that others publish for a loss that rises, at their published defaults, written anew from their descriptions.

Each takes one run and returns the index of its first alarm, or None. Several were made for runs of 1e5 steps.
"""

from collections import deque
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import ruptures

from analysis.noise import difference_sd

MOST_BLOCKS = 500  # that ruptures sees of a run


def olmo_spike_score(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms at a loss or gradient norm seven standard deviations away from the mean of the last 1,000 values.

    The score is the share of such values; here one is an alarm. A short run waits for a quarter of its points only,
    or the rule would never speak.

    Source: OLMo 2, arXiv 2501.00656, section 3.2.
    """
    wait = min(1000, len(loss) // 4)
    return earliest(first_outlier(values, 1000, 7.0, wait) for values in (loss, norm) if values is not None)


def olmo_core_skip_step(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms where SkipStepOptimizer would skip: loss or gradient norm beyond 6 sigma of the last 128, after 63 values.

    Source: allenai/OLMo-core, src/olmo_core/optim/skip_step_optimizer.py.
    """
    return earliest(
        first_outlier(values, 128, 6.0, 63, lost_counts=True) for values in (loss, norm) if values is not None
    )


def llm_foundry_kill_loss_spike(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms at the fifth loss in a row of at least twice the mean of the last 100, or at a persistently high loss.

    Persistently high: from step 200 on, half of the last 100 losses above a cap of 10.

    Source: mosaicml/llm-foundry, llmfoundry/callbacks/kill_loss_spike_callback.py.
    """
    window, outliers = deque(maxlen=100), 0
    for i, value in enumerate(loss):
        if len(window) == 100:
            outliers = outliers + 1 if value >= 2 * np.mean(window) else 0
            if outliers > 4 or (i >= 200 and sum(old > 10 for old in window) >= 50):
                return i
        window.append(value)
    return None


def lightning_spike_detection(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms at a loss that is not finite, or went up and is twice the mean of the last 10 away from that mean.

    Source: Lightning-AI/pytorch-lightning, src/lightning/fabric/utilities/spike.py (window 10, warmup 1, rtol 2).
    """
    window, last = deque(maxlen=10), 0.0
    for i, value in enumerate(loss):
        if i >= 1:
            mean = np.mean(window)
            if not np.isfinite(value) or (value > last and abs(value - mean) >= abs(2.0 * mean)):
                return i
        window.append(value)
        last = value
    return None


def wandb_z_score(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms at a loss whose z-score in the last 30 is above 3, in any direction.

    How the server treats the latest value is not documented: here it is held against the 30 before it.

    Source: wandb, MetricZScoreFilter (window 30, threshold 3.0, change_dir ANY).
    """
    return first_outlier(loss, 30, 3.0, 30)


def autotrainer_nan_loss(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms at a loss that is not finite or at least 1e3.

    Source: AutoTrainer (ICSE 2021), shiningrain/AUTOTRAINER, AutoTrainer/utils/monitor.py; one version there has 1e5.
    """
    hits = np.flatnonzero(~np.isfinite(loss) | (loss >= 1e3))
    return int(hits[0]) if len(hits) else None


def ruptures_rbf(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms at the first change point after which the level is higher: Pelt(model="rbf"), predict(pen=10).

    Source: ruptures 1.1.10, "Basic usage" of its README; min_size 2 and jump 5 are its defaults.
    """
    return first_upward_change(loss, "rbf", lambda values: 10.0)


def ruptures_l2(loss: np.ndarray, norm: np.ndarray | None) -> int | None:
    """Alarms at the first change point after which the level is higher: Pelt(model="l2"), pen log(n) sigma^2.

    The guide takes sigma as known; here it is the standard deviation of the differences over sqrt(2), robust.

    Source: ruptures 1.1.10, user guide, "the number of change points is unknown".
    """
    return first_upward_change(loss, "l2", lambda values: np.log(len(values)) * difference_sd(values) ** 2)


def first_upward_change(loss: np.ndarray, model: str, penalty: Callable[[np.ndarray], float]) -> int | None:
    """Returns the first change of the log loss to a level 10 % higher, or the first loss that is not finite.

    The library names changes, not directions: without the 10 % every decline in noise would alarm. The cost grows with
    the square of the points, so that longer runs are taken as the means of at most MOST_BLOCKS equal blocks.
    """
    lost = np.flatnonzero(~np.isfinite(loss))
    finite = loss[: lost[0]] if len(lost) else loss
    size = -(-len(finite) // MOST_BLOCKS)
    if len(finite) < 10 * size:
        return int(lost[0]) if len(lost) else None
    values = np.log(np.maximum(finite[: len(finite) // size * size].reshape(-1, size).mean(axis=1), 1e-12))
    ends = ruptures.Pelt(model=model).fit(values[:, None]).predict(pen=max(penalty(values), 1e-12))
    levels = [values[low:high].mean() for low, high in pairwise([0, *ends])]
    rises = [end * size for end, (before, after) in zip(ends, pairwise(levels), strict=False) if after - before > 0.1]
    return earliest([*rises, *map(int, lost[:1])])


def first_outlier(values: np.ndarray, window: int, sigma: float, wait: int, lost_counts: bool = False) -> int | None:
    """Returns the first index beyond `sigma` standard deviations of the `window` values before it, after `wait`.

    Where `lost_counts`, a value that cannot be compared (NaN) is an outlier too.
    """
    for i in range(max(2, wait), len(values)):
        before = values[max(0, i - window) : i]
        with np.errstate(all="ignore"):
            z = abs(values[i] - before.mean()) / before.std(ddof=1)
        if z > sigma or (lost_counts and not z <= sigma):
            return i
    return None


def earliest(alarms) -> int | None:
    """Returns the smallest of the alarms, None without one."""
    return min((alarm for alarm in alarms if alarm is not None), default=None)


RULES = {
    "OLMo 2 spike score (7 sd, 1,000)": olmo_spike_score,
    "OLMo-core SkipStep (6 sd, 128)": olmo_core_skip_step,
    "LLM Foundry KillLossSpike (2x, 100)": llm_foundry_kill_loss_spike,
    "Lightning SpikeDetection (10, rtol 2)": lightning_spike_detection,
    "W&B z-score automation (30, 3)": wandb_z_score,
    "AutoTrainer (not finite, or 1e3)": autotrainer_nan_loss,
    "ruptures Pelt (rbf, pen 10), upward": ruptures_rbf,
    "ruptures Pelt (l2, pen log(n) sigma^2), upward": ruptures_l2,
}
