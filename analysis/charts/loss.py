"""The loss over steps (figures 5 and 7b of the playbook), raw, with its events and what evaluations could see of it.

Thick line: median of seeds, or the only run of its kind; thin lines: seeds. Amber band: steps in which the loss of a run
went up. Dashed rule: loss at the start. Triangles on the axis: evaluations. Cross: last finite step of a run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from analysis.charts.labels import LogScale, log_ticks, shorten, spread, width_of
from analysis.charts.theme import CROSS, DASH, Palette, axis, configure
from analysis.curves import Curves
from analysis.focus import Band

NOMINAL_WIDTH = 640  # pixels that annotations are placed for; charts stretch
STRIP_HEIGHT = 90
MOST_ABOVE_START = 1e3  # ours: a diverging run is cut there, or it would flatten all others
MOST_BANDS, MOST_LABELS = 12, 12  # ours: beyond that a picture shows texture, not events


@dataclass(frozen=True)
class LossMarks:
    """What is marked on a picture of losses.

    Attributes:
        bands: Events.
        start: Loss at the start, None where unknown.
        evaluations: Steps of evaluations.
    """

    bands: Sequence[Band] = ()
    start: float | None = None
    evaluations: Sequence[int] = ()


def loss_curves(
    curves: Curves, marks: LossMarks, colors: Palette, lr: Curves | None = None, height: int = 320, title: str = "training loss"
) -> alt.TopLevelMixin:
    """Draws loss against step, logarithmic unless a loss is zero or negative, raw.

    Args:
        curves: The losses.
        marks: Events, start and evaluations.
        colors: Colors of the page.
        lr: Learning rates of the same runs and window, for a strip below on the same steps; None: no strip.
        height: Height of the loss in pixels.
        title: Title of the y-axis.
    """
    y = _LossAxis(curves, marks.start, height)
    zoom = alt.selection_interval(name="zoom", bind="scales", encodings=["x"])
    lines = [*_bands(marks, curves, y, colors), *_start(marks, y, colors), *_lines(curves, y.encode(title), colors)]
    lines += [*_evaluations(marks, curves, y, colors), *_crosses(curves, y, colors), *_end_labels(curves, y, colors)]
    chart = alt.layer(*lines).properties(height=height, width="container")
    longest = max((width_of(shorten(label)) for label in set(curves.points["label"])), default=0)
    padding = {"left": 4, "right": longest + 16, "top": 4, "bottom": 4}
    if lr is None or lr.points.empty:
        return configure(chart.add_params(zoom), colors).properties(padding=padding)
    strip = _strip(lr, curves.window, colors).properties(height=STRIP_HEIGHT, width="container")
    both = alt.vconcat(chart.add_params(zoom), strip).resolve_scale(x="shared")
    return configure(both, colors).properties(padding=padding)


class _LossAxis:
    """The y-axis: its domain, its kind, and where values stand on it in pixels."""

    def __init__(self, curves: Curves, start: float | None, height: int):
        values = [*curves.points["value"].dropna(), *([start] if start is not None else [])]
        self.is_log, self.height, self.is_cut = all(value > 0 for value in values), height, False
        self.low, self.high = min(values, default=0.1), max(values, default=1.0)
        if start is not None and start > 0 and self.high > MOST_ABOVE_START * start:
            self.high, self.is_cut = MOST_ABOVE_START * start, True
        if self.is_log:
            air = max(0.06 * math.log10(self.high / self.low), 0.06)
            self.low, self.high = self.low / 10**air, self.high * 10**air
        else:
            air = 0.06 * (self.high - self.low) or 1.0
            self.low, self.high = self.low - air, self.high + air

    def encode(self, title: str) -> alt.Y:
        kind = "log" if self.is_log else "linear"
        scale = alt.Scale(type=kind, domain=[self.low, self.high], nice=False)
        return alt.Y("value:Q", scale=scale, axis=axis(title, log_ticks(self.low, self.high) if self.is_log else None))

    def pixel(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        if self.is_log:
            return LogScale(self.low, self.high, self.height, upward=True).pixel(value)
        return self.height * (self.high - value) / (self.high - self.low)


def _step(window: tuple[int, int]) -> alt.X:
    scale = alt.Scale(domain=list(window), nice=False)
    return alt.X("step:Q", scale=scale, axis=axis("step", number_format=",d"))


def _lines(curves: Curves, y: alt.Y, colors: Palette) -> list[alt.Chart]:
    """Draws each label in its color: seeds thin, their median thick; a point under the mouse tells its numbers."""
    points, layers = curves.points, []
    has_median = set(points.loc[points["is_median"], "label"])
    points = points.assign(is_thick=points["is_median"] | ~points["label"].isin(has_median))
    color = _color_of(points, colors)
    x = _step(curves.window)
    for is_thick in (False, True):
        part = points[points["is_thick"] == is_thick]
        if len(part):
            width, opacity = (2.2, 1) if is_thick else (1, 0.45)
            line = alt.Chart(part).mark_line(strokeWidth=width, opacity=opacity, clip=True, strokeJoin="round")
            layers.append(line.encode(x=x, y=y, color=color, detail=["label:N", "run_id:N"]))
    tip = [alt.Tooltip("label:N", title="run"), alt.Tooltip("step:Q", format=",d"), alt.Tooltip("value:Q", format=".3g")]
    own = points[~points["is_median"] & points["value"].notna()]
    hover = alt.Chart(own[["label", "step", "value"]]).mark_point(size=36, opacity=0, filled=True, clip=True)
    return [*layers, hover.encode(x=x, y=y, tooltip=tip)]


def _color_of(points: pd.DataFrame, colors: Palette) -> alt.Color:
    """Returns the color of each label, spelled out, so that no label changes its color when another leaves."""
    keys = points.drop_duplicates("label").sort_values("label")
    colored = [colors.line(state, shade) for state, shade in zip(keys["state"], keys["shade"], strict=True)]
    return alt.Color("label:N", scale=alt.Scale(domain=keys["label"].tolist(), range=colored), legend=None)


def _bands(marks: LossMarks, curves: Curves, y: _LossAxis, colors: Palette) -> list[alt.Chart]:
    if not marks.bands:
        return []
    lo, hi = curves.window
    bands = [(max(band.first_step - 0.5, lo), min(band.last_step + 0.5, hi), band) for band in marks.bands[:MOST_BANDS]]
    table = pd.DataFrame([{"x": first, "x2": last} for first, last, _ in bands])
    layers = [alt.Chart(table).mark_rect(color=colors.band, opacity=colors.band_opacity).encode(x="x:Q", x2="x2:Q")]
    _, last, largest = max(bands, key=lambda band: band[2].times if math.isfinite(band[2].times) else 0.0)
    if math.isfinite(largest.times):
        is_right = last > lo + 0.6 * (hi - lo)
        place = {"align": "right", "dx": -6} if is_right else {"align": "left", "dx": 6}
        at = (largest.first_step if is_right and largest.first_step > lo + 0.3 * (hi - lo) else min(last, hi))
        text = alt.Chart(pd.DataFrame([{"x": at}])).mark_text(color=colors.star, fontSize=12, **place)
        words = f"up to {largest.times:.2g} times its {'start' if largest.kind == 'early' else 'level before'}"
        layers.append(text.encode(x="x:Q", y=alt.value(14), text=alt.value(words)))
    return layers


def _start(marks: LossMarks, y: _LossAxis, colors: Palette) -> list[alt.Chart]:
    if marks.start is None:
        return []
    data = alt.Chart(pd.DataFrame([{"value": marks.start}]))
    rule = data.mark_rule(color=colors.ink, strokeDash=DASH, strokeWidth=1.2).encode(y="value:Q")
    text = data.mark_text(color=colors.ink, align="right", dx=-4, dy=-8, fontSize=12)
    return [rule, text.encode(x=alt.value("width"), y="value:Q", text=alt.value(f"start {marks.start:.3g}"))]


def _evaluations(marks: LossMarks, curves: Curves, y: _LossAxis, colors: Palette) -> list[alt.Chart]:
    if not marks.evaluations:
        return []
    lo, hi = curves.window
    bottom = alt.value(y.height - 6)
    data = alt.Chart(pd.DataFrame({"step": list(marks.evaluations[:: max(1, len(marks.evaluations) // 60)])}))
    triangles = data.mark_point(shape="triangle-up", size=44, filled=True, color=colors.ink, opacity=1, clip=True)
    first = alt.Chart(pd.DataFrame([{"step": marks.evaluations[0]}]))
    layers = [triangles.encode(x="step:Q", y=bottom)]
    layers.append(first.mark_rule(color=colors.ink, strokeWidth=1, opacity=0.35, clip=True).encode(x="step:Q"))
    if marks.evaluations[0] > lo + 0.25 * (hi - lo):
        text = first.mark_text(color=colors.ink, align="right", dx=-8, fontSize=12)
        layers.append(text.encode(x="step:Q", y=bottom, text=alt.value("first evaluation")))
    return layers


def _crosses(curves: Curves, y: _LossAxis, colors: Palette) -> list[alt.Chart]:
    """Marks the last finite step of runs that are lost; the first three are told in words."""
    if not curves.lost:
        return []
    rows = []
    for lost in curves.lost:
        value = lost.last_value if math.isfinite(lost.last_value) else y.high
        value = min(max(value, y.low), y.high)
        rows.append({"step": lost.last_step, "value": value, "label": shorten(lost.label), "from": lost.lost_from})
    data = alt.Chart(pd.DataFrame(rows))
    tip = [alt.Tooltip("label:N", title="run"), alt.Tooltip("from:Q", title="not finite from step", format=",d")]
    cross = data.mark_point(shape=CROSS, size=64, strokeWidth=2.4, filled=False, stroke=colors.infeasible, opacity=1)
    layers = [cross.encode(x="step:Q", y="value:Q", tooltip=tip)]
    lo, hi = curves.window
    heights = spread([y.pixel(row["value"]) for row in rows[:3]], 8, y.height - 8)
    for row, at in zip(rows[:3], heights, strict=True):
        is_right = row["step"] > lo + 0.6 * (hi - lo)
        place = {"align": "right", "dx": -10} if is_right else {"align": "left", "dx": 10}
        text = alt.Chart(pd.DataFrame([row])).mark_text(color=colors.infeasible, fontSize=12, **place)
        words = f"not finite from step {row['from']:,}"
        layers.append(text.encode(x="step:Q", y=alt.value(at), text=alt.value(words)))
    return layers


def _end_labels(curves: Curves, y: _LossAxis, colors: Palette) -> list[alt.Chart]:
    """Writes the label of each line at its right end, pushed apart, in the color of the line."""
    points = curves.points
    has_median = set(points.loc[points["is_median"], "label"])
    ends = points[points["value"].notna() & (points["is_median"] | ~points["label"].isin(has_median))]
    ends = ends.groupby("label", as_index=False).last().head(MOST_LABELS)
    heights = spread([y.pixel(value) for value in ends["value"]], 6, y.height - 6)
    layers = []
    for at, end in zip(heights, ends.itertuples(), strict=True):
        color = colors.muted if end.state == "control" else colors.line(end.state, end.shade)
        text = alt.Chart(pd.DataFrame([{"label": end.label}])).mark_text(
            color=color, align="left", dx=8, fontSize=12, fontWeight=600, clip=False
        )
        place = {"x": alt.value("width"), "y": alt.value(at)}
        layers.append(text.encode(**place, text=alt.value(shorten(end.label))))
    return layers


def _strip(lr: Curves, window: tuple[int, int], colors: Palette) -> alt.Chart:
    """Draws the learning rate of each run over the same steps."""
    points = lr.points[~lr.points["is_median"]]
    values = points["value"].dropna()
    low, high = values.min(), values.max()
    scale = alt.Scale(domain=[min(0.0, low), high * 1.1 if high > 0 else 1.0], nice=False)
    y = alt.Y("value:Q", scale=scale, axis=axis("lr", [0.0, high] if high > 0 else None))
    line = alt.Chart(points).mark_line(strokeWidth=1.6, clip=True)
    return line.encode(x=_step(window), y=y, color=_color_of(points, colors), detail=["label:N", "run_id:N"])
