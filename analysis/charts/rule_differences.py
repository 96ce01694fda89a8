"""The first step of a rule by the size of the gradient. Blue: the playbook's. Gray: torch.optim's."""

import altair as alt
import pandas as pd

from analysis.charts.crosshair import read_lines, tell
from analysis.charts.labels import Words, log_domain, log_ticks, write_words
from analysis.charts.theme import LINE, Palette, axis, configure
from analysis.rule_differences import FirstSteps

HEIGHT = 200  # pixels
GRADIENT_TICKS = [1e-8, 1e-6, 1e-4, 1e-2, 1, 1e2]
POWERS = {"labelExpr": "format(datum.value, datum.value < 0.001 ? '.0e' : '~g')"}


def first_steps_panel(steps: FirstSteps, colors: Palette) -> alt.LayerChart:
    """Draws the first step against the gradient, both axes logarithmic.

    Args:
        steps: First steps of one rule.
        colors: Colors of the page.
    """
    drawn = {"playbook": steps.playbook, "torch.optim": steps.torch}
    points = pd.concat(
        [pd.DataFrame({"gradient": steps.gradient, "size": size, "line": line}) for line, size in drawn.items()],
        ignore_index=True,
    )
    wide = (float(steps.gradient.min()), float(steps.gradient.max()))
    high = log_domain(points["size"].tolist())
    x_scale = alt.Scale(type="log", domain=list(wide), nice=False)
    y_scale = alt.Scale(type="log", domain=list(high), nice=False)
    x = alt.X("gradient:Q", scale=x_scale, axis=axis("gradient at step 0", GRADIENT_TICKS, **POWERS))
    y = alt.Y("size:Q", scale=y_scale, axis=axis("step over learning rate", log_ticks(*high, most=4), **POWERS))
    color = alt.Color(
        "line:N", scale=alt.Scale(domain=list(drawn), range=[colors.feasible, colors.control]), legend=None
    )
    line = alt.Chart(points).mark_line(strokeWidth=2, **LINE).encode(x=x, y=y, color=color)
    said = tell(read_lines(points, "gradient", "line", "size"), alt.Tooltip("at:Q", title="gradient", format=".3g"))
    middle = len(steps.gradient) // 2
    names = [
        Words(wide[0], float(steps.playbook[0]), "playbook", colors.feasible, "left", 22),
        Words(float(steps.gradient[middle]), float(steps.torch[middle]), "torch.optim", colors.muted, "center", 0, 14),
    ]
    layers = [line, said, *write_words(names)]
    return configure(alt.layer(*layers, height=HEIGHT, width="container"), colors)
