"""The forward rules of `analysis.loss_rise.rules` in streaming form: a value in, whether the loss has risen out.

Work and memory a value do not depend on the length of the run: a binary search in windows of at most 4,000 values.
"""

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from analysis.loss_rise.rules import (
    ALPHA,
    BLOCKS_AT_LEAST,
    SCALE_FACTOR,
    SHORT_HISTORY,
    SUDDEN_HISTORY,
    WINDOWS,
    Z_HOLD,
    Z_START,
    Z_SURE,
    points_needed,
)
from analysis.noise import MAD_TO_SD

PENDING_AT_MOST = 400  # values above the line that are no material rise become history then (ours)


@dataclass(frozen=True)
class Found:
    """A stretch of points above what came before.

    Attributes:
        first_step: Step at which the stretch begins.
        last_step: Step at which it was seen to be long enough, or at which it ends.
        block: Points that one value of the stretch is a mean of.
        level: Level just before.
        height: How far above the level the stretch reaches, its highest values smoothed away.
        rule: "sudden" or "sustained".
    """

    first_step: int
    last_step: int
    block: int
    level: float
    height: float
    rule: str


class SortedWindow:
    """The last values, in order of time and in order of size."""

    def __init__(self):
        self.in_time: deque[float] = deque()
        self.by_size: list[float] = []

    def push(self, value: float, length: int) -> None:
        """Adds a value and forgets the oldest beyond `length`."""
        self.in_time.append(value)
        insort(self.by_size, value)
        while len(self.in_time) > length:
            del self.by_size[bisect_left(self.by_size, self.in_time.popleft())]

    def rank(self, quantile: float) -> float:
        """Returns the order statistic that `noise.trailing_rank` returns; 0 of nothing."""
        n = len(self.by_size)
        return self.by_size[min(n - 1, int(quantile * n))] if n else 0.0

    def last(self, count: int) -> list[float]:
        """Returns the last `count` values."""
        return list(self.in_time)[-count:]


class SustainedRule:
    """Alarms at so many values in a row above the rank-th largest of the window before them.

    Values above the line wait outside the window, so that a rise never raises its own threshold.
    """

    def __init__(self, block: int, window: int, needed: int):
        self.block, self.window, self.needed = block, window, needed
        self.rank = 1 + window // 40  # tolerates 2.5 % outliers in the history
        self.history, self.pending, self.first_step, self.line = SortedWindow(), [], 0, math.inf

    def add(self, step: int, last_step: int, value: float, tau: float) -> Found | None:
        """Takes the mean of one block, its steps and the correlation time; returns a stretch long enough."""
        stretch = max(1.0, 1 + (tau - 1) / self.block)
        length = math.ceil(stretch * self.window)
        if not self.pending:
            full = len(self.history.in_time) >= length
            self.line = self.history.by_size[-math.ceil(stretch * self.rank)] if full else math.inf
            self.first_step = step
        if value > self.line:
            self.pending.append(value)
            if len(self.pending) < math.ceil(stretch * self.needed):
                return None
            if len(self.pending) < PENDING_AT_MOST:
                return self.measure(last_step)
        for waiting in self.pending:
            self.history.push(waiting, length)
        self.pending.clear()
        if value <= self.line:
            self.history.push(value, length)
        return None

    def measure(self, last_step: int) -> Found:
        """Returns the stretch so far: level of the last five values before, highest median of three."""
        values = self.pending
        highest = max(sorted(values[i : i + 3])[1] for i in range(len(values) - 2))
        level = sorted(self.history.last(5))[2]
        return Found(self.first_step, last_step, self.block, level, highest - level, "sustained")


