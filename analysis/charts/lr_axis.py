"""The learning-rate axis (figures 4 and 7a of the playbook): final loss against base learning rate.

Dot: feasible. Ring: feasible, but the loss rose first. Cross at the top edge: infeasible, never dropped. Star: lr_star.
Amber region: unstable, from the geometric midpoint between the highest stable and the lowest unstable learning rate.
Hollow gray diamonds: another series, for control.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from analysis.charts.labels import (
    Box,
    LogScale,
    Words,
    log_domain,
    log_ticks,
    overlap,
    place_beside,
    shorten,
    write_words,
)
from analysis.charts.theme import CROSS, STAR, Palette, axis, configure
from analysis.lr_words import number
from analysis.results import LrSweep
from analysis.series import shorten_label

NOMINAL_WIDTH, AXIS_ROOM = 380, 48  # pixels of the picture that labels are placed for; of the x-axis below it
MOST_ABOVE_MEDIAN = 1e3  # ours: a feasible loss beyond that is drawn at the top edge
TOP, HEADROOM = 14, 1.9  # pixels below the top where crosses stand; domain above the highest finite mark
LINE_STEP = 8  # pixels
DRAWN_LAST = ("control", "feasible", "rose", "infeasible", "lr_star")


@dataclass(frozen=True)
class _Axes:
    """Where things stand: both scales, for placing words."""

    x: LogScale
    y: LogScale
    x_domain: tuple[float, float]
    y_domain: tuple[float, float]


def lr_axis(
    sweep: LrSweep,
    medians: pd.DataFrame,
    colors: Palette,
    controls: Sequence[LrSweep] = (),
    names: Mapping[str, str] | None = None,
    height: int = 320,
    links: Sequence[float] = (),
) -> alt.LayerChart:
    """Draws the final loss of every run against its base learning rate, both logarithmic.

    Args:
        sweep: The sweep in focus.
        medians: Median objective of the feasible runs per learning rate: base_lr, value.
        colors: Colors of the page.
        controls: Sweeps of other series.
        names: Names of runs for the tooltip, by run_id; the run_id where missing.
        height: Height in pixels.
        links: Learning rates to mark with a rule, for the loss pictures that stand beside.
    """
    marks = _marks(sweep, controls, names or {})
    axes = _axes(marks, height - AXIS_ROOM)
    top = axes.y.value(TOP)
    marks["shown"] = marks["loss"].where(marks["state"] != "infeasible", top).clip(upper=top)
    marks = pd.concat([marks, _star(sweep, medians)], ignore_index=True)
    marks = marks[(marks["lr"] > 0) & (marks["shown"] > 0)].join(_looks(colors), on="state")
    marks = marks.sort_values("state", key=lambda states: states.map(DRAWN_LAST.index), kind="stable")
    x = alt.X("lr:Q", scale=alt.Scale(type="log", domain=list(axes.x_domain), nice=False))
    x = x.axis(axis("learning rate", log_ticks(*axes.x_domain)))
    y = alt.Y("shown:Q", scale=alt.Scale(type="log", domain=list(axes.y_domain), nice=False))
    y = y.axis(axis(sweep.objective.replace("evaluation", "validation"), log_ticks(*axes.y_domain)))
    line = alt.Chart(medians[medians["value"] > 0].rename(columns={"base_lr": "lr", "value": "shown"}))
    layers = [*_region(sweep, axes, colors), *_rules(links, colors)]
    layers.append(line.mark_line(color=colors.feasible, strokeWidth=1.5, opacity=0.5).encode(x=x, y=y))
    layers.append(_draw_marks(marks, sweep, x, y))
    layers += write_words(_words(marks, medians, sweep, controls, axes, colors))
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _marks(sweep: LrSweep, controls: Sequence[LrSweep], names: Mapping[str, str]) -> pd.DataFrame:
    """Returns one row per run: where it stands and what the tooltip says."""
    rows = []
    for each in (sweep, *controls):
        for run in each.runs:
            is_number, is_own = math.isfinite(run.objective), each is sweep
            rows.append(
                {
                    "run": shorten(names.get(run.run_id, run.run_id)),
                    "run_id": run.run_id,
                    "lr": run.base_lr,
                    "loss": run.objective if is_number else math.nan,
                    "said": f"{run.objective:.3g}" if is_number else "not finite",
                    "state": run.state if is_own or run.state == "infeasible" else "control",
                    "reason": run.reason or "steady",
                    "is_own": is_own,
                }
            )
    return pd.DataFrame(rows)


def _star(sweep: LrSweep, medians: pd.DataFrame) -> pd.DataFrame:
    best = medians[medians["base_lr"] == sweep.lr_star].rename(columns={"base_lr": "lr", "value": "shown"})
    text = best["shown"].map(lambda value: f"{value:.3g}")
    return best.assign(run="median of seeds", said=text, state="lr_star", reason="best", is_own=True, run_id="")


def _axes(marks: pd.DataFrame, inner: float) -> _Axes:
    """Chooses both domains; a loss far above all others would flatten them, so it is cut off at the top edge."""
    lrs = marks["lr"][marks["lr"] > 0]
    x_domain = log_domain([*lrs, *([lrs.min() / 3, lrs.max() * 3] if lrs.max() < 3 * lrs.min() else [])], 0.1)
    losses = marks["loss"][(marks["state"] != "infeasible") & (marks["loss"] > 0)]
    low, high = log_domain(losses[losses <= MOST_ABOVE_MEDIAN * losses.median()].tolist())
    has_top = (marks["state"] == "infeasible").any() or (marks["loss"] > high).any()
    y_domain = (low, high * HEADROOM if has_top else high)
    return _Axes(LogScale(*x_domain, NOMINAL_WIDTH), LogScale(*y_domain, inner, upward=True), x_domain, y_domain)


def _looks(colors: Palette) -> pd.DataFrame:
    """Returns how each state is drawn, indexed by state."""
    rows = {
        "control": ("diamond", colors.control, "transparent", 42, 1.4),
        "feasible": ("circle", colors.feasible, colors.feasible, 64, 0),
        "rose": ("circle", colors.infeasible, colors.page, 60, 2.2),
        "infeasible": (CROSS, colors.infeasible, "transparent", 64, 2.4),
        "lr_star": (STAR, colors.star, colors.star_fill, 240, 1.2),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["shape", "stroke", "fill", "size", "stroke_width"])


def _draw_marks(marks: pd.DataFrame, sweep: LrSweep, x: alt.X, y: alt.Y) -> alt.Chart:
    def as_is(channel: type, field: str) -> alt.SchemaBase:
        return channel(field, scale=None, legend=None)

    tip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("lr:Q", title="learning rate", format="~g"),
        alt.Tooltip("said:N", title=sweep.objective),
        alt.Tooltip("reason:N", title="state"),
    ]
    pick = alt.selection_point(name="run", fields=["run_id"], empty=False)
    mark = alt.Chart(marks.drop(columns="loss")).mark_point(opacity=1, cursor="pointer").add_params(pick)
    return mark.encode(
        x=x,
        y=y,
        shape=as_is(alt.Shape, "shape:N"),
        stroke=as_is(alt.Stroke, "stroke:N"),
        fill=as_is(alt.Fill, "fill:N"),
        size=as_is(alt.Size, "size:Q"),
        strokeWidth=as_is(alt.StrokeWidth, "stroke_width:Q"),
        tooltip=tip,
    )


def _region(sweep: LrSweep, axes: _Axes, colors: Palette) -> list[alt.Chart]:
    """Shades the learning rates that are unstable."""
    if sweep.unstable_bracket is None:
        return []
    data = pd.DataFrame([{"x": math.sqrt(math.prod(sweep.unstable_bracket)), "x2": axes.x_domain[1]}])
    band = alt.Chart(data).mark_rect(color=colors.band, opacity=colors.band_opacity)
    return [band.encode(x=alt.X("x:Q"), x2=alt.X2("x2:Q"))]


def _rules(links: Sequence[float], colors: Palette) -> list[alt.Chart]:
    if not links:
        return []
    rule = alt.Chart(pd.DataFrame({"x": list(links)})).mark_rule(color=colors.ink, strokeWidth=1, opacity=0.35)
    return [rule.encode(x=alt.X("x:Q"))]


def _along(medians: pd.DataFrame, axes: _Axes) -> list[Box]:
    """Returns boxes along the line of medians, which words must not cross."""
    xs = [axes.x.pixel(lr) for lr in medians["base_lr"]]
    ys = [axes.y.pixel(max(value, axes.y_domain[0])) for value in medians["value"]]
    if len(xs) < 2:
        return []
    spots = np.arange(xs[0], xs[-1], LINE_STEP)
    return [(x, y - 2, x + LINE_STEP, y + 2) for x, y in zip(spots, np.interp(spots, xs, ys), strict=True)]


def _word_of_region(taken: list[Box], axes: _Axes, colors: Palette) -> tuple[Words, Box]:
    """Names the unstable region at its right edge, as low as no mark stands."""

    def box(low: float) -> Box:
        return NOMINAL_WIDTH - 64, low - 8, NOMINAL_WIDTH, low + 8

    heights = [axes.y.length - 10 - LINE_STEP * step for step in range(int(axes.y.length / 2 / LINE_STEP))]
    low = min(heights, key=lambda height: sum(overlap(box(height), other) for other in taken))
    return Words(axes.x_domain[1], axes.y.value(low), "unstable", colors.star, "right", -6), box(low)


def _words(
    marks: pd.DataFrame,
    medians: pd.DataFrame,
    sweep: LrSweep,
    controls: Sequence[LrSweep],
    axes: _Axes,
    colors: Palette,
) -> list[Words]:
    """Names each kind of mark once, beside one of its marks and clear of all of them."""
    own = marks[marks["is_own"]]
    wanted = [
        (f"best: {number(sweep.lr_star)}" if sweep.lr_star else "", own[own["state"] == "lr_star"], colors.ink, 600),
        ("infeasible", own[own["state"] == "infeasible"].tail(1), colors.infeasible, 400),
        ("rose first", own[own["state"] == "rose"].head(1), colors.infeasible, 400),
    ]
    if controls:
        name = shorten(shorten_label(controls[0].series, [sweep.series]).replace("=", " ").replace("_", " "), 24)
        wanted.append((f"{name}, control", marks[marks["state"] == "control"].head(1), colors.muted, 400))
    points = [(axes.x.pixel(lr), axes.y.pixel(y)) for lr, y in zip(marks["lr"], marks["shown"], strict=True)]
    taken = [(px - 5, py - 5, px + 5, py + 5) for px, py in points]
    taken += _along(medians, axes)
    words = []
    if sweep.unstable_bracket is not None:
        word, at = _word_of_region(taken, axes, colors)
        words.append(word)
        taken.append(at)
    for text, row, color, weight in wanted:
        if len(row):
            lr, shown = float(row["lr"].iloc[0]), float(row["shown"].iloc[0])
            point = (axes.x.pixel(lr), axes.y.pixel(shown))
            dx, dy, align = place_beside(point, text, (NOMINAL_WIDTH, axes.y.length), taken)
            away = 3 * (weight > 400) * (dx > 0) - 3 * (weight > 400) * (dx < 0)  # a star is wider than a dot
            words.append(Words(lr, shown, text, color, align, dx + away, dy, weight))
    return words
