"""The loss over steps (figures 5 and 7b of the playbook), raw, with its events and what evaluations could see of it.

Thick line: median of seeds, or the only run of its kind; thin lines: seeds. Amber band: steps in which the loss of a
run went up. Dashed rule: loss at the start. Triangles on the axis: evaluations. Cross: last finite step of a run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from analysis.charts.labels import Words, shorten, spread, write_words
from analysis.charts.loss_axis import LossAxis
from analysis.charts.theme import CROSS, DASH, Palette, axis, configure, zoom_of_steps
from analysis.curves import Curves
from analysis.focus import Band
from analysis.lr_words import say_times

LOSS_SHARE, STRIP_FROM = 0.76, 0.84  # of the height: where the losses end and the learning rates begin
MOST_BANDS, MOST_LABELS, MOST_TRIANGLES, MOST_LOST_TOLD = (
    12,
    12,
    60,
    3,
)  # ours: beyond that a picture shows texture, not events


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
    curves: Curves,
    marks: LossMarks,
    colors: Palette,
    lr: Curves | None = None,
    height: int = 320,
    title: str = "training loss",
    panels: Sequence[Curves] = (),
    can_zoom: bool = False,
    with_points: bool = False,
) -> alt.LayerChart:
    """Draws loss against step, logarithmic unless a loss is zero or negative, raw.

    Args:
        curves: The losses.
        marks: Events, start and evaluations.
        colors: Colors of the page.
        lr: Learning rates of the same runs and window, for a strip below on the same steps; None: no strip.
        height: Height of the loss in pixels.
        title: Title of the y-axis.
        panels: Pictures that stand beside this one and share its y-axis.
        can_zoom: Whether the steps can be zoomed into.
        with_points: Whether every drawn loss is a dot too.
    """
    has_strip = lr is not None and not lr.points.empty
    y = LossAxis([curves, *panels], marks.start, height, LOSS_SHARE if has_strip else 1.0)
    layers = [
        *_bands(marks, curves, colors),
        *_lines(curves, y, title, colors, can_zoom, with_points),
        *_start(marks, colors),
    ]
    layers += [*_evaluations(marks, y, colors), *_crosses(curves, y, colors)]
    layers += write_words([*_words_on_bands(marks, curves, y, colors), *_words_on_marks(marks, curves, y, colors)])
    layers += write_words(_end_labels(curves, marks, y, colors), alt.value("width"))
    chart = alt.layer(*layers)
    if has_strip:
        chart = alt.layer(chart, _strip(lr, colors)).resolve_scale(y="independent")
    return configure(chart.properties(height=height, width="container"), colors)


def _step(window: tuple[int, int]) -> alt.X:
    scale = alt.Scale(domain=list(window), nice=False)
    return alt.X("step:Q", scale=scale, axis=axis("step", number_format=",d"))


def _lines(
    curves: Curves, axis_: LossAxis, title: str, colors: Palette, can_zoom: bool, with_points: bool
) -> list[alt.Chart]:
    """Draws each label in its color: seeds thin, their median thick; a point under the mouse tells its numbers."""
    points, layers, y = curves.points.assign(shown=curves.points["value"]), [], axis_.encode(title)
    if axis_.is_log:
        points["shown"] = points["value"].clip(lower=axis_.low)  # a zero stands at the bottom edge
    color, x, thick = _color_of(points, colors), _step(curves.window), _thick(points)
    for part, width, opacity in ((points.drop(thick.index), 1, 0.45), (thick, 2.2, 1)):
        if len(part):
            line = alt.Chart(part).mark_line(strokeWidth=width, opacity=opacity, clip=True, strokeJoin="round")
            layers.append(line.encode(x=x, y=y, color=color, detail=["label:N", "run_id:N"]))
    tip = [
        alt.Tooltip("label:N", title="run"),
        alt.Tooltip("step:Q", format=",d"),
        alt.Tooltip("value:Q", format=".3g"),
    ]
    own = points[~points["is_median"] & points["value"].notna()]
    hover = alt.Chart(own[["label", "step", "value", "shown"]])
    hover = hover.mark_point(size=36, opacity=float(with_points), filled=True, clip=True)
    hover = hover.encode(x=x, y=y, tooltip=tip, **({"color": color} if with_points else {}))
    return [*layers, hover.add_params(zoom_of_steps()) if can_zoom else hover]


def _thick(points: pd.DataFrame) -> pd.DataFrame:
    """Returns the points of the thick lines: medians, and runs that are the only ones of their label."""
    has_median = set(points.loc[points["is_median"], "label"])
    return points[points["is_median"] | ~points["label"].isin(has_median)]


def _color_of(points: pd.DataFrame, colors: Palette) -> alt.Color:
    """Returns the color of each label, spelled out, so that no label changes its color when another leaves."""
    keys = points.drop_duplicates("label").sort_values("label")
    colored = [colors.line(state, shade) for state, shade in zip(keys["state"], keys["shade"], strict=True)]
    return alt.Color("label:N", scale=alt.Scale(domain=keys["label"].tolist(), range=colored), legend=None)


def _spans(marks: LossMarks, window: tuple[int, int]) -> list[tuple[float, float]]:
    lo, hi = window
    return [(max(band.first_step - 0.5, lo), min(band.last_step + 0.5, hi)) for band in marks.bands[:MOST_BANDS]]


def _bands(marks: LossMarks, curves: Curves, colors: Palette) -> list[alt.Chart]:
    if not marks.bands:
        return []
    table = pd.DataFrame(_spans(marks, curves.window), columns=["x", "x2"])
    rect = alt.Chart(table).mark_rect(color=colors.band, opacity=colors.band_opacity, clip=True)
    return [rect.encode(x="x:Q", x2="x2:Q")]


def _words_on_bands(marks: LossMarks, curves: Curves, y: LossAxis, colors: Palette) -> list[Words]:
    """Says beside the highest event how far it rose."""
    bands = [band for band in marks.bands[:MOST_BANDS] if math.isfinite(band.times)]
    if not bands:
        return []
    highest = max(bands, key=lambda band: band.times)
    first, last = _spans(LossMarks([highest]), curves.window)[0]
    lo, hi = curves.window
    text = f"up to {say_times(highest.times)} times its {'start' if highest.kind == 'early' else 'level before'}"
    at = y.value(14)
    if last < lo + 0.7 * (hi - lo):
        return [Words(last, at, text, colors.star, "left", 6)]
    if first > lo + 0.3 * (hi - lo):
        return [Words(first, at, text, colors.star, "right", -6)]
    return [Words((first + last) / 2, at, text, colors.star, "center")]


def _start(marks: LossMarks, colors: Palette) -> list[alt.Chart]:
    if marks.start is None:
        return []
    data = alt.Chart(pd.DataFrame([{"value": marks.start}]))
    return [data.mark_rule(color=colors.ink, strokeDash=DASH, strokeWidth=1.2).encode(y="value:Q")]


def _evaluations(marks: LossMarks, y: LossAxis, colors: Palette) -> list[alt.Chart]:
    if not marks.evaluations:
        return []
    every = max(1, len(marks.evaluations) // MOST_TRIANGLES)
    table = pd.DataFrame({"step": list(marks.evaluations[::every]), "at": y.value(y.height - 6)})
    triangles = alt.Chart(table).mark_point(shape="triangle-up", size=44, filled=True, opacity=1, clip=True)
    first = alt.Chart(table.head(1)).mark_rule(strokeWidth=1, opacity=0.35, clip=True)
    ink = alt.value(colors.ink)
    return [triangles.encode(x="step:Q", y="at:Q", color=ink), first.encode(x="step:Q", color=ink)]


def _crosses(curves: Curves, y: LossAxis, colors: Palette) -> list[alt.Chart]:
    """Marks the last finite step of every run that is lost."""
    if not curves.lost:
        return []
    table = pd.DataFrame(
        {
            "run": [shorten(lost.label) for lost in curves.lost],
            "step": [lost.last_step for lost in curves.lost],
            "from": [lost.lost_from for lost in curves.lost],
            "value": [y.inside(lost.last_value) for lost in curves.lost],
        }
    )
    tip = ["run:N", alt.Tooltip("from:Q", title="not finite from step", format=",d")]
    cross = {"shape": CROSS, "size": 64, "strokeWidth": 2.4, "filled": False, "stroke": colors.infeasible}
    return [alt.Chart(table).mark_point(opacity=1, **cross).encode(x="step:Q", y="value:Q", tooltip=tip)]


def _words_on_marks(marks: LossMarks, curves: Curves, y: LossAxis, colors: Palette) -> list[Words]:
    """Names the first evaluation, and the steps from which the first lost runs are not finite."""
    lo, hi = curves.window
    words = []
    if marks.evaluations and marks.evaluations[0] > lo + 0.25 * (hi - lo):
        at = y.value(y.height - 6)
        words.append(Words(marks.evaluations[0], at, "first evaluation", colors.ink, "right", -8))
    told = curves.lost[:MOST_LOST_TOLD]
    heights = spread([y.pixel(y.inside(lost.last_value)) for lost in told], 28, y.height - 8)
    for lost, pixel in zip(told, heights, strict=True):
        align, dx = ("right", -10) if lost.last_step > lo + 0.6 * (hi - lo) else ("left", 10)
        text = f"not finite from step {lost.lost_from:,}"
        words.append(Words(lost.last_step, y.value(pixel), text, colors.infeasible, align, dx))
    return words


def _end_labels(curves: Curves, marks: LossMarks, y: LossAxis, colors: Palette) -> list[Words]:
    """Writes the label of each line at its right end, pushed apart, in the color of the line."""
    ends = _thick(curves.points)
    ends = ends[ends["value"].notna()].groupby("label", as_index=False).last().head(MOST_LABELS)
    heights = spread([y.pixel(value) for value in ends["value"]], 6, y.height - 6)
    words = []
    for pixel, end in zip(heights, ends.itertuples(), strict=True):
        color = colors.muted if end.state == "control" else colors.line(end.state, end.shade)
        words.append(Words(0, y.value(pixel), shorten(end.label), color, "left", 8, 0, 600))
    if marks.start is not None:
        words.append(Words(0, marks.start, f"start {marks.start:.3g}", colors.ink, "right", -4, -8))
    return words


def _strip(lr: Curves, colors: Palette) -> alt.Chart:
    """Draws the learning rate of each run under the losses, on the same steps."""
    points = lr.points[~lr.points["is_median"]]
    high = max(points["value"].max(), 0.0) or 1.0
    span = [alt.expr("height"), alt.expr(f"height * {STRIP_FROM}")]
    scale = alt.Scale(domain=[min(0.0, points["value"].min()), high * 1.1], nice=False, range=span)
    y = alt.Y("value:Q", scale=scale, axis=axis("lr", [0.0, high], orient="left"))
    line = alt.Chart(points).mark_line(strokeWidth=1.6, clip=True)
    return line.encode(x=_step(lr.window), y=y, color=_color_of(points, colors), detail=["label:N", "run_id:N"])
