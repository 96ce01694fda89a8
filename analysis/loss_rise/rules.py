"""The rules that say where a loss may have risen. Each returns spans; `measure` decides what they amount to.

A rise counts when it is real (not noise), material (it matters) and sustained (not one logged point).
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis import noise
from analysis.loss_rise.curve import LossCurve

ALPHA = 0.01  # false alarms allowed per stable run, all rules together (ours, docs/evidence.md#alpha)
WINDOWS = (10, 20, 100)  # points of history that a sustained rise is held against
SCALE_FACTOR, BLOCKS_AT_LEAST = 4, 30  # block sizes 1, 4, 16, ... while that many blocks remain
Z_START, Z_HOLD, Z_SURE = 6.0, 3.0, 9.6  # standard deviations: a sudden rise starts, is held, needs no second point
Z_EARLY, Z_EARLY_MEASURED = 6.0, 5.0  # early rule without and with a measured initial loss
Z_SUSPECTED = 4.0  # early rises from here on are suspected
Z_SLOW = 6.0
EARLY_LOOKS = 4  # the early rule looks at that many of its stretches
SUDDEN_HISTORY = 50  # points
INFLATED = 3.0  # times the noise near the start: what a steep decline or the rise itself adds at most (ours)
BROAD_POINTS, SETTLED_POINTS = 21, 100  # a second look at the level before, once the steep start is over (ours)
SHORT_HISTORY = 11  # points; before, the noise near the start is all that is known


@dataclass(frozen=True)
class Span:
    """Points first..alarm (indices into the curve) that a rule saw above what came before, at a block size.

    A span that is not sure makes a suspected event, which never counts and asks for the probe.
    """

    first: int
    alarm: int
    block: int
    rule: str
    sure: bool = True


def log_chance(window: int, rank: int, run: int) -> float:
    """Returns log P(run new values all exceed the rank-th largest of `window` exchangeable old ones).

    P = C(run + rank - 1, run) / C(window + run, run), whatever the law of the noise.

    Source: exceedance tests (Gumbel and von Schelling 1950).
    """

    def log_choose(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    return log_choose(run + rank - 1, run) - log_choose(window + run, run)


def points_needed(window: int, rank: int, log_alpha: float) -> int:
    """Returns the shortest run of exceedances whose chance is at most exp(log_alpha)."""
    run = 3
    while run < 400 and log_chance(window, rank, run) > log_alpha:
        run += 1
    return run


def find_runs_above(y: np.ndarray, window: int, rank: int, needed: int) -> list[tuple[int, int]]:
    """Returns (start, alarm) of every run of `needed` values above the history before the run.

    The threshold is the rank-th largest of the `window` values before the run's start, and stays fixed during the
    run, so that a rise never raises its own threshold.
    """
    if len(y) < window + needed:
        return []
    largest = noise.trailing_rank(y, window, (window - rank) / window)
    threshold = noise.previous(largest, np.inf)
    threshold[:window] = np.inf
    lowest = noise.lowest_ahead(y, needed)
    starts = np.flatnonzero(lowest > threshold)
    if not len(starts):
        return []
    fresh = starts[np.diff(starts, prepend=-2) > 1]
    return [(int(at), int(at) + needed - 1) for at in fresh]


def find_sustained(curve: LossCurve) -> list[Span]:
    """Finds runs of points above all recent history, at dyadic block sizes, forward and reversed in time.

    Reversed and negated, the same test finds a short good period that a long bad one follows. Correlated noise
    stretches history, rank and run by its correlation time, so that they hold as many independent values.
    """
    n = len(curve.loss)
    sizes = [1]
    while n // (sizes[-1] * SCALE_FACTOR) >= BLOCKS_AT_LEAST:
        sizes.append(sizes[-1] * SCALE_FACTOR)
    tau, _ = curve.correlation
    spans = []
    for size in sizes:
        y = noise.block_means(curve.loss, size)
        log_alpha = math.log(ALPHA / (4 * len(sizes) * len(WINDOWS) * len(y)))
        stretch = max(1.0, 1 + (tau - 1) / size)
        for window in WINDOWS:
            rank = 1 + window // 40  # tolerates 2.5 % outliers in the history
            test = [math.ceil(stretch * length) for length in (window, rank, points_needed(window, rank, log_alpha))]
            for start, alarm in find_runs_above(y, *test):
                spans.append(Span(start * size, min(n, (alarm + 1) * size) - 1, size, "sustained"))
            if window < max(WINDOWS) and size > 1:
                continue
            for start, _ in find_runs_above(-y[::-1], *test):
                after_low = min((len(y) - start) * size, n - 1)
                alarm = min(n - 1, after_low + max(3, window // 2) * size)
                spans.append(Span(after_low, alarm, size, "sustained"))
    return spans


def find_slow(curve: LossCurve) -> list[Span]:
    """Finds slow rises: five block means in a row above the best five-block median so far."""
    spans = []
    tau, _ = curve.correlation
    for blocks in (60, 240):
        size = max(1, len(curve.loss) // blocks)
        y = noise.block_means(curve.loss, size)
        if len(y) < 24:
            continue
        level = noise.trailing_median(y, 5)
        sd = noise.MAD_TO_SD / math.sqrt(2) * noise.trailing_median(np.abs(np.diff(y, prepend=y[0])), 25)
        widen = Z_SLOW * math.sqrt(1 + (tau - 1) / size)
        y, sd, material, level = (values.tolist() for values in (y, sd, curve.material(level), level))
        best_at, above = 4, 0
        for i in range(5, len(y)):
            if level[i] <= level[best_at]:
                best_at = i
            spread = max(sd[best_at], sd[min(i, best_at + 5)])
            above = above + 1 if y[i] > level[best_at] + max(material[best_at], widen * spread) else 0
            if above == 5:
                spans.append(Span((best_at + 1) * size, (i + 1) * size - 1, size, "slow"))
            if above >= 20:  # a new level: later rises are held against it
                best_at, above = i, 0
    return spans


def find_early(curve: LossCurve) -> list[Span]:
    """Finds a stretch of 3, 16 or 64 points after step 0 whose median lies above the untrained model's loss."""
    if curve.signed_spread is not None or curve.init_level <= 0:
        return []
    measured = curve.init_mean is not None
    tau, _ = curve.correlation
    spans = []
    for size in (3, 16, 64):
        if len(curve.loss) < 3 * size + 1:
            continue
        sd = curve.init_relative_sd * curve.init_level * math.sqrt(tau / size + (0 if measured else 1))
        z = Z_EARLY_MEASURED if measured else Z_EARLY
        material = curve.material(curve.init_level)
        firsts = [
            first
            for first in range(1, min(EARLY_LOOKS * size, len(curve.loss) - size), max(1, size // 4))
            if curve.step[first + size - 1] <= curve.early_end
        ]
        above = [float(np.median(curve.loss[first : first + size])) - curve.init_level for first in firsts]
        sure = [first for first, rise in zip(firsts, above, strict=True) if rise >= max(material, z * sd)]
        maybe = [first for first, rise in zip(firsts, above, strict=True) if rise >= max(material, Z_SUSPECTED * sd)]
        if sure or maybe:
            alarm = (sure or maybe)[0] + size - 1
            spans.append(Span(1, alarm, 1, "early", bool(sure)))  # held against the untrained model: may start at 1
    return spans


def find_sudden(curve: LossCurve) -> tuple[list[Span], list[int]]:
    """Finds short steep rises against the last few points; single points above the line are blips.

    Returns:
        Spans of rises held long enough, and indices of the blips' highest points.
    """
    x, n = curve.loss, len(curve.loss)
    _, r = curve.correlation
    reference = np.minimum(
        noise.previous(noise.trailing_median(x, 7), x[0]), noise.previous(noise.trailing_median(x, 5), x[0])
    )
    if curve.init_mean is not None and curve.signed_spread is None:
        reference[:3] = curve.init_mean
    broad = noise.previous(noise.trailing_median(x, BROAD_POINTS), x[0])
    sd = sudden_sd(curve, reference) / math.sqrt(1 - min(r, 0.95))  # differences understate correlated noise
    material = curve.material(reference)
    spans, blips, free_from = [], [], 1
    for i in np.flatnonzero(x - reference >= np.maximum(material, Z_START * sd)):
        if i < free_from:
            continue
        start, hold = max(material[i], Z_START * sd[i]), max(material[i], Z_HOLD * sd[i])
        end = i + first_below(x[i:] - reference[i], hold)
        above = x[i:end] - reference[i]
        if i >= SETTLED_POINTS and np.median(x[i:end]) - broad[i] < curve.material(broad[i]):
            # the last few points were low by chance
            free_from = i + 1
            continue
        if is_sudden_rise(curve, above, start, sd[i], float(material[i])):
            spans.append(Span(int(i), int(end) - 1, 1, "sudden"))
        else:
            blips.append(int(i + np.argmax(above)))
        free_from = end if end < n else n
    return spans, blips


def is_sudden_rise(curve: LossCurve, above: np.ndarray, start: float, sd: float, material: float) -> bool:
    """Whether points above the line make a rise: two far above, or one very far; and held long enough.

    The more points a run has, the longer and higher a stretch by chance: 3 points may do up to 500 points, 4 up to
    5,000, ..., unless two of them stand twice as high, and half as much more for each factor of ten in points. In a
    log of every k-th step two very high points do.
    """
    tau, _ = curve.correlation
    first, second = above.max(), np.sort(above)[-2:][0] if len(above) > 1 else 0.0
    if second < start and first < max(material, Z_SURE * sd):
        return False
    shortest = max(3, math.ceil(tau))
    decades = max(0.0, math.log10(len(curve.loss) / 500))
    if len(above) >= max(shortest, math.ceil(3 + decades)):
        return True
    if len(above) >= shortest:
        return second >= (2 + decades / 2) * start
    return curve.stride > 1 and len(above) >= 2 and tau < 2 and above.min() >= max(Z_SURE * sd, 2 * material)


def sudden_sd(curve: LossCurve, reference: np.ndarray) -> np.ndarray:
    """Returns the noise before each point: of differences, and of the upper side (skew, heavy tails)."""
    x = curve.loss
    steps_apart = noise.previous(np.abs(np.diff(x, prepend=x[0])), 0.0)
    of_differences = noise.MAD_TO_SD / math.sqrt(2) * noise.trailing_median(steps_apart, SUDDEN_HISTORY)
    above = np.maximum(x - noise.previous(noise.trailing_median(x, 7), x[0]), 0.0)
    of_upper_side = noise.previous(noise.trailing_rank(above, SUDDEN_HISTORY, 0.95), 0.0) / 1.645
    of_upper_side[:SHORT_HISTORY] = 0.0
    floor = 0.5 * curve.init_relative_sd * np.abs(reference)
    sd = np.maximum(of_differences, of_upper_side)
    sd[:SUDDEN_HISTORY] = np.minimum(sd[:SUDDEN_HISTORY], INFLATED * curve.init_relative_sd * abs(curve.init_level))
    sd = np.maximum(sd, floor)
    sd[:SHORT_HISTORY] = curve.init_relative_sd * np.abs(reference[:SHORT_HISTORY])
    return sd


def first_below(values: np.ndarray, line: float) -> int:
    """Returns the index of the first value under the line, or the length; looks ahead in growing pieces."""
    at, size = 0, 64
    while at < len(values):
        hit = np.flatnonzero(values[at : at + size] < line)
        if len(hit):
            return at + int(hit[0])
        at, size = at + size, size * 4
    return len(values)
