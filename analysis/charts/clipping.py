"""What clip thresholds do: of every threshold at once, and of rules that choose one at every step.

Amber: thresholds that clip more than half of the updates. Dashed rule: the threshold that was chosen. Gray: the norm.
"""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from analysis.charts.labels import LogScale, Words, log_ticks, shorten, spread, write_words
from analysis.charts.theme import DASH, Palette, axis, configure, zoom_of_steps
from analysis.clip_replay import NORM
from analysis.lr_words import number

HEIGHT, AXIS_ROOM = 300, 48  # pixels of the picture; of the x-axis below it
HEIGHTS = (0.1, 0.25, 0.5, 0.75)  # where the threshold may be named


def threshold_curve(
    trace: pd.DataFrame, clip_threshold: float, extreme_below: float, colors: Palette, height: int = HEIGHT
) -> alt.LayerChart:
    """Draws the share of clipped updates and the average learning-rate multiplier against the threshold.

    Args:
        trace: What each threshold does, as `trace_thresholds` returns it.
        clip_threshold: The threshold that was chosen.
        extreme_below: Norm below which a threshold clips more than half of the updates.
        colors: Colors of the page.
        height: Height in pixels.
    """
    low, high = float(trace["clip_threshold"].iloc[0]), float(trace["clip_threshold"].iloc[-1])
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    x = alt.X("clip_threshold:Q", scale=scale, axis=axis("clip threshold", log_ticks(low, high)))
    tip = [
        alt.Tooltip("clip_threshold:Q", title="threshold", format=".3g"),
        alt.Tooltip("clipped_fraction:Q", title="updates clipped", format=".1%"),
        alt.Tooltip("effective_lr_multiplier:Q", title="learning rate times", format=".2f"),
    ]
    layers = []
    if extreme_below > low:
        zone = pd.DataFrame([{"low": low, "high": min(extreme_below, high)}])
        band = alt.Chart(zone).mark_rect(color=colors.band, opacity=colors.band_opacity)
        layers.append(band.encode(x=alt.X("low:Q", scale=scale), x2=alt.X2("high:Q")))
    lines = {"clipped_fraction": colors.infeasible, "effective_lr_multiplier": colors.feasible}
    shares = alt.Scale(domain=[0, 1.06], nice=False)
    for name, color in lines.items():
        y = alt.Y(
            f"{name}:Q", scale=shares, axis=axis("share of updates, multiplier", [0.0, 0.25, 0.5, 0.75, 1.0], ".0%")
        )
        layers.append(alt.Chart(trace).mark_line(color=color, strokeWidth=2, clip=True).encode(x=x, y=y))
        hover = alt.Chart(trace).mark_point(size=36, opacity=0, filled=True).encode(x=x, y=y, tooltip=tip)
        layers.append(hover)
    rule = alt.Chart(pd.DataFrame([{"at": clip_threshold}])).mark_rule(strokeDash=DASH, strokeWidth=1.2)
    layers.append(rule.encode(x=alt.X("at:Q"), color=alt.ColorValue(colors.ink)))
    layers += _words_of_curve(trace, clip_threshold, extreme_below, colors)
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _words_of_curve(
    trace: pd.DataFrame, clip_threshold: float, extreme_below: float, colors: Palette
) -> list[alt.Chart]:
    """Names the zone, the threshold where the two lines are farthest, and these at their right end."""
    low, high = float(trace["clip_threshold"].iloc[0]), float(trace["clip_threshold"].iloc[-1])
    lines = trace.loc[(trace["clip_threshold"] - clip_threshold).abs().idxmin()].iloc[1:]
    at = max(HEIGHTS, key=lambda height: min(abs(lines - height)))
    is_left = LogScale(low, high, 1.0).pixel(clip_threshold) < 0.5
    align, dx = ("left", 6) if is_left else ("right", -6)
    words = [Words(clip_threshold, at, f"threshold {number(clip_threshold)}", colors.ink, align, dx, 0, 600)]
    if extreme_below > low:
        words.append(Words(low, 0.6, "more than half clipped", colors.star, "left", 6))
    ends = [
        Words(0, 1.0, "multiplier", colors.feasible, "left", 8, 0, 600),
        Words(0, 0.0, "clipped", colors.infeasible, "left", 8, -4, 600),
    ]
    return [*write_words(words), *write_words(ends, alt.XValue("width"))]


def replay_curves(
    points: pd.DataFrame,
    names: Mapping[str, str],
    domain: tuple[float, float],
    colors: Palette,
    height: int = HEIGHT,
) -> alt.LayerChart:
    """Draws the threshold of each rule at every step over the norm, on one logarithmic axis.

    Args:
        points: Norm and thresholds, as `cut_replays` returns them.
        names: What each rule is called, by its name, in the order of their colors.
        domain: Norms that the axis spans.
        colors: Colors of the page.
        height: Height in pixels.
    """
    window = [int(points["step"].min()), int(points["step"].max())]
    x = alt.X("step:Q", scale=alt.Scale(domain=window, nice=False), axis=axis("step", number_format=",d"))
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    y = alt.Y("value:Q", scale=scale, axis=axis("gradient norm and thresholds", log_ticks(*domain)))
    points = points.assign(name=points["line"].map(dict(names)).fillna("gradient norm"))
    is_norm = points["line"] == NORM
    tip = [
        alt.Tooltip("name:N", title="line"),
        alt.Tooltip("step:Q", format=",d"),
        alt.Tooltip("value:Q", format=".3g"),
    ]
    norm = alt.Chart(points[is_norm]).mark_line(color=colors.control, strokeWidth=1, opacity=0.6, clip=True)
    shades = alt.Scale(domain=list(names), range=list(colors.series[: len(names)]))
    rules = alt.Chart(points[~is_norm]).mark_line(strokeWidth=2, clip=True, strokeJoin="round")
    hover = alt.Chart(points[points["value"].notna()]).mark_point(size=36, opacity=0, filled=True, clip=True)
    layers = [
        norm.encode(x=x, y=y),
        rules.encode(x=x, y=y, color=alt.Color("line:N", scale=shades, legend=None), detail=alt.Detail("line:N")),
        hover.encode(x=x, y=y, tooltip=tip).add_params(zoom_of_steps()),
        *write_words(_ends(points[~is_norm], names, domain, colors, height - AXIS_ROOM), alt.XValue("width")),
    ]
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _ends(
    points: pd.DataFrame, names: Mapping[str, str], domain: tuple[float, float], colors: Palette, inner: float
) -> list[Words]:
    """Names each rule at the right end of its line, pushed apart."""
    y, ends = LogScale(*domain, inner, upward=True), points[points["value"].notna()].groupby("line")["value"].last()
    told = [name for name in names if name in ends.index]
    pixels = [y.pixel(min(max(ends[name], domain[0]), domain[1])) for name in told]
    colored = dict(zip(names, colors.series, strict=False))
    return [
        Words(0, y.value(pixel), shorten(names[name]), colored[name], "left", 8, 0, 600)
        for name, pixel in zip(told, spread(pixels, 6, inner - 6), strict=True)
    ]
