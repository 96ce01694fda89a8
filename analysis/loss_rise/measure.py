"""From a span that a rule saw to an event: level before, peak, onset, recovery, cost; or nothing."""

import math
from dataclasses import dataclass

import numpy as np

from analysis import noise
from analysis.loss_rise.curve import LossCurve
from analysis.loss_rise.rules import SUDDEN_HISTORY, Span, first_below

STAYS_AT_MOST = 1000  # points looked at to see whether a recovery holds (ours)
STANDARD_ERROR_OF_MEDIAN = 1.25  # of a median over a mean, normal law


@dataclass(frozen=True)
class Rise:
    """A measured rise; indices point into the curve that it was found in.

    Attributes:
        curve: That curve.
        span: What the rule saw.
        onset: Index of the first point of the rise.
        peak: Index of its highest point.
        recovery: Index of the first point back at the level before, None if it never comes back.
        level: Median loss just before.
        height: Peak minus level, in units of loss.
    """

    curve: LossCurve
    span: Span
    onset: int
    peak: int
    recovery: int | None
    level: float
    height: float

    @property
    def settled(self) -> int:
        """Last index that the rise covers; later points are news again."""
        if self.recovery is not None:
            return self.recovery
        return min(max(self.span.alarm, self.peak + SUDDEN_HISTORY * self.span.block), len(self.curve.loss) - 1)

    @property
    def onset_step(self) -> int:
        """Step of the onset."""
        return int(self.curve.step[self.onset])

    @property
    def peak_step(self) -> int:
        """Step of the peak."""
        return int(self.curve.step[self.peak])

    @property
    def settled_step(self) -> int:
        """Step of the recovery, or last step that the rise covers."""
        return int(self.curve.step[self.settled])


class Smoothed:
    """Centred medians of one curve, computed once a width."""

    def __init__(self, curve: LossCurve):
        self.curve = curve
        self.by_width = {1: curve.loss}

    def __call__(self, width: int) -> np.ndarray:
        """Returns the losses smoothed over `width` points."""
        if width not in self.by_width:
            self.by_width[width] = noise.centred_median(self.curve.loss, width)
        return self.by_width[width]


def level_before(curve: LossCurve, span: Span, covered: int) -> float:
    """Returns the median loss just before a span, without points of an earlier rise."""
    first, block = span.first, span.block
    low = max(0, first - 20 * block)
    if 0 <= covered < first and low <= covered and first - covered > 5:
        low = covered + 1
    if first <= 3:
        return min(curve.init_level, float(np.median(curve.loss[: max(1, first)])))
    return float(np.median(curve.loss[low:first][-max(5, 5 * block) :]))


def measure_rise(curve: LossCurve, span: Span, covered: int, smoothed: Smoothed) -> Rise | None:
    """Measures a span; None where the smoothed rise is not material or not above the noise."""
    level = level_before(curve, span, covered)
    material = float(curve.material(level))
    width = 3 if span.block == 1 else min(2 * span.block + 1, 1025)
    before = curve.loss[max(0, span.first - SUDDEN_HISTORY * span.block) : span.first]
    tau, r = curve.correlation
    measured = noise.difference_sd(before) / math.sqrt(1 - r)  # differences understate correlated noise
    sd = measured if span.first >= 6 else curve.init_relative_sd * abs(level)
    error = STANDARD_ERROR_OF_MEDIAN * sd * math.sqrt(min(1.0, tau / width))
    line = level + max(0.5 * material, 2 * error)
    recovery = find_recovery(curve, span, line, smoothed)
    end = len(curve.loss) if recovery is None else recovery
    end = max(end, span.first + 1)
    height = float(smoothed(width)[span.first : end].max()) - level
    if height < material or (span.rule != "early" and height < 2.5 * error):
        return None
    peak = span.first + int(np.argmax(curve.loss[span.first : end]))
    height = float(curve.loss[peak]) - level
    onset = min(find_onset(curve, span, level, height_at_alarm(curve, span, level, material)), peak)
    if onset <= covered:
        return None
    return Rise(curve, span, onset, peak, recovery, level, height)


def find_recovery(curve: LossCurve, span: Span, line: float, smoothed: Smoothed) -> int | None:
    """Returns the first index from the alarm on at which the loss is back at the line and stays there.

    Back is a centred median at or under the line; to stay, the median of the next points, half as many as the
    rise lasted, must be too, so that one lucky dip does not end an event.
    """
    width = min(2 * span.block + 1, 1025) if span.block > 1 else (5 if curve.stride <= 1 else 3)
    level, at = smoothed(width), span.alarm
    while True:
        at += first_below(level[at:], np.nextafter(line, np.inf))
        if at >= len(level):
            return None
        stays = min(max(5 * span.block, (at - span.first) // 2), STAYS_AT_MOST)
        if np.median(curve.loss[at : at + stays]) <= line:
            return at
        at += max(1, stays // 2)


def height_at_alarm(curve: LossCurve, span: Span, level: float, material: float) -> float:
    """Returns how far the loss had risen when the rule fired, in units of loss."""
    last = curve.loss[max(span.first, span.alarm - max(3, span.block) + 1) : span.alarm + 1]
    return max(float(np.median(last)) - level, 0.5 * material)


def find_onset(curve: LossCurve, span: Span, level: float, height: float) -> int:
    """Returns the start of the largest suffix sum of (loss - level - height / 4), clipped, up to the alarm."""
    low = max(0, span.first - 2 * span.block)
    above = np.clip(curve.loss[low : span.alarm + 1] - (level + 0.25 * height), -height, height)
    return low + int(np.argmax(np.cumsum(above[::-1])[::-1]))
