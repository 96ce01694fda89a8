"""The gradient norm of every step with two clip thresholds (figure 9 of the playbook), one too aggressive.

Orange dashed rule: the threshold that clips more than half. Dark dashed rule: the better one.
"""

import altair as alt
import pandas as pd

from analysis.charts.crosshair import read_lines, tell
from analysis.charts.labels import LogScale, Words, log_domain, log_ticks, spread, write_words
from analysis.charts.theme import DASH, LINE, Palette, axis, configure
from analysis.curves import Curves

AXIS_ROOM = 48  # pixels that the x-axis takes of the height of a chart


def two_thresholds(
    curves: Curves, too_low: tuple[float, str], better: tuple[float, str], colors: Palette, height: int = 360
) -> alt.LayerChart:
    """Draws the gradient norm of one run against the step, logarithmic, with two thresholds.

    Args:
        curves: The norm of the run.
        too_low: The aggressive threshold, and what is written on its rule.
        better: The better one.
        colors: Colors of the page.
        height: Height in pixels.
    """
    values = curves.points["value"]
    domain = log_domain([*values[values > 0].tolist(), too_low[0], better[0]], 0.06)
    points = curves.points.assign(shown=values.clip(lower=domain[0]))  # a zero stands at the bottom edge
    x = alt.X("step:Q", scale=alt.Scale(domain=list(curves.window), nice=False), axis=axis("step", number_format=",d"))
    y = alt.Y(
        "shown:Q",
        scale=alt.Scale(type="log", domain=list(domain), nice=False),
        axis=axis("gradient norm, before clipping", log_ticks(*domain)),
    )
    line = alt.Chart(points).mark_line(color=colors.feasible, strokeWidth=1, **LINE)
    said = read_lines(points.assign(line="gradient norm"), "step", "line", "value")
    rows = [
        {"at": at, "text": text, "color": color}
        for (at, text), color in ((too_low, colors.infeasible), (better, colors.ink))
    ]
    rule = alt.Chart(pd.DataFrame(rows)).mark_rule(strokeDash=DASH, strokeWidth=1.6)
    layers = [line.encode(x=x, y=y), tell(said, alt.Tooltip("at:Q", title="step", format=",d"))]
    layers.append(rule.encode(y=alt.Y("at:Q"), color=alt.Color("color:N", scale=None, legend=None)))
    scale = LogScale(*domain, height - AXIS_ROOM, upward=True)
    heights = spread([scale.pixel(row["at"]) for row in rows], 6, scale.length - 6)
    words = [
        Words(0, scale.value(pixel), row["text"], row["color"], "left", 8, 0, 600)
        for pixel, row in zip(heights, rows, strict=True)
    ]
    layers += write_words(words, alt.XValue("width"))
    return configure(alt.layer(*layers, height=height, width="container"), colors)
