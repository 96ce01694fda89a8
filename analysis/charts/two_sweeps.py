"""Two series on one learning-rate axis (figures 4 and 8 of the playbook): their best rates, infeasible runs and edges.

The series in focus has the colors of its states, the other one is gray. Dashed rule: the lowest unstable learning rate
of a series. Arrow: from the edge of the other series to that of the one in focus.
"""

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from analysis.charts.labels import LogScale, log_domain, log_ticks, shorten, write_words
from analysis.charts.theme import CROSS, DASH, STAR, Palette, axis, configure
from analysis.charts.two_sweeps_words import WIDTHS, Side, write_sides
from analysis.focus import median_objectives
from analysis.results import LrSweep

AXIS_ROOM = 48  # pixels that the x-axis takes of the height
CROSS_ROWS = {True: 14, False: 32}  # pixels below the top: crosses of the series in focus, and of the other
MOST_ABOVE_MEDIAN, HEADROOM = 1e3, 46  # ours: a loss beyond is cut off; pixels above the highest mark, for crosses
ROOM_BELOW = 34  # pixels below the lowest mark, for the words of the edges
DRAWN_LAST = ("feasible", "rose", "infeasible", "lr_star")


def two_sweeps(
    focus: LrSweep,
    other: LrSweep,
    names: tuple[str, str],
    colors: Palette,
    run_names: Mapping[str, str],
    height: int = 380,
    links: Sequence[float] = (),
    with_arrow: bool = False,
) -> alt.LayerChart:
    """Draws the final loss of every run of two series against its base learning rate, both logarithmic.

    Args:
        focus: The series in focus.
        other: The series to compare with.
        names: What the two are called.
        colors: Colors of the page.
        run_names: Names of runs for the tooltip, by run_id.
        height: Height in pixels.
        links: Learning rates to mark with a rule, for loss pictures that stand below.
        with_arrow: Whether an arrow leads from one edge to the other.
    """
    sides = [Side(other, shorten(names[1], 28), False), Side(focus, shorten(names[0], 28), True)]
    marks = pd.concat([_marks(side, run_names) for side in sides], ignore_index=True)
    scales = _scales(marks, height - AXIS_ROOM)
    marks = _place(marks, sides, scales[1], colors)
    x, y = _channels(scales, focus.objective)
    layers = [*_links(links, colors), *_edges(sides, colors)]
    layers += [line for side in sides for line in _line(side, x, y, colors)]
    layers.append(_draw(marks, x, y, focus.objective))
    layers += _arrow(sides, scales, colors) if with_arrow else []
    layers += write_words(write_sides(sides, marks, scales, colors))
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _marks(side: Side, run_names: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        {
            "series": side.name,
            "run": shorten(run_names.get(run.run_id, run.run_id)),
            "lr": run.base_lr,
            "loss": run.objective if math.isfinite(run.objective) else math.nan,
            "said": f"{run.objective:.3g}" if math.isfinite(run.objective) else "not finite",
            "state": run.state,
            "reason": run.reason or "steady",
            "is_focus": side.is_focus,
        }
        for run in side.sweep.runs
    ]
    return pd.DataFrame(rows)


def _star(side: Side) -> pd.DataFrame:
    medians = median_objectives(side.sweep)
    best = medians[medians["base_lr"] == side.sweep.lr_star].rename(columns={"base_lr": "lr", "value": "shown"})
    said = best["shown"].map(lambda value: f"{value:.3g}")
    facts = {"series": side.name, "run": "median of seeds", "state": "lr_star", "reason": "best"}
    return best.assign(said=said, is_focus=side.is_focus, **facts)


def _scales(marks: pd.DataFrame, inner: float) -> tuple[LogScale, LogScale]:
    """Chooses both domains, with room for two rows of crosses at the top."""
    lrs = marks["lr"][marks["lr"] > 0]
    low, high = log_domain(lrs.tolist(), 0.1)
    losses = marks["loss"][(marks["state"] != "infeasible") & (marks["loss"] > 0)]
    bottom, top = log_domain(losses[losses <= MOST_ABOVE_MEDIAN * losses.median()].tolist(), 0.04)
    a_pixel = (top / bottom) ** (1 / (inner - HEADROOM - ROOM_BELOW))
    y = LogScale(bottom / a_pixel**ROOM_BELOW, top * a_pixel**HEADROOM, inner, upward=True)
    return LogScale(low, high, WIDTHS[-1]), y


def _place(marks: pd.DataFrame, sides: Sequence[Side], y: LogScale, colors: Palette) -> pd.DataFrame:
    """Returns the marks that have a place on the axes and the stars, with their looks, those on top last."""
    marks = marks.assign(shown=[_stand(row, y) for row in marks.itertuples()])
    marks = pd.concat([marks, *(_star(side) for side in sides)], ignore_index=True)
    marks = marks[(marks["lr"] > 0) & (marks["shown"] > 0)].join(_looks(colors), on=["is_focus", "state"])
    order = marks["is_focus"] * 10 + marks["state"].map(DRAWN_LAST.index)
    return marks.iloc[order.argsort(kind="stable")]


