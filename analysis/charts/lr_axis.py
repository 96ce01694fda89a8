"""The learning-rate axis (figures 4 and 7a of the playbook): final loss against base learning rate.

Dot: feasible. Ring: feasible, but the loss rose first. Cross at the top edge: infeasible, never dropped. Star: lr_star.
Amber region: unstable, from the geometric midpoint between the highest stable and the lowest unstable learning rate.
Hollow gray diamonds: another series, for control.
"""

import math
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from analysis.charts.labels import LogScale, log_domain, log_ticks, place_beside, shorten
from analysis.charts.theme import CROSS, STAR, Palette, axis, configure
from analysis.lr_words import number
from analysis.results import LrSweep
from analysis.series import shorten_label

NOMINAL_WIDTH = 400  # pixels that labels are placed for; charts stretch
TOP, HEADROOM = 0.045, 1.7  # share of the height where crosses stand; domain above the highest finite mark


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
    x_domain = log_domain([lr for lr in marks["lr"] if lr > 0], 0.1)
    finite = [value for value in marks["loss"].dropna() if value > 0]
    low, high = log_domain(finite)
    y_domain = (low, high * HEADROOM if marks["is_infeasible"].any() else high)
    x_scale, y_scale = LogScale(*x_domain, NOMINAL_WIDTH), LogScale(*y_domain, height, upward=True)
    marks["shown"] = marks["loss"].where(~marks["is_infeasible"], y_scale.value(TOP * height))
    marks = marks[(marks["lr"] > 0) & (marks["shown"] > 0)]
    x = alt.X("lr:Q", scale=alt.Scale(type="log", domain=list(x_domain), nice=False))
    x = x.axis(axis("learning rate", log_ticks(*x_domain)))
    y = alt.Y("shown:Q", scale=alt.Scale(type="log", domain=list(y_domain), nice=False))
    y = y.axis(axis(sweep.objective.replace("evaluation", "validation"), log_ticks(*y_domain)))
    layers = [*_region(sweep, x_domain, height, colors), *_rules(links, colors)]
    line = alt.Chart(medians[medians["value"] > 0].rename(columns={"base_lr": "lr", "value": "shown"}))
    layers.append(line.mark_line(color=colors.feasible, strokeWidth=1.5, opacity=0.5).encode(x=x, y=y))
    layers += _draw_marks(marks, sweep, medians, x, y, colors)
    layers += _words(marks, sweep, controls, (x_scale, y_scale), (NOMINAL_WIDTH, height), colors)
    return configure(alt.layer(*layers).properties(height=height, width="container"), colors)


def _marks(sweep: LrSweep, controls: Sequence[LrSweep], names: Mapping[str, str]) -> pd.DataFrame:
    """Returns one row per run: what is drawn and what the tooltip says."""
    rows = []
    for each, is_control in ((sweep, False), *((control, True) for control in controls)):
        for run in each.runs:
            state = "control" if is_control and run.state != "infeasible" else run.state
            is_number = math.isfinite(run.objective)
            said = f"{run.objective:.3g}" if is_number else "not finite"
            rows.append(
                {
                    "run": shorten(names.get(run.run_id, run.run_id)),
                    "run_id": run.run_id,
                    "lr": run.base_lr,
                    "loss": run.objective if is_number else None,
                    "said": said,
                    "state": state,
                    "reason": run.reason or "steady",
                    "is_control": is_control,
                    "is_infeasible": run.state == "infeasible",
                }
            )
    table = pd.DataFrame(rows)
    return table.astype({"loss": float})


def _region(sweep: LrSweep, x_domain: tuple[float, float], height: int, colors: Palette) -> list[alt.Chart]:
    if sweep.unstable_bracket is None:
        return []
    middle = math.sqrt(sweep.unstable_bracket[0] * sweep.unstable_bracket[1])
    data = pd.DataFrame([{"x": middle, "x2": x_domain[1]}])
    band = alt.Chart(data).mark_rect(color=colors.band, opacity=colors.band_opacity).encode(x="x:Q", x2="x2:Q")
    word = alt.Chart(data).mark_text(color=colors.star, align="right", dx=-6, fontSize=12)
    return [band, word.encode(x="x2:Q", y=alt.value(height - 10), text=alt.value("unstable"))]


