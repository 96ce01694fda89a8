"""The loss over steps (figures 5 and 7b of the playbook), raw, with its events and what evaluations could see of it.

Thick line: median of seeds, or the only run of its kind; thin lines: seeds. Amber band: steps in which the loss of a
run went up. Dashed rule: loss at the start. Triangles on the axis: evaluations. Cross: last finite step of a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from analysis import curve_axis
from analysis.charts.crosshair import crosshair
from analysis.charts.labels import Words, shorten, spread, write_words
from analysis.charts.loss_axis import LossAxis
from analysis.charts.loss_marks import (
    LossMarks,
    draw_bands,
    draw_crosses,
    draw_evaluations,
    draw_notes,
    draw_start,
    say_bands,
    say_marks,
)
from analysis.charts.paths import PATH, lift_pen
from analysis.charts.step_axis import StepAxis
from analysis.charts.theme import Palette, axis, configure, zoom_of_steps
from analysis.curves import Curves

__all__ = ["LossLook", "LossMarks", "loss_curves"]

LOSS_SHARE, STRIP_FROM = 0.76, 0.84  # of the height: where the losses end and the learning rates begin
MOST_LABELS = 12  # ours: beyond that the ends of lines are texture


@dataclass(frozen=True)
class LossLook:
    """How a picture of losses is looked at.

    Attributes:
        axis: What the x-axis shows, as `analysis.curve_axis` names it.
        is_log_x: Whether the x-axis is logarithmic.
        is_linear: Whether the y-axis is linear although every loss is positive.
        is_whole: Whether no finite loss is cut off, however high.
        zoom: Part of the x-axis that is shown first, None for all.
        seen: Part of it that is on the screen now, at whose end labels stand; None for all.
        readings: What the crosshair says, as `analysis.readings.read_curves` returns it; None for no crosshair.
    """

    axis: str = curve_axis.STEP
    is_log_x: bool = False
    is_linear: bool = False
    is_whole: bool = False
    zoom: tuple[float, float] | None = None
    seen: tuple[float, float] | None = None
    readings: pd.DataFrame | None = None


def loss_curves(
    curves: Curves,
    marks: LossMarks,
    colors: Palette,
    lr: Curves | None = None,
    height: int = 320,
    title: str = "training loss",
    panels: Sequence[Curves] = (),
    can_zoom: bool = False,
    with_points: bool = False,
    look: LossLook | None = None,
) -> alt.LayerChart:
    """Draws loss against step, logarithmic unless a loss is zero or negative, raw.

    Args:
        curves: The losses.
        marks: Events, start, evaluations and comments.
        colors: Colors of the page.
        lr: Learning rates of the same runs and window, without medians, for a strip on the same steps; None: no strip.
        height: Height of the loss in pixels.
        title: Title of the y-axis.
        panels: Pictures that stand beside this one and share its y-axis.
        can_zoom: Whether the steps can be zoomed into.
        with_points: Whether every drawn loss is a dot too.
        look: How it is looked at; None: against the step, whole.
    """
    look = look or LossLook()
    has_strip = lr is not None and not lr.points.empty
    share = LOSS_SHARE if has_strip else 1.0
    x = StepAxis(look.axis, curves.window, look.is_log_x, look.zoom, not has_strip)
    y = LossAxis([curves, *panels], marks.start, height, share, look.is_linear, look.is_whole)
    lines = _lines(curves, x, y, title, colors)
    if with_points:
        lines.append(_points(curves, x, y, title, colors))
    zoom = [zoom_of_steps()] if can_zoom else []
    if look.readings is None:
        lines[-1] = lines[-1].add_params(*zoom)
    layers = [*draw_bands(marks, x, colors), *lines]
    layers += [*draw_start(marks, colors), *draw_evaluations(marks, y, colors)]
    if look.readings is not None:
        layers += crosshair(look.readings, x, colors, zoom)
    layers += draw_crosses(curves, y, colors)
    words = [*say_bands(marks, x, y, colors), *say_marks(marks, curves, x, y, colors)]
    layers += write_words(words, clip=can_zoom)
    layers += write_words(_end_labels(curves, marks, look.seen, y, colors), alt.XValue("width"))
    chart = alt.layer(*layers)
    if has_strip:
        apart = alt.Resolve(scale=alt.ScaleResolveMap(y=alt.ResolveMode("independent")))
        chart = alt.layer(chart, _strip(lr, x, colors), resolve=apart)
    if marks.notes:
        chart = alt.layer(chart, *draw_notes(marks.notes, colors))
    chart.height, chart.width = height, "container"
    return configure(chart, colors)


def _lines(curves: Curves, x: StepAxis, y: LossAxis, title: str, colors: Palette) -> list[alt.Chart]:
    """Draws each label in its color: seeds, and raw under smoothed lines, thin; the leading line thick.

    All lines of a label are one path: a browser takes as long for one path of each of 200 runs as for all else.
    """
    points, layers = _shown(curves, y), []
    at = "value" if points["shown"].equals(points["value"]) else "shown"
    color, thick = _color_of(points, colors), _thick(points)
    thin = points.drop(thick.index)
    for part, width, opacity in ((thin, 1, 0.45), (thick, 2.2, 1)):
        if len(part):
            own = lift_pen(part[list(dict.fromkeys(["label", "run_id", "step", x.field, "value", at]))], at)
            line = alt.Chart(own).mark_line(strokeWidth=width, opacity=opacity, **PATH)
            layers.append(line.encode(x=x.encode(), y=y.encode(title, at), color=color))
    return layers or [alt.Chart(points).mark_line().encode(x=x.encode(), y=y.encode(title))]


def _shown(curves: Curves, y: LossAxis) -> pd.DataFrame:
    """Returns the points with where they are shown: a zero stands at the bottom edge of a logarithmic axis."""
    shown = curves.points["value"].clip(lower=y.low) if y.is_log else curves.points["value"]
    return curves.points.assign(shown=shown)


def _points(curves: Curves, x: StepAxis, y: LossAxis, title: str, colors: Palette) -> alt.Chart:
    """Draws each loss as a dot that tells its numbers under the mouse."""
    points = _shown(curves, y)
    tip = [
        alt.Tooltip("label:N", title="run"),
        alt.Tooltip("step:Q", format=",d"),
        alt.Tooltip("value:Q", format=".3g"),
    ]
    own = points[~points["is_median"] & ~_is_smooth(points) & points["value"].notna()]
    own = own[["label", "step", "value", "shown", *([x.field] * (x.field != "step"))]]
    dots = alt.Chart(own).mark_point(size=36, opacity=1, filled=True, clip=True)
    return dots.encode(x=x.encode(), y=y.encode(title), tooltip=tip, color=_color_of(points, colors))


def _thick(points: pd.DataFrame) -> pd.DataFrame:
    """Returns the points of the thick lines: smoothed ones; else medians, and runs that are the only ones."""
    if _is_smooth(points).any():
        return points[_is_smooth(points)]
    has_median = set(points.loc[points["is_median"], "label"])
    return points[points["is_median"] | ~points["label"].isin(has_median)]


def _is_smooth(points: pd.DataFrame) -> pd.Series:
    return points["is_smooth"].astype(bool)


def _color_of(points: pd.DataFrame, colors: Palette) -> alt.Color:
    """Returns the color of each label, spelled out, so that no label changes its color when another leaves."""
    keys = points.drop_duplicates("label").sort_values("label")
    colored = [colors.line(state, shade) for state, shade in zip(keys["state"], keys["shade"], strict=True)]
    return alt.Color("label:N", scale=alt.Scale(domain=keys["label"].tolist(), range=colored), legend=None)


def _end_labels(
    curves: Curves, marks: LossMarks, seen: tuple[float, float] | None, y: LossAxis, colors: Palette
) -> list[Words]:
    """Writes the label of each line at its right end, pushed apart, in the color of the line."""
    ends = _thick(curves.points)
    ends = ends[ends["value"].notna()]
    ends = (ends[ends["at"] <= seen[1]] if seen else ends).groupby("label", as_index=False).last().head(MOST_LABELS)
    heights = spread([y.pixel(value) for value in ends["value"]], 6, y.height - 6)
    words = []
    for pixel, end in zip(heights, ends.itertuples(), strict=True):
        color = colors.muted if end.state == "control" else colors.line(end.state, end.shade)
        words.append(Words(0, y.value(pixel), shorten(end.label), color, "left", 8, 0, 600))
    if marks.start is not None:
        words.append(Words(0, marks.start, f"start {marks.start:.3g}", colors.ink, "right", -4, -8))
    return words


def _strip(lr: Curves, x: StepAxis, colors: Palette) -> alt.Chart:
    """Draws the learning rate of each run under the losses, on the same steps."""
    points = lr.points
    high = max(points["value"].max(), 0.0) or 1.0
    span = [alt.expr("height"), alt.expr(f"height * {STRIP_FROM}")]
    scale = alt.Scale(domain=[min(0.0, points["value"].min()), high * 1.1], nice=False, range=span)
    y = alt.Y("value:Q", scale=scale, axis=axis("lr", [0.0, high], orient="left"))
    own = _corners(points)[["label", "run_id", "step", "value", *([x.field] * (x.field != "step"))]]
    line = alt.Chart(lift_pen(own, "value")).mark_line(strokeWidth=1.6, **PATH)
    return line.encode(x=x.encode(), y=y, color=_color_of(points, colors))


def _corners(points: pd.DataFrame) -> pd.DataFrame:
    """Leaves out points between two of the same run and value, without which the line is the same."""
    is_flat = (points["run_id"] == points["run_id"].shift()) & (points["value"] == points["value"].shift())
    return points[~(is_flat & is_flat.shift(-1, fill_value=False))]
