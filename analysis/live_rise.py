"""Rises of a running loss: the forward rules of `analysis.loss_rise`, one point at a time, with bounded work a point.

It looks forward only: a rise that is seen by what follows it, and a slow one, are left to the diagnosis of the log.
"""

import math
from collections import deque

import numpy as np

from analysis.live_alarm import Alarm
from analysis.live_noise import LiveNoise
from analysis.live_rules import Found, Scales, SuddenRule, upper_median
from analysis.loss_rise import NORM_ROSE, find_precursor, make_curve
from analysis.loss_rise.curve import (
    EARLY_AT_LEAST,
    EARLY_AT_MOST,
    EARLY_SHARE,
    LARGEST_LOSS,
    MIN_RISE,
    MIN_RISE_OF_START,
)
from analysis.loss_rise.measure import STANDARD_ERROR_OF_MEDIAN, STAYS_AT_MOST, find_onset, height_at_alarm
from analysis.loss_rise.rules import Z_EARLY, Span, find_early
from analysis.runlog import schema

RECENT = 2048  # points kept to place an onset in, a multiple of what most alarms need (ours)
HEAD_LOOKS = frozenset({24, 32, 48, 64, 96, 128, 192, 256, 320})  # points at which the early rule looks back (ours)
HEAD_LOOKS_MEASURED = HEAD_LOOKS | {10, 12, 16}  # with a measured start it can look sooner (ours)
NEW_LEVEL = 100  # blocks after which an unrecovered rise becomes the level that later ones are held against (ours)


