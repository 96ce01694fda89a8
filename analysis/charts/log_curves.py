"""Curves with both axes logarithmic (figure 6 of the playbook): steps are counted from 1, for 0 has no logarithm.

Thick line: median of seeds, or the only run of its kind. Cross: last finite step of a run.
"""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from analysis.charts.crosshair import read_lines, tell
from analysis.charts.labels import LogScale, Words, log_domain, log_ticks, shorten, spread, write_words
from analysis.charts.paths import PATH, lift_pen
from analysis.charts.theme import CROSS, Palette, axis, configure
from analysis.curves import Curves

AXIS_ROOM = 48  # pixels that the x-axis takes of the height of a chart


def log_curves(
    curves: Curves, title: str, colors: Palette, height: int = 320, most: float | None = None
) -> alt.LayerChart:
    """Draws the curves of runs against the step, both logarithmic.

    Args:
        curves: What is drawn; values of 0 or below stand at the bottom edge.
        title: Title of the y-axis.
        colors: Colors of the page.
        height: Height in pixels.
        most: Values above are cut off; None: none are.
    """
    points = curves.points.assign(at=curves.points["step"] + 1, shown=curves.points["value"])
    if most is not None:
        points["shown"] = points["shown"].clip(upper=most)
    low, high = log_domain(points.loc[points["shown"] > 0, "shown"].tolist(), 0.06)
    points["shown"] = points["shown"].clip(lower=low)
    y_scale = LogScale(low, high, height - AXIS_ROOM, upward=True)
    x = alt.X("at:Q", scale=alt.Scale(type="log", domain=[1, curves.window[1] + 1], nice=False))
    x = x.axis(axis("step, counted from 1", log_ticks(1, curves.window[1] + 1), ",d"))
    y = alt.Y(
        "shown:Q", scale=alt.Scale(type="log", domain=[low, high], nice=False), axis=axis(title, log_ticks(low, high))
    )
    keys = points.drop_duplicates("label").sort_values("label")
    colored = [colors.line(state, shade) for state, shade in zip(keys["state"], keys["shade"], strict=True)]
    color = alt.Color("label:N", scale=alt.Scale(domain=keys["label"].tolist(), range=colored), legend=None)
    layers = [*_lines(points, x, y, color), *_crosses(curves, x, y, y_scale, colors)]
    layers += write_words(_end_labels(points, y_scale, colors), alt.XValue("width"))
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _lines(points: pd.DataFrame, x: alt.X, y: alt.Y, color: alt.Color) -> list[alt.Chart]:
    thick, layers = _thick(points), []
    for part, width, opacity in ((points.drop(thick.index), 1, 0.45), (thick, 2.2, 1)):
        if len(part):
            line = alt.Chart(lift_pen(part, "shown")).mark_line(strokeWidth=width, opacity=opacity, **PATH)
            layers.append(line.encode(x=x, y=y, color=color))
    said = read_lines(thick, "at", "label", "value")
    return [*layers, tell(said, alt.Tooltip("at:Q", title="step, counted from 1", format=",d"))]


def _thick(points: pd.DataFrame) -> pd.DataFrame:
    """Returns the points of the thick lines: medians, and runs that are the only ones of their label."""
    has_median = set(points.loc[points["is_median"], "label"])
    return points[points["is_median"] | ~points["label"].isin(has_median)]


def _crosses(curves: Curves, x: alt.X, y: alt.Y, scale: LogScale, colors: Palette) -> list[alt.Chart]:
    lost = [each for each in curves.lost if each.last_value > 0]
    if not lost:
        return []
    top = scale.value(0)
    rows = [{"at": each.last_step + 1, "shown": min(each.last_value, top), "from": each.lost_from} for each in lost]
    cross = {"shape": CROSS, "size": 64, "strokeWidth": 2.4, "filled": False, "stroke": colors.infeasible}
    tip = [alt.Tooltip("from:Q", title="not finite from step", format=",d")]
    return [alt.Chart(pd.DataFrame(rows)).mark_point(opacity=1, **cross).encode(x=x, y=y, tooltip=tip)]


def _end_labels(points: pd.DataFrame, scale: LogScale, colors: Palette) -> Sequence[Words]:
    ends = _thick(points)
    ends = ends[ends["shown"].notna()].groupby("label", as_index=False, sort=False).last()
    heights = spread([scale.pixel(value) for value in ends["shown"]], 6, scale.length - 6)
    return [
        Words(0, scale.value(pixel), shorten(end.label), colors.line(end.state, end.shade), "left", 8, 0, 600)
        for pixel, end in zip(heights, ends.itertuples(), strict=True)
    ]
