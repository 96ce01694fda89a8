"""The x-axis of pictures of curves: steps, shares of the training or seconds, linear or logarithmic."""

import math
from dataclasses import dataclass

import altair as alt

from analysis import curve_axis
from analysis.charts.theme import axis

LINEAR_BELOW = {curve_axis.STEP: 1.0, curve_axis.SHARE: 1e-3, curve_axis.TIME: 1.0}  # ours: step 0 has no logarithm


@dataclass(frozen=True)
class StepAxis:
    """The x-axis.

    Attributes:
        kind: What it shows, as `analysis.curve_axis` names it.
        window: Its ends.
        is_log: Whether it is logarithmic above its first step, thousandth or second.
        zoom: Part that is shown first, None for all.
        has_grid: Whether it has grid lines; Vega draws them too short where two y-axes share the height.
    """

    kind: str = curve_axis.STEP
    window: tuple[float, float] = (0, 1)
    is_log: bool = False
    zoom: tuple[float, float] | None = None
    has_grid: bool = True

    @property
    def field(self) -> str:
        """Column that stands on it."""
        return "step" if self.kind == curve_axis.STEP else "at"

    def encode(self, field: str | None = None) -> alt.X:
        """Returns the channel of a column that stands on the axis."""
        field = field or self.field
        number_format, title = curve_axis.FORMATS[self.kind], curve_axis.TITLES[self.kind]
        grid = {} if self.has_grid else {"grid": False}
        if not self.is_log:
            scale = alt.Scale(domain=list(self.zoom or self.window), nice=False)
            return alt.X(f"{field}:Q", scale=scale, axis=axis(title, None, number_format, **grid))
        constant = LINEAR_BELOW[self.kind]
        scale = alt.Scale(type="symlog", constant=constant, domain=list(self.zoom or self.window), nice=False)
        look = axis(f"{title}, logarithmic", self.ticks(), number_format, labelOverlap="greedy", **grid)
        return alt.X(f"{field}:Q", scale=scale, axis=look)

    def ticks(self) -> list[float]:
        """Returns round values of the logarithmic axis, also such as are only seen when it is zoomed into."""
        first = math.floor(math.log10(LINEAR_BELOW[self.kind]))
        last = math.ceil(math.log10(max(self.window[1], 10.0**first)))
        values = [0.0] + [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in (1, 2, 5)]
        return [value for value in values if self.window[0] <= value <= self.window[1]]

    def share(self, value: float) -> float:
        """Returns how far along the axis a value stands: 0 at its start, 1 at its end."""
        low, value, high = (self._unbent(each) for each in (self.window[0], value, self.window[1]))
        return (value - low) / (high - low) if high > low else 0.0

    def _unbent(self, value: float) -> float:
        return math.log1p(max(value, 0.0) / LINEAR_BELOW[self.kind]) if self.is_log else value