class LiveRises:
    """Watches one run.

    An event alarms once, at the first rule that sees it. Nothing further alarms until the loss is back at the level
    before, or has stayed away so long that where it is counts as the new level.

    Examples:
        >>> live = LiveRises(planned_steps=200)
        >>> losses = [1.0 + 0.01 * (step % 5) for step in range(100)] + [3.0] * 5
        >>> [alarm.onset_step for step, loss in enumerate(losses) if (alarm := live.add(step, loss))]
        [100]
    """

    def __init__(self, planned_steps: int, init_mean: float | None = None, init_sd: float | None = None):
        """Spreads the false alarms that are allowed over the run.

        Args:
            planned_steps: Steps the run is to take, at least 1.
            init_mean: Mean loss over forward batches before step 0.
            init_sd: Standard deviation of the loss over those batches.
        """
        self._planned, self._init_mean, self._init_sd = max(1, planned_steps), init_mean, init_sd
        self._seen, self._first_step, self._init, self._start = 0, 0, 0.0, 0.0
        self._lowest, self._highest = math.inf, -math.inf
        self._head: list[tuple[int, float]] = []
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT)
        self._norms: deque[tuple[int, float]] = deque(maxlen=max(HEAD_LOOKS))
        self._noise = LiveNoise(init_mean, init_sd)
        self._scales, self._sudden = Scales(self._planned), SuddenRule(self._planned, init_mean)
        self._event: _Event | None = None
        self._lost = self._early_alarmed = False

    def add(self, step: int, loss: float, grad_norm: float | None = None) -> Alarm | None:
        """Takes one logged point.

        Args:
            step: Its step, above all steps before.
            loss: Its loss; NaN and infinity alarm at once.
            grad_norm: Gradient norm before clipping, where known.

        Returns:
            The alarm of a rise that this point makes certain, else None.
        """
        if grad_norm is not None and math.isfinite(grad_norm):
            self._norms.append((step, grad_norm))
        if not math.isfinite(loss):
            first, self._lost = not self._lost, True
            return self._alarm(step, step, None, None, "non-finite") if first else None
        self._lost = False
        loss = min(max(loss, -LARGEST_LOSS), LARGEST_LOSS)
        self._remember(step, loss)
        if self._event is not None:
            self._follow_event(loss)
            return None
        self._noise.add(loss)
        found = self._sudden.add(step, loss, self._material, self._noise)
        for stretch in self._scales.add(step, loss, self._noise.tau):
            if found is None and self._is_real(stretch):
                found = stretch
        if found is None and self._seen in self._looks:
            found = self._look_back()
        return None if found is None else self._raise(step, found)

    @property
    def _looks(self) -> frozenset[int]:
        return HEAD_LOOKS if self._init_mean is None else HEAD_LOOKS_MEASURED

    def _remember(self, step: int, loss: float) -> None:
        """Keeps what the rules need to know of the run so far."""
        if self._seen == 0:
            self._first_step = step
        self._seen += 1
        self._recent.append((step, loss))
        self._lowest, self._highest = min(self._lowest, loss), max(self._highest, loss)
        if self._seen <= max(HEAD_LOOKS):
            self._head.append((step, loss))
        if self._seen <= 3:
            first = [value for _, value in self._head]
            self._init = self._init_mean if self._init_mean is not None else min(first[0], upper_median(first))
            self._start = abs(self._init)
        if self._seen == max(20, int(0.01 * self._planned)) + 1:
            soon = upper_median([value for _, value in list(self._recent)[-11:]])
            self._start = min(self._init, soon) if min(self._init, soon) > 0 else abs(self._init)

    def _material(self, level: float) -> float:
        """Returns the smallest rise above a level that matters, as `LossCurve.material` does."""
        if self._lowest < 0:
            return 2 * MIN_RISE_OF_START * (self._highest - self._lowest)
        return max(MIN_RISE * abs(level), MIN_RISE_OF_START * self._start)

    def _is_real(self, stretch: Found) -> bool:
        """Whether a sustained stretch is material and above the noise, as `measure_rise` asks."""
        sd = self._sudden.difference_sd() / math.sqrt(1 - self._noise.r)
        error = STANDARD_ERROR_OF_MEDIAN * sd * math.sqrt(min(1.0, self._noise.tau / (3 * stretch.block)))
        return stretch.height >= max(self._material(stretch.level), 2.5 * error)

    def _look_back(self) -> Found | None:
        """Asks the early rule about the first points. A start that was not measured needs a recovery to be sure of."""
        steps, loss = (np.array(values) for values in zip(*self._head, strict=True))
        curve = make_curve(steps, loss, init_mean=self._init_mean, init_sd=self._init_sd, planned_steps=self._planned)
        self._noise.take_start(curve.init_relative_sd)
        if self._early_alarmed:
            return None
        sd = curve.init_relative_sd * abs(self._init) / math.sqrt(1 - self._noise.r)
        back = float(np.median(loss[-5:])) <= self._init + 0.5 * self._material(self._init)
        for span in find_early(curve):
            first, last = int(steps[span.first]), int(steps[span.alarm])
            height = float(np.median(loss[span.first : span.alarm + 1])) - self._init
            sure = span.sure
            if self._init_mean is None:  # few points tell little of the noise: ask with all that is known by now
                least = Z_EARLY * sd * math.sqrt(self._noise.tau / (span.alarm - span.first + 1) + 1)
                sure = back and ((sure and height >= least) or self._norm_rose(first, last))
            if sure:
                return Found(first, last, 1, self._init, height, "early")
        return None

    def _norm_rose(self, first: int, last: int) -> bool:
        """Whether the gradient norm rose with the loss: the second witness of an early rise, as `is_sure` asks."""
        during = [norm for step, norm in self._norms if first <= step <= last]
        return bool(during) and max(during) >= NORM_ROSE * self._norms[0][1]

    def _raise(self, step: int, found: Found) -> Alarm:
        """Makes the alarm of a rise, and waits for its end."""
        material = self._material(found.level)
        self._event = _Event(found.level + 0.5 * material, found.block)
        onset = self._place_onset(found, material)
        return self._alarm(step, onset, found.level, found.height, found.rule)

    def _place_onset(self, found: Found, material: float) -> int:
        """Returns the onset, as `measure_rise` places it; the start of the stretch where that is long ago."""
        steps, loss = (np.array(values) for values in zip(*self._recent, strict=True))
        first = int(np.searchsorted(steps, found.first_step))
        if first == 0 and steps[0] > self._first_step:
            return found.first_step
        curve = make_curve(steps, loss)
        span = Span(first, int(np.searchsorted(steps, found.last_step)), found.block, found.rule)
        at = find_onset(curve, span, found.level, height_at_alarm(curve, span, found.level, material))
        return int(steps[at])

    def _alarm(self, step: int, onset: int, level: float | None, height: float | None, rule: str) -> Alarm:
        early_end = self._first_step + min(EARLY_AT_MOST, max(EARLY_AT_LEAST, int(EARLY_SHARE * self._planned)))
        kind = "early" if onset <= early_end else "mid-training"
        self._early_alarmed |= kind == "early"
        norms = {schema.GRAD_NORM: tuple(np.array(values) for values in zip(*self._norms, strict=True))}
        preceded_by = find_precursor(onset, 1.0, norms) if self._norms else None
        return Alarm(step, kind, onset, level, height, rule, preceded_by)

    def _follow_event(self, loss: float) -> None:
        """Waits for the end of a rise; a new level makes the rules forget what was before."""
        end = self._event.add(loss)
        if end == "recovered":
            self._scales.drop_open()
            self._sudden.held = None
        elif end == "new level":
            self._scales, self._sudden = Scales(self._planned), SuddenRule(self._planned, None)
        if end:
            self._event = None


class _Event:
    """A rise that has alarmed: ends when the loss is back and stays, or has stayed away for long."""

    def __init__(self, line: float, block: int):
        self.line, self.block, self.lasted, self.back = line, block, 0, 0
        self.last: deque[float] = deque(maxlen=5)

    def add(self, loss: float) -> str:
        """Takes a loss; returns "recovered" or "new level" at the end, "" before."""
        self.lasted += 1
        self.last.append(loss)
        is_back = upper_median(list(self.last)) <= self.line
        self.back = self.back + 1 if is_back and len(self.last) == 5 else 0
        if self.back > min(STAYS_AT_MOST, (self.lasted - self.back) // 2):
            return "recovered"
        return "new level" if self.lasted >= NEW_LEVEL * self.block and not self.back else ""
