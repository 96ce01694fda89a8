"""The update rules at work: a path over the levels of a bowl, and the size of updates over logged gradient norms.

Blue: a path below its limit, or a rule's updates. Orange: a path above its limit. Gray: the levels, or the norms.
"""

import altair as alt
import numpy as np
import pandas as pd

from analysis.charts.crosshair import read_lines, tell
from analysis.charts.labels import Words, log_domain, log_ticks, write_words
from analysis.charts.paths import PATH, lift_pen
from analysis.charts.theme import CROSS, LINE, Palette, axis, configure
from analysis.thinning import thin
from analysis.trajectories import STEEP, Trajectory
from analysis.update_sizes import UpdateSizes

PATH_HEIGHT, SIZES_HEIGHT = 230, 200  # pixels
EDGE = 1.25  # the bowl is drawn from -EDGE to EDGE in both directions
FAR = 4  # ours: times EDGE, where the drawing of a lost path ends
LEVELS = (0.05, 0.15, 0.35, 0.6, 0.9, 1.2)  # ours: where levels cross the steep axis
POINTS_OF_LEVEL, POINTS_OF_LINE = 120, 300  # ours: per level; per line of a panel of a third of the page


def is_in_picture(theta: np.ndarray) -> np.ndarray:
    """Returns which points of a path, shape (n, 2), lie in the picture."""
    return (np.abs(theta) <= EDGE).all(axis=1)


def exit_point(theta: np.ndarray) -> np.ndarray:
    """Returns where a path, shape (n, 2), first crosses the edge of the picture; its last point if it never does.

    >>> exit_point(np.array([[0.0, 1.0], [0.0, 3.0]])).tolist()
    [0.0, 1.25]
    """
    inside = is_in_picture(theta)
    if inside.all():
        return theta[-1]
    outside = int(np.argmin(inside))
    before, after = theta[outside - 1], theta[outside]
    way = after - before
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(way == 0, np.inf, (np.sign(way) * EDGE - before) / way)
    return before + shares.min() * way


def path_panel(path: Trajectory, condition_number: float, colors: Palette) -> alt.LayerChart:
    """Draws the path of one rule over the levels of the bowl.

    Args:
        path: The path.
        condition_number: Largest over smallest curvature of the bowl.
        colors: Colors of the page.
    """
    points = pd.DataFrame({"step": np.arange(len(path.theta)), "flat": path.theta[:, 0], "steep": path.theta[:, 1]})
    points["times"] = path.loss / path.loss[0]
    far = np.flatnonzero(np.abs(path.theta).max(axis=1) > FAR * EDGE)
    if path.lost_step is not None and len(far):  # its swings would cover the picture
        points = points.head(far[0] + 1)
    x, y = _side("flat", "flat direction"), _side("steep", "steep direction")
    color = colors.infeasible if path.is_unstable or path.lost_step is not None else colors.feasible
    tip = [alt.Tooltip("step:Q", format=",d"), alt.Tooltip("times:Q", title="loss over its start", format=".3g")]
    levels = alt.Chart(_levels(condition_number)).mark_line(color=colors.control, strokeWidth=1, opacity=0.55, **PATH)
    line = alt.Chart(points).mark_line(color=color, strokeWidth=1.4, opacity=0.8, **PATH)
    dots = alt.Chart(points).mark_point(color=color, filled=True, size=16, opacity=1, clip=True)
    layers = [
        levels.encode(x=x, y=y),
        line.encode(x=x, y=y),
        dots.encode(x=x, y=y, tooltip=tip),
    ]
    start = alt.Chart(points.head(1)).mark_point(size=60, stroke=color, strokeWidth=2, fill=colors.page, opacity=1)
    layers.append(start.encode(x=x, y=y))
    if path.lost_step is not None:
        last = pd.DataFrame([dict(zip(("flat", "steep"), exit_point(path.theta), strict=True))])
        cross = alt.Chart(last).mark_point(shape=CROSS, size=80, strokeWidth=2.4, stroke=colors.infeasible, opacity=1)
        layers.append(cross.encode(x=x, y=y))
    layers.append(_minimum(colors).encode(x=x, y=y))
    layers += write_words([Words(*path.theta[0], "start", colors.ink, "center", 0, -12)])
    return configure(alt.layer(*layers, height=PATH_HEIGHT, width="container"), colors)


