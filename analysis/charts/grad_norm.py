"""The gradient norm over steps and its histogram (figure 9 of the playbook), side by side on one logarithmic axis.

Ring: a step far above the median. Dashed rule: the clip threshold, through both pictures. Orange bars: what it clips.
The phases of a run stand side by side below, each as shares of its own steps.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from analysis.charts.crosshair import crosshair
from analysis.charts.labels import Words, log_domain, log_ticks, write_words
from analysis.charts.loss_marks import MOST_CROSSES, MOST_TOLD, at_of, draw_notes, say_lost
from analysis.charts.step_axis import StepAxis
from analysis.charts.theme import CROSS, DASH, LABEL_GAP, LINE, Palette, axis, configure, zoom_of_steps
from analysis.curves import Curves
from analysis.lr_words import number
from analysis.norm_histogram import NormHistogram
from analysis.runlog import schema

HEIGHT, PHASE_HEIGHT = 300, 180  # pixels


def norm_domain(norm: np.ndarray, clip_threshold: float) -> tuple[float, float]:
    """Returns the axis that the two pictures share: every finite positive norm and the threshold."""
    shown = norm[np.isfinite(norm) & (norm > 0)]
    return log_domain([*([shown.min(), shown.max()] if len(shown) else []), clip_threshold], 0.05)


def norm_curve(
    curves: Curves,
    outliers: Sequence[int],
    clip_threshold: float,
    domain: tuple[float, float],
    colors: Palette,
    height: int = HEIGHT,
    extreme_below: float | None = None,
    notes: Sequence[tuple[float, str]] = (),
    x_axis: StepAxis | None = None,
    readings: pd.DataFrame | None = None,
) -> alt.LayerChart:
    """Draws the gradient norm of one run against the step, raw; a smoothed line lies on top.

    Args:
        curves: The norm of the run.
        outliers: Steps whose norm stands out.
        clip_threshold: Threshold to draw.
        domain: Norms that the axis spans, as `norm_domain` returns them.
        colors: Colors of the page.
        height: Height in pixels.
        extreme_below: Norm below which a threshold clips more than half of the updates, to shade; None for none.
        notes: Comments: where each stands and what it says.
        x_axis: The x-axis, None for all steps.
        readings: What the crosshair says, as `analysis.readings.read_columns` returns it; None for no crosshair.
    """
    x = x_axis or StepAxis(window=curves.window)
    y = _norm_axis(domain, "value:Q", "gradient norm, before clipping")
    layers = [
        *_extreme(extreme_below, domain, colors, "a threshold in here clips more than half"),
        *_lines(curves, outliers, x, y, domain[0], colors, readings),
        *_crosses(curves, y, domain[1], colors),
        *_threshold(clip_threshold, colors, f"threshold {number(clip_threshold)}"),
        *draw_notes(notes, colors),
    ]
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _lines(
    curves: Curves,
    outliers: Sequence[int],
    x: StepAxis,
    y: alt.Y,
    lowest: float,
    colors: Palette,
    readings: pd.DataFrame | None,
) -> list[alt.Chart]:
    """Draws the raw norm, a smoothed one on top, what the mouse tells, and a ring around each outlier."""
    points = curves.points.assign(value=curves.points["value"].clip(lower=lowest))  # a zero stands at the bottom edge
    raw, smooth = (points[points["is_smooth"].astype(bool) == is_smooth] for is_smooth in (False, True))
    raw, smooth = (part[list(dict.fromkeys([schema.STEP, x.field, "value"]))] for part in (raw, smooth))
    look = LINE | {"color": colors.feasible}
    lines = [alt.Chart(raw).mark_line(strokeWidth=1, opacity=0.45 if len(smooth) else 1, **look)]
    if len(smooth):
        lines.append(alt.Chart(smooth).mark_line(strokeWidth=2.2, **look))
    layers = [line.encode(x=x.encode(), y=y) for line in lines]
    tip = [alt.Tooltip("step:Q", format=",d"), alt.Tooltip("value:Q", title="gradient norm", format=".3g")]
    if readings is None:
        layers[-1] = layers[-1].add_params(zoom_of_steps())
    else:
        layers += crosshair(readings, x, colors, [zoom_of_steps()])
    far = raw[raw["step"].isin(outliers) & raw["value"].notna()]
    ring = alt.Chart(far).mark_point(
        size=44, strokeWidth=1.8, stroke=colors.infeasible, fill=colors.page, opacity=1, clip=True
    )
    return [*layers, ring.encode(x=x.encode(), y=y, tooltip=tip)]


def norm_bars(
    histogram: NormHistogram,
    clip_threshold: float,
    domain: tuple[float, float],
    colors: Palette,
    height: int = HEIGHT,
    extreme_below: float | None = None,
) -> alt.LayerChart:
    """Draws the histogram turned on its side, so that it shares the axis of `norm_curve`.

    Args:
        histogram: Counts of norms.
        clip_threshold: Threshold to draw; bars above it are clipped.
        domain: Norms that the axis spans, as `norm_domain` returns them.
        colors: Colors of the page.
        height: Height in pixels.
        extreme_below: As in `norm_curve`.
    """
    bins = _colored(histogram, clip_threshold)
    top = max(bins["count"].max() if len(bins) else 1.0, 1.0)
    x = alt.X("count:Q", scale=alt.Scale(domain=[0, top * 1.05], nice=False), axis=axis("steps", number_format=",d"))
    y = _norm_axis(domain, "low:Q", None)
    bars = alt.Chart(bins.assign(zero=0.0)).mark_bar(opacity=0.85, clip=True)
    encoded = bars.encode(x=x, x2=alt.X2("zero:Q"), y=y, y2=alt.Y2("high:Q"), color=_fill(colors), tooltip=_bar_tip())
    layers = [*_extreme(extreme_below, domain, colors, ""), encoded, *_threshold(clip_threshold, colors, "")]
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def phase_bars(
    histogram: NormHistogram,
    top_share: float,
    clip_threshold: float,
    domain: tuple[float, float],
    colors: Palette,
    height: int = PHASE_HEIGHT,
) -> alt.LayerChart:
    """Draws the histogram of one phase, upright, as shares of the steps of that phase.

    Args:
        histogram: Counts of the norms of the phase.
        top_share: Largest share of any bin of any phase, so that the pictures share their axis.
        clip_threshold: Threshold to draw; bars above it are clipped.
        domain: Norms that the axis spans, as `norm_domain` returns them.
        colors: Colors of the page.
        height: Height in pixels.
    """
    bins = _colored(histogram, clip_threshold)
    bins = bins.assign(share=bins["count"] / histogram.num_norms, zero=0.0)
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    x = alt.X("low:Q", scale=scale, axis=axis("gradient norm", log_ticks(*domain, most=4)))
    shares = alt.Scale(domain=[0, top_share * 1.05], nice=False)
    y = alt.Y("share:Q", scale=shares, axis=axis("share of its steps", number_format=".0%"))
    bars = alt.Chart(bins).mark_bar(opacity=0.85, clip=True)
    encoded = bars.encode(x=x, x2=alt.X2("high:Q"), y=y, y2=alt.Y2("zero:Q"), color=_fill(colors), tooltip=_bar_tip())
    rule = alt.Chart(pd.DataFrame([{"at": clip_threshold}])).mark_rule(strokeDash=DASH, strokeWidth=1.2)
    layers = [encoded, rule.encode(x=alt.X("at:Q"), color=alt.ColorValue(colors.ink))]
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _colored(histogram: NormHistogram, clip_threshold: float) -> pd.DataFrame:
    return histogram.bins.assign(is_clipped=histogram.bins["low"] >= clip_threshold)


def _fill(colors: Palette) -> alt.Color:
    scale = alt.Scale(domain=[False, True], range=[colors.feasible, colors.infeasible])
    return alt.Color("is_clipped:N", scale=scale, legend=None)


def _bar_tip() -> list[alt.Tooltip]:
    tip = [alt.Tooltip("low:Q", title="norm from", format=".3g"), alt.Tooltip("high:Q", title="to", format=".3g")]
    return [*tip, alt.Tooltip("count:Q", title="steps", format=",d")]


def _crosses(curves: Curves, y: alt.Y, top: float, colors: Palette) -> list[alt.Chart]:
    """Marks the last finite step before every stretch that is not finite; the words stand at the top, off the line."""
    lost = [each for each in (*curves.lost, *curves.gaps[:MOST_CROSSES]) if each.last_value > 0]
    if not lost:
        return []
    table = pd.DataFrame(
        [{"step": each.last_step, "at": at_of(each), "value": each.last_value, "said": say_lost(each)} for each in lost]
    )
    cross = alt.Chart(table).mark_point(
        shape=CROSS, size=64, strokeWidth=2.4, stroke=colors.infeasible, opacity=1, clip=True
    )
    tip = [alt.Tooltip("said:N", title="gradient norm")]
    words = [
        Words(at_of(each), top, say_lost(each), colors.infeasible, "right", -10, 10 + LABEL_GAP * row)
        for row, each in enumerate(lost[:MOST_TOLD])
    ]
    return [cross.encode(x=alt.X("at:Q"), y=y, tooltip=tip), *write_words(words, clip=True)]


def _norm_axis(domain: tuple[float, float], field: str, title: str | None) -> alt.Y:
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    return alt.Y(field, scale=scale, axis=axis(title, log_ticks(*domain)))


def _extreme(below: float | None, domain: tuple[float, float], colors: Palette, words: str) -> list[alt.Chart]:
    """Shades the thresholds that clip more than half of the updates."""
    if below is None or below <= domain[0]:
        return []
    data = pd.DataFrame([{"low": domain[0], "high": min(below, domain[1])}])
    band = alt.Chart(data).mark_rect(color=colors.band, opacity=colors.band_opacity)
    said = [Words(0, domain[0], words, colors.star, "left", 6, -9)] if words else []
    return [band.encode(y=alt.Y("low:Q"), y2=alt.Y2("high:Q")), *write_words(said, alt.XValue(0))]


def _threshold(clip_threshold: float, colors: Palette, words: str) -> list[alt.Chart]:
    rule = alt.Chart(pd.DataFrame([{"at": clip_threshold}])).mark_rule(strokeDash=DASH, strokeWidth=1.2)
    said = [Words(0, clip_threshold, words, colors.ink, "right", -4, -8, 600)] if words else []
    return [rule.encode(y=alt.Y("at:Q"), color=alt.ColorValue(colors.ink)), *write_words(said, alt.XValue("width"))]