def _rules(links: Sequence[float], colors: Palette) -> list[alt.Chart]:
    if not links:
        return []
    rule = alt.Chart(pd.DataFrame({"x": list(links)})).mark_rule(color=colors.ink, strokeWidth=1, opacity=0.35)
    return [rule.encode(x="x:Q")]


def _draw_marks(
    marks: pd.DataFrame, sweep: LrSweep, medians: pd.DataFrame, x: alt.X, y: alt.Y, colors: Palette
) -> list[alt.Chart]:
    tip = [
        alt.Tooltip("run:N"),
        alt.Tooltip("lr:Q", title="learning rate", format="~g"),
        alt.Tooltip("said:N", title=sweep.objective),
        alt.Tooltip("reason:N", title="state"),
    ]

    def layer(state: str, is_star: bool = False, **mark: object) -> alt.Chart:
        chosen = marks[marks["state"] == state]
        return alt.Chart(chosen).mark_point(opacity=1, **mark).encode(x=x, y=y, tooltip=tip)

    layers = [
        layer("control", shape="diamond", size=42, strokeWidth=1.4, color=colors.control, filled=False),
        layer("feasible", shape="circle", size=64, color=colors.feasible, filled=True),
        layer("rose", shape="circle", size=60, strokeWidth=2.2, stroke=colors.infeasible, fill=colors.page),
        layer("infeasible", shape=CROSS, size=64, strokeWidth=2.4, stroke=colors.infeasible, filled=False),
    ]
    best = medians[medians["base_lr"] == sweep.lr_star].rename(columns={"base_lr": "lr", "value": "shown"})
    star = {"size": 240, "fill": colors.star_fill, "stroke": colors.star, "strokeWidth": 1.2, "opacity": 1}
    layers.append(alt.Chart(best).mark_point(shape=STAR, filled=True, **star).encode(x=x, y=y))
    return layers


def _words(
    marks: pd.DataFrame,
    sweep: LrSweep,
    controls: Sequence[LrSweep],
    scales: tuple[LogScale, LogScale],
    size: tuple[float, float],
    colors: Palette,
) -> list[alt.Chart]:
    """Places one word per kind of mark beside one of its marks, clear of all marks."""
    xs = [scales[0].pixel(lr) for lr in marks["lr"]]
    ys = [scales[1].pixel(value) for value in marks["shown"]]
    taken = [(px - 5, py - 5, px + 5, py + 5) for px, py in zip(xs, ys, strict=True)]
    own = marks[~marks["is_control"]]
    wanted = [("infeasible", own[own["state"] == "infeasible"].tail(1), colors.infeasible)]
    wanted.append(("rose first", own[own["state"] == "rose"].head(1), colors.infeasible))
    if controls:
        control = marks[marks["state"] == "control"].head(1)
        name = shorten_label(controls[0].series, [sweep.series]).replace("=", " ")
        wanted.append((f"{shorten(name)}, control", control, colors.muted))
    words = []
    if sweep.lr_star is not None:
        best = own[(own["lr"] == sweep.lr_star) & (own["state"] != "infeasible")].sort_values("shown")
        middle = best.iloc[(len(best) - 1) // 2 : (len(best) - 1) // 2 + 1]
        wanted.insert(0, (f"best: {number(sweep.lr_star)}", middle, colors.ink))
    for text, row, color in wanted:
        if row.empty:
            continue
        lr, shown = float(row["lr"].iloc[0]), float(row["shown"].iloc[0])
        point = (scales[0].pixel(lr), scales[1].pixel(shown))
        dx, dy, align = place_beside(point, text, size, taken)
        is_best = text.startswith("best")
        font = {"fontSize": 13, "fontWeight": 600} if is_best else {"fontSize": 12}
        mark = alt.Chart(pd.DataFrame([{"lr": lr, "shown": shown}])).mark_text(
            color=color, align=align, dx=dx + (3 if dx > 0 else -3 if dx < 0 else 0) * is_best, dy=dy, **font
        )
        words.append(mark.encode(x="lr:Q", y="shown:Q", text=alt.value(text)))
    return words