def _side(field: str, title: str) -> alt.X | alt.Y:
    kind = alt.X if field == "flat" else alt.Y
    scale = alt.Scale(domain=[-EDGE, EDGE], nice=False)
    return kind(f"{field}:Q", scale=scale, axis=axis(title, [-1, 0, 1], grid=False))


def _levels(condition_number: float) -> pd.DataFrame:
    """Returns points along each level of the loss, one ellipse a level, outside the picture cut by the chart."""
    angle = np.linspace(0, 2 * np.pi, POINTS_OF_LEVEL)
    reach = np.sqrt(condition_number)
    tables = []
    for level in LEVELS:
        # Where the ellipse is far longer than the picture, its points are spent on what is in it.
        limit = min(1.0, 1.2 * EDGE / (level * reach))
        along = np.sin(angle) if limit == 1.0 else np.linspace(-limit, limit, POINTS_OF_LEVEL // 2)
        across = np.cos(angle) if limit == 1.0 else np.sqrt(1 - along**2)
        halves = [across] if limit == 1.0 else [across, -across]
        for half, steep in enumerate(halves):
            name = f"{level * level * STEEP / 2:.3g} {half}"
            tables.append(pd.DataFrame({"flat": level * reach * along, "steep": level * steep, "level": name}))
    return lift_pen(pd.concat(tables, ignore_index=True), "steep", "level")


def _minimum(colors: Palette) -> alt.Chart:
    return alt.Chart(pd.DataFrame([{"flat": 0.0, "steep": 0.0}])).mark_point(
        filled=True, size=30, color=colors.ink, opacity=1
    )


def sizes_domain(sizes: UpdateSizes) -> tuple[float, float]:
    """Returns the axis that the panels of all rules share: every positive norm and update size."""
    every = np.concatenate([sizes.norm, *sizes.sizes.values()])
    return log_domain(every[np.isfinite(every) & (every > 0)], 0.05)


def drawn_sizes(sizes: UpdateSizes, rule: str) -> pd.DataFrame:
    """Returns the points of a panel: one row per drawn point, with columns step, value, line ("norm" or the rule)."""
    tables = []
    for line, values in (("norm", sizes.norm), (rule, sizes.sizes[rule])):
        kept = thin(values, POINTS_OF_LINE)
        value = np.where(values[kept] > 0, values[kept], np.nan)  # 0 has no place on a logarithmic axis: a gap
        tables.append(pd.DataFrame({"step": sizes.steps[kept], "value": value, "line": line}))
    return pd.concat(tables, ignore_index=True)


def sizes_panel(sizes: UpdateSizes, rule: str, domain: tuple[float, float], colors: Palette) -> alt.LayerChart:
    """Draws the size of every update of a rule over the gradient norm, both against the step.

    Args:
        sizes: Update sizes.
        rule: The rule to draw.
        domain: Values that the axis spans, as `sizes_domain` returns them.
        colors: Colors of the page.
    """
    points = drawn_sizes(sizes, rule)
    span = [int(sizes.steps[0]), int(max(sizes.steps[-1], sizes.steps[0] + 1))]
    x = alt.X("step:Q", scale=alt.Scale(domain=span, nice=False), axis=axis("step", number_format=",d"))
    scale = alt.Scale(type="log", domain=list(domain), nice=False)
    y = alt.Y("value:Q", scale=scale, axis=axis("update over learning rate", log_ticks(*domain, most=4)))
    color = alt.Color(
        "line:N", scale=alt.Scale(domain=["norm", rule], range=[colors.control, colors.feasible]), legend=None
    )
    line = alt.Chart(points).mark_line(strokeWidth=1.2, **LINE)
    said = tell(read_lines(points, "step", "line", "value"), alt.Tooltip("at:Q", title="step", format=",d"))
    layers = [line.encode(x=x, y=y, color=color), said]
    return configure(alt.layer(*layers, height=SIZES_HEIGHT, width="container"), colors)
