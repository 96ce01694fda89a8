"""Marks on a picture of losses: events, start, evaluations, crosses, comments; and the words beside them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from analysis.charts.labels import Words, shorten, spread
from analysis.charts.loss_axis import LossAxis
from analysis.charts.step_axis import StepAxis
from analysis.charts.theme import CROSS, DASH, Palette
from analysis.curves import Curves
from analysis.focus import Band
from analysis.lr_words import say_times
from analysis.not_finite import Lost

MOST_BANDS, MOST_TRIANGLES, MOST_CROSSES = 12, 60, 200  # ours: beyond that a picture shows texture, not events
MOST_TOLD = 3  # ours: a fourth label of its kind is read by nobody
ROW = 16  # pixels between two labels on top of bands


@dataclass(frozen=True)
class LossMarks:
    """What is marked on a picture of losses, in units of its x-axis.

    Attributes:
        bands: Events.
        start: Loss at the start, None where unknown.
        evaluations: Where evaluations stand.
        notes: Comments: where each stands and what it says.
        with_cost: Whether words tell what events cost.
    """

    bands: Sequence[Band] = ()
    start: float | None = None
    evaluations: Sequence[float] = ()
    notes: Sequence[tuple[float, str]] = ()
    with_cost: bool = False


def draw_bands(marks: LossMarks, x: StepAxis, colors: Palette) -> list[alt.Chart]:
    """Shades each event from onset to recovery."""
    if not marks.bands:
        return []
    table = pd.DataFrame(_spans(marks.bands[:MOST_BANDS], x), columns=["x", "x2"])
    rect = alt.Chart(table).mark_rect(color=colors.band, opacity=colors.band_opacity, clip=True)
    return [rect.encode(x=alt.X("x:Q"), x2=alt.X2("x2:Q"))]


def _spans(bands: Sequence[Band], x: StepAxis) -> list[tuple[float, float]]:
    (lo, hi), half = x.window, 0.5 if x.field == "step" else 0.0
    return [(max(band.first_step - half, lo), min(band.last_step + half, hi)) for band in bands]


def say_bands(marks: LossMarks, x: StepAxis, y: LossAxis, colors: Palette) -> list[Words]:
    """Says beside the highest event how far it rose, and, where asked for, what the costliest events cost."""
    bands = marks.bands[:MOST_BANDS]
    risen = [band for band in bands if math.isfinite(band.times)]
    highest = max(risen, key=lambda band: band.times, default=None)
    told = [(highest, say_rise(highest))] if highest else []
    if marks.with_cost:
        costly = sorted(bands, key=lambda band: -band.cost_steps)[:MOST_TOLD]
        told += [(band, say_cost(band)) for band in costly]
    told.sort(key=lambda pair: pair[0].first_step)
    return [_word(band, text, y.value(14 + ROW * row), x, colors) for row, (band, text) in enumerate(told)]


def say_rise(band: Band) -> str:
    """Says how far the highest event rose."""
    return f"up to {say_times(band.times)} times its {'start' if band.kind == 'early' else 'level before'}"


def say_cost(band: Band) -> str:
    """Says how many steps an event cost, or that the run has not come back.

    >>> say_cost(Band(3, 9, 2.0, 1, "early", 6)), say_cost(Band(3, 99, 2.0, 2, "early", 96, is_over=False))
    ('costs 6 steps', 'not back after 96 steps')
    """
    steps = f"{band.cost_steps:,} step{'s' * (band.cost_steps != 1)}"
    if not band.is_over:
        return f"not back after {steps}"
    return f"costs {'up to ' * (band.num_runs > 1)}{steps}"


def _word(band: Band, text: str, at: float, x: StepAxis, colors: Palette) -> Words:
    ((first, last),) = _spans([band], x)
    if x.share(last) < 0.7:
        return Words(last, at, text, colors.star, "left", 6)
    if x.share(first) > 0.3:
        return Words(first, at, text, colors.star, "right", -6)
    return Words((first + last) / 2, at, text, colors.star, "center")


def draw_start(marks: LossMarks, colors: Palette) -> list[alt.Chart]:
    """Draws the loss at the start."""
    if marks.start is None:
        return []
    data = alt.Chart(pd.DataFrame([{"value": marks.start}]))
    return [data.mark_rule(color=colors.ink, strokeDash=DASH, strokeWidth=1.2).encode(y=alt.Y("value:Q"))]


def draw_evaluations(marks: LossMarks, y: LossAxis, colors: Palette) -> list[alt.Chart]:
    """Draws a triangle at each evaluation, and a rule at the first."""
    if not len(marks.evaluations):
        return []
    every = max(1, len(marks.evaluations) // MOST_TRIANGLES)
    table = pd.DataFrame({"step": list(marks.evaluations[::every]), "at": y.value(y.height - 6)})
    triangles = alt.Chart(table).mark_point(shape="triangle-up", size=44, filled=True, opacity=1, clip=True)
    first = alt.Chart(table.head(1)).mark_rule(strokeWidth=1, opacity=0.35, clip=True)
    ink = alt.ColorValue(colors.ink)
    return [triangles.encode(x=alt.X("step:Q"), y=alt.Y("at:Q"), color=ink), first.encode(x=alt.X("step:Q"), color=ink)]


def draw_crosses(curves: Curves, y: LossAxis, colors: Palette) -> list[alt.Chart]:
    """Marks the last finite step before every stretch that is not finite; a smaller cross where the run came back."""
    layers = []
    for lost, size in ((curves.lost, 64), (curves.gaps[:MOST_CROSSES], 36)):
        if not lost:
            continue
        table = pd.DataFrame(
            {
                "run": [shorten(each.label) for each in lost],
                "step": [each.last_step for each in lost],
                "at": [at_of(each) for each in lost],
                "from": [each.lost_from for each in lost],
                "value": [y.inside(each.last_value) for each in lost],
                "said": [say_lost(each) for each in lost],
            }
        )
        tip = [alt.Tooltip("run:N"), alt.Tooltip("said:N", title="loss")]
        cross = {"shape": CROSS, "size": size, "strokeWidth": 2.4, "filled": False, "stroke": colors.infeasible}
        mark = alt.Chart(table).mark_point(opacity=1, clip=True, **cross)
        layers.append(mark.encode(x=alt.X("at:Q"), y=alt.Y("value:Q"), tooltip=tip))
    return layers


def say_lost(lost: Lost) -> str:
    """Says which steps are not finite."""
    if lost.until is None:
        return f"not finite from step {lost.lost_from:,}"
    if lost.until == lost.lost_from:
        return f"not finite at step {lost.lost_from:,}"
    return f"not finite at steps {lost.lost_from:,} to {lost.until:,}"


def at_of(lost: Lost) -> float:
    """Returns where the last finite step stands on the x-axis."""
    return lost.last_step if lost.at is None else lost.at


def say_marks(marks: LossMarks, curves: Curves, x: StepAxis, y: LossAxis, colors: Palette) -> list[Words]:
    """Names the first evaluation, and the steps from which the first lost runs are not finite."""
    words = []
    if len(marks.evaluations) and x.share(marks.evaluations[0]) > 0.25:
        at = y.value(y.height - 6)
        words.append(Words(marks.evaluations[0], at, "first evaluation", colors.ink, "right", -8))
    told = [*curves.lost, *curves.gaps][:MOST_TOLD]
    top = 28 + ROW * (MOST_TOLD + 1) * (marks.with_cost and len(marks.bands) > 0)  # below the words on bands
    heights = spread([y.pixel(y.inside(lost.last_value)) for lost in told], top, y.height - 8)
    for lost, pixel in zip(told, heights, strict=True):
        align, dx = ("right", -10) if x.share(at_of(lost)) > 0.6 else ("left", 10)
        words.append(Words(at_of(lost), y.value(pixel), say_lost(lost), colors.infeasible, align, dx))
    return words


def draw_notes(notes: Sequence[tuple[float, str]], colors: Palette) -> list[alt.Chart]:
    """Draws a small number on the x-axis for each comment, which the mouse over it tells."""
    if not notes:
        return []
    table = pd.DataFrame(
        {
            "at": [float(at) for at, _ in notes],
            "number": [str(index) for index, _ in enumerate(notes, 1)],
            "said": [shorten(text, 120) for _, text in notes],
        }
    )
    tip = [alt.Tooltip("number:N", title="comment"), alt.Tooltip("said:N", title="says")]
    data = alt.Chart(table).encode(x=alt.X("at:Q"), y=alt.YValue("height"), tooltip=tip)
    disc = data.mark_point(shape="circle", size=230, filled=True, opacity=1, yOffset=-10, clip=True)
    number = data.mark_text(fontSize=11, fontWeight=600, yOffset=-10, clip=True)
    return [
        disc.encode(color=alt.ColorValue(colors.star)),
        number.encode(text=alt.Text("number:N"), color=alt.ColorValue(colors.page)),
    ]