class Scales:
    """The sustained rule at every block size, a larger block being the mean of four smaller ones."""

    def __init__(self, planned_points: int):
        sizes = [1]
        while planned_points // (sizes[-1] * SCALE_FACTOR) >= BLOCKS_AT_LEAST:
            sizes.append(sizes[-1] * SCALE_FACTOR)
        self.rules: list[list[SustainedRule]] = []
        for size in sizes:
            log_alpha = math.log(ALPHA / (4 * len(sizes) * len(WINDOWS) * max(1, planned_points // size)))
            needed = [points_needed(window, 1 + window // 40, log_alpha) for window in WINDOWS]
            self.rules.append([SustainedRule(size, *test) for test in zip(WINDOWS, needed, strict=True)])
        self.drop_open()

    def drop_open(self) -> None:
        """Forgets unfinished blocks and stretches, which are part of a rise that is over."""
        self.open: list[list[tuple[int, float]]] = [[] for _ in self.rules]  # (first step, mean) of smaller blocks
        for rule in (rule for rules in self.rules for rule in rules):
            rule.pending.clear()

    def add(self, step: int, loss: float, tau: float) -> list[Found]:
        """Takes one loss; returns the stretches that are long enough, most often none."""
        found, first_step, value = [], step, loss
        for waiting, rules in zip(self.open, self.rules, strict=True):
            if rules[0].block > 1:
                waiting.append((first_step, value))
                if len(waiting) < SCALE_FACTOR:
                    break
                first_step, value = waiting[0][0], sum(mean for _, mean in waiting) / SCALE_FACTOR
                waiting.clear()
            found += [stretch for rule in rules if (stretch := rule.add(first_step, step, value, tau)) is not None]
        return found


class SuddenRule:
    """Alarms at a short steep rise against the last few points, held long enough (see `find_sudden`)."""

    def __init__(self, planned_points: int, init_mean: float | None):
        self.longest_by_chance = math.ceil(3 + math.log10(max(1.0, planned_points / 500)))
        self.init_mean, self.seen = init_mean, 0
        self.last: list[float] = []
        self.differences, self.upper_side = SortedWindow(), SortedWindow()
        self.held: tuple[int, float, float, float, float] | None = (
            None  # first step, level, lines to start and hold, sd
        )
        self.values: list[float] = []

    def add(self, step: int, loss: float, material: Callable[[float], float], known) -> Found | None:
        """Takes one loss, the smallest rise above a level that matters, and what is known of the noise."""
        found = None
        if self.held is None and self.last:
            level = self.reference()
            least = material(level)
            if loss - level >= least:
                sd = self.sd(level, known.relative_sd, known.r)
                if loss - level >= Z_START * sd:
                    self.held = (step, level, max(least, Z_START * sd), max(least, Z_HOLD * sd), sd)
                    self.values = []
        if self.held is not None:
            found = self.hold(step, loss, known.tau)
        self.remember(loss)
        return found

    def hold(self, step: int, loss: float, tau: float) -> Found | None:
        """Takes a loss while a rise is held; returns the rise once it is far up and lasts."""
        first_step, level, start, lowest, sd = self.held
        above = loss - level
        if above < lowest:
            self.held = None
            return None
        self.values.append(above)
        if len(self.values) > PENDING_AT_MOST:
            self.held = None
            return None
        shortest = max(3, math.ceil(tau))
        if len(self.values) < shortest:
            return None
        second, highest = sorted(self.values)[-2:]
        if second < start and highest < max(start * Z_SURE / Z_START, Z_SURE * sd):
            return None
        if len(self.values) < max(shortest, self.longest_by_chance) and second < 2 * start:
            return None
        return Found(first_step, step, 1, level, second, "sudden")

    def reference(self) -> float:
        """Returns the level that the next loss is held against."""
        if self.init_mean is not None and self.seen < 3:
            return self.init_mean
        return min(upper_median(self.last), upper_median(self.last[-5:]))

    def sd(self, level: float, relative_sd: float, r: float) -> float:
        """Returns the noise before the next loss, as `sudden_sd` does."""
        near_start = relative_sd * abs(level)
        if self.seen < SHORT_HISTORY:
            return near_start / math.sqrt(1 - r)
        of_differences = self.difference_sd()
        of_upper_side = self.upper_side.rank(0.95) / 1.645
        return max(of_differences, of_upper_side, 0.5 * near_start) / math.sqrt(1 - r)

    def difference_sd(self) -> float:
        """Returns the noise by the differences of the last points."""
        return MAD_TO_SD / math.sqrt(2) * self.differences.rank(0.5)

    def remember(self, loss: float) -> None:
        """Makes a loss part of the history."""
        if self.last:
            self.differences.push(abs(loss - self.last[-1]), SUDDEN_HISTORY)
            self.upper_side.push(max(0.0, loss - upper_median(self.last)), SUDDEN_HISTORY)
        self.last.append(loss)
        if len(self.last) > 7:
            del self.last[0]
        self.seen += 1


def upper_median(values: list[float]) -> float:
    """Returns the median, of an even number of values the upper one.

    >>> upper_median([3.0, 1.0, 2.0, 9.0])
    3.0
    """
    return sorted(values)[len(values) // 2]
