"""The y-axis of pictures of losses, which several pictures may share."""

import math
from collections.abc import Sequence
from statistics import median

import altair as alt

from analysis.charts.labels import LogScale, log_ticks
from analysis.charts.theme import axis
from analysis.curves import Curves

AXIS_ROOM = 48  # pixels that the x-axis takes of the height of a chart
MOST_ABOVE_START = 1e3  # ours: a diverging run is cut there, or it would flatten all others
MOST_DECADES = 1e12  # ours: a loss of 1e-20 is a zero to the eye


class LossAxis:
    """The y-axis: its domain, its kind, and where values stand on it in pixels."""

    def __init__(
        self,
        panels: Sequence[Curves],
        start: float | None,
        height: int,
        share: float = 1.0,
        is_linear: bool = False,
        is_whole: bool = False,
    ):
        """Takes what stands on the axis and how much room it has.

        Args:
            panels: The pictures that share the axis.
            start: Loss at the start, None where unknown.
            height: Height of a chart in pixels.
            share: Share of the height that the losses take.
            is_linear: Whether the axis is linear in any case.
            is_whole: Whether no finite loss is cut off, however high.
        """
        values = [value for panel in panels for value in panel.points["value"].dropna()]
        values += [start] if start is not None else []
        positive = [value for value in values if value > 0]
        can_log = min(values, default=1.0) >= 0 and len(positive) >= len(values) / 2
        self.is_log = can_log and not is_linear
        self.height, self.share = (height - AXIS_ROOM) * share, share
        shown = positive if self.is_log else values
        self.low, self.high = min(shown, default=0.1), max(shown, default=1.0)
        usual = start if start is not None else median(shown or [1.0])
        if usual > 0 and not is_whole:
            self.high = min(self.high, MOST_ABOVE_START * usual)
        if self.is_log:
            self.low = max(self.low, self.high / MOST_DECADES)
            air = max(0.06 * math.log10(self.high / self.low), 0.06)
            self.low, self.high = self.low / 10**air, self.high * 10**air
        else:
            air = 0.06 * (self.high - self.low) or 1.0
            self.low, self.high = self.low - air, self.high + air

    def encode(self, title: str, field: str = "shown") -> alt.Y:
        """Returns the channel of a column that stands on the axis."""
        kind = "log" if self.is_log else "linear"
        span = [alt.expr(f"height * {self.share}"), 0] if self.share < 1 else alt.Undefined
        scale = alt.Scale(type=kind, domain=[self.low, self.high], nice=False, range=span)
        ticks = log_ticks(self.low, self.high) if self.is_log else None
        return alt.Y(f"{field}:Q", scale=scale, axis=axis(title, ticks))

    def pixel(self, value: float) -> float:
        """Returns about how far below the top of the picture a value stands."""
        value = self.inside(value)
        if self.is_log:
            return LogScale(self.low, self.high, self.height, upward=True).pixel(value)
        return self.height * (self.high - value) / (self.high - self.low)

    def inside(self, value: float) -> float:
        """Returns the value, or the edge of the picture it lies beyond; the top edge for NaN."""
        return min(max(value, self.low), self.high) if math.isfinite(value) else self.high

    def value(self, pixel: float) -> float:
        """Returns the value that stands so far below the top."""
        if self.is_log:
            return LogScale(self.low, self.high, self.height, upward=True).value(pixel)
        return self.high - (self.high - self.low) * pixel / self.height