def _stand(row, y: LogScale) -> float:
    """Returns where a run stands: its loss, or the row of crosses of its series."""
    top = y.value(CROSS_ROWS[row.is_focus])
    return top if row.state == "infeasible" or math.isnan(row.loss) else min(row.loss, top)


def _looks(colors: Palette) -> pd.DataFrame:
    """Returns how each state of each series is drawn, indexed by whether it is in focus and by state."""
    rows = {
        (True, "feasible"): ("circle", colors.feasible, colors.feasible, 64, 0),
        (True, "rose"): ("circle", colors.infeasible, colors.page, 60, 2.2),
        (True, "infeasible"): (CROSS, colors.infeasible, "transparent", 64, 2.4),
        (True, "lr_star"): (STAR, colors.star, colors.star_fill, 240, 1.2),
        (False, "feasible"): ("diamond", colors.control, colors.page, 42, 1.4),
        (False, "rose"): ("circle", colors.control, colors.page, 60, 2.2),
        (False, "infeasible"): (CROSS, colors.control, "transparent", 64, 2.4),
        (False, "lr_star"): (STAR, colors.control, colors.page, 240, 1.8),
    }
    columns = ["shape", "stroke", "fill", "size", "stroke_width"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.set_axis(pd.MultiIndex.from_tuples(rows, names=["is_focus", "state"]))


def _channels(scales: tuple[LogScale, LogScale], objective: str) -> tuple[alt.X, alt.Y]:
    ends = [(math.exp(scale.low), math.exp(scale.high)) for scale in scales]
    x = alt.X("lr:Q", scale=alt.Scale(type="log", domain=list(ends[0]), nice=False))
    y = alt.Y("shown:Q", scale=alt.Scale(type="log", domain=list(ends[1]), nice=False))
    title = objective.replace("evaluation", "validation")
    return x.axis(axis("learning rate", log_ticks(*ends[0], most=7))), y.axis(axis(title, log_ticks(*ends[1])))


def _line(side: Side, x: alt.X, y: alt.Y, colors: Palette) -> list[alt.Chart]:
    medians = median_objectives(side.sweep)
    table = medians[medians["value"] > 0].rename(columns={"base_lr": "lr", "value": "shown"})
    color = colors.feasible if side.is_focus else colors.control
    return (
        [alt.Chart(table).mark_line(color=color, strokeWidth=1.8, opacity=0.7).encode(x=x, y=y)] if len(table) else []
    )


def _draw(marks: pd.DataFrame, x: alt.X, y: alt.Y, objective: str) -> alt.Chart:
    def as_is(channel: type, field: str) -> alt.SchemaBase:
        return channel(field, scale=None, legend=None)

    tip = [
        alt.Tooltip("series:N"),
        alt.Tooltip("run:N"),
        alt.Tooltip("lr:Q", title="learning rate", format="~g"),
        alt.Tooltip("said:N", title=objective),
        alt.Tooltip("reason:N", title="state"),
    ]
    look = {
        "shape": as_is(alt.Shape, "shape:N"),
        "stroke": as_is(alt.Stroke, "stroke:N"),
        "fill": as_is(alt.Fill, "fill:N"),
        "size": as_is(alt.Size, "size:Q"),
        "strokeWidth": as_is(alt.StrokeWidth, "stroke_width:Q"),
    }
    return alt.Chart(marks.drop(columns="loss")).mark_point(opacity=1).encode(x=x, y=y, tooltip=tip, **look)


def _links(links: Sequence[float], colors: Palette) -> list[alt.Chart]:
    if not links:
        return []
    rule = alt.Chart(pd.DataFrame({"lr": list(links)})).mark_rule(color=colors.ink, strokeWidth=1, opacity=0.35)
    return [rule.encode(x=alt.X("lr:Q"))]


def _edges(sides: Sequence[Side], colors: Palette) -> list[alt.Chart]:
    rows = [
        {"lr": side.sweep.unstable_base_lr, "color": colors.star if side.is_focus else colors.muted}
        for side in sides
        if side.sweep.unstable_base_lr is not None
    ]
    if not rows:
        return []
    rule = alt.Chart(pd.DataFrame(rows)).mark_rule(strokeDash=DASH, strokeWidth=1.4)
    return [rule.encode(x=alt.X("lr:Q"), color=alt.Color("color:N", scale=None, legend=None))]


def _arrow(sides: Sequence[Side], scales: tuple[LogScale, LogScale], colors: Palette) -> list[alt.Chart]:
    """Draws the way of the edge, a little above the bottom."""
    edges = [side.sweep.unstable_base_lr for side in sides]
    if None in edges or edges[0] == edges[1]:
        return []
    at = scales[1].value(scales[1].length - 21)
    row = pd.DataFrame([{"lr": edges[0], "to": edges[1], "shown": at, "angle": 90 if edges[1] > edges[0] else 270}])
    rule = alt.Chart(row).mark_rule(color=colors.ink, strokeWidth=1.4)
    head = alt.Chart(row).mark_point(shape="triangle", size=60, filled=True, color=colors.ink, opacity=1)
    y = alt.Y("shown:Q")
    moved = rule.encode(x=alt.X("lr:Q"), x2=alt.X2("to:Q"), y=y)
    return [moved, head.encode(x=alt.X("to:Q"), y=y, angle=alt.Angle("angle:Q", scale=None))]
