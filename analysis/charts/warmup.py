"""Warmup: a prepended schedule beside the present one, and which lengths held at which learning rate (figure 6).

Blue: the new schedule. Gray: the present one. Dot: held. Ring: not known yet. Cross: broke.
"""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from analysis.charts.crosshair import read_lines, tell
from analysis.charts.labels import LogScale, Words, log_domain, log_ticks, spread, write_words
from analysis.charts.theme import CROSS, DASH, LINE, Palette, axis, configure
from analysis.lr_words import number
from analysis.warmup_tried import TriedWarmup

HEIGHT, AXIS_ROOM = 300, 48  # pixels of the picture; of the x-axis below it
LOG_FROM = 10.0  # ours: rates farther apart than that share no linear axis
LOG_DECADES = 2.0  # ours: below the lower of the two plateaus; a ramp starts at 0, which no such axis shows
HEADROOM, LOG_HEADROOM = 1.25, 0.18  # for the names of the phases; of the decades that the rates take
WORDS = {"held": "held", "holds-so-far": "holds so far", "broke": "broke", "no-learning": "did not learn"}


def schedule_pair(
    planned: pd.DataFrame,
    present: pd.DataFrame,
    warmup_steps: int,
    shape: str,
    colors: Palette,
    height: int = HEIGHT,
) -> alt.LayerChart:
    """Draws the learning rate against the step, with the warmup in front and as it is now.

    Args:
        planned: One row per drawn step of the new schedule: step, lr.
        present: The same of the present schedule; empty where unknown.
        warmup_steps: Length of the new ramp.
        shape: What follows it: "constant", "linear" or "cosine".
        colors: Colors of the page.
        height: Height in pixels.
    """
    end = int(max(planned["step"].max(), present["step"].max() if len(present) else 0)) + 1
    peaks = [table["lr"].max() for table in (planned, present) if len(table) and table["lr"].max() > 0]
    is_log = max(peaks) > LOG_FROM * min(peaks)
    low = min(peaks) / 10**LOG_DECADES if is_log else 0.0
    domain = (low, max(peaks) * ((max(peaks) / low) ** LOG_HEADROOM if is_log else HEADROOM))
    scale = alt.Scale(type="log" if is_log else "linear", domain=list(domain), nice=False)
    x = alt.X("step:Q", scale=alt.Scale(domain=[0, end], nice=False), axis=axis("step", number_format=",d"))
    y = alt.Y("shown:Q", scale=scale, axis=axis("learning rate", log_ticks(*domain) if is_log else None))
    layers = []
    for table, color, width in ((present, colors.control, 2), (planned, colors.feasible, 2.4)):
        drawn = table.assign(shown=table["lr"].clip(lower=domain[0]))
        line = alt.Chart(drawn).mark_line(color=color, strokeWidth=width, **LINE)
        layers.append(line.encode(x=x, y=y))
    both = pd.concat([planned.assign(line="with warmup"), present.assign(line="now")], ignore_index=True)
    layers.append(tell(read_lines(both, "step", "line", "lr"), alt.Tooltip("at:Q", title="step", format=",d")))
    if warmup_steps:
        rule = alt.Chart(pd.DataFrame([{"at": warmup_steps}])).mark_rule(strokeDash=DASH, strokeWidth=1.2)
        layers.append(rule.encode(x=alt.X("at:Q"), color=alt.ColorValue(colors.ink)))
    layers += write_words(_phases(warmup_steps, shape, end, domain, colors))
    layers += write_words(_ends(planned, present, domain, is_log, colors, height - AXIS_ROOM), alt.XValue("width"))
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _phases(warmup_steps: int, shape: str, end: int, domain: tuple[float, float], colors: Palette) -> list[Words]:
    """Names the phases at the top, on the side of the boundary where there is room."""
    if not warmup_steps:
        return [Words(0, domain[1], f"{shape}, no warmup", colors.ink, "left", 6, 9)]
    training = f"training: {shape}, from step {warmup_steps:,}"
    if warmup_steps > 0.2 * end:
        warmup = [Words(warmup_steps, domain[1], "warmup", colors.ink, "right", -6, 9)]
    else:
        training, warmup = f"{warmup_steps:,} steps of warmup, then training: {shape}", []
    return [*warmup, Words(warmup_steps, domain[1], training, colors.ink, "left", 6, 9)]


def _ends(
    planned: pd.DataFrame,
    present: pd.DataFrame,
    domain: tuple[float, float],
    is_log: bool,
    colors: Palette,
    inner: float,
) -> list[Words]:
    """Names the two lines at the right edge, at the height of their peaks."""
    lines = [(planned, "with warmup", colors.feasible), (present, "now", colors.muted)]
    told = [
        (table["lr"].max(), f"{name}, up to {number(table['lr'].max())}", color)
        for table, name, color in lines
        if len(table)
    ]
    low, high = domain
    if is_log:
        scale = LogScale(low, high, inner, upward=True)
        to_pixel, to_value = scale.pixel, scale.value
    else:
        to_pixel, to_value = lambda lr: inner * (1 - lr / high), lambda pixel: high * (1 - pixel / inner)
    pixels = spread([to_pixel(max(lr, low)) - 10 for lr, _, _ in told], 22, inner - 6)
    return [
        Words(0, to_value(pixel), text, color, "right", -6, 0, 600)
        for pixel, (_, text, color) in zip(pixels, told, strict=True)
    ]


def warmup_outcomes(
    tried: Sequence[TriedWarmup], unstable_base_lr: float | None, colors: Palette, height: int = HEIGHT
) -> alt.LayerChart:
    """Draws which lengths held at which learning rate, both logarithmic.

    Args:
        tried: One entry a length and learning rate, one at least.
        unstable_base_lr: Where training becomes unstable without warmup, None where unknown.
        colors: Colors of the page.
        height: Height in pixels.
    """
    marks = _marks(tried).join(_looks(colors), on="state")
    xs = log_domain(marks["warmup_steps"].tolist(), 0.15)
    ys = log_domain([*marks["lr"], *([unstable_base_lr] if unstable_base_lr else [])], 0.15)
    x = alt.X("warmup_steps:Q", scale=alt.Scale(type="log", domain=list(xs), nice=False))
    x = x.axis(axis("warmup steps", log_ticks(*xs), ",d" if xs[0] >= 1 else "~g"))
    y = alt.Y("lr:Q", scale=alt.Scale(type="log", domain=list(ys), nice=False))
    y = y.axis(axis("learning rate after warmup", log_ticks(*ys)))
    layers, words = [_draw_marks(marks, x, y)], []
    for state, own in marks.groupby("state", sort=False):
        last = own.iloc[-1]
        words.append(Words(float(last["warmup_steps"]), float(last["lr"]), WORDS[state], last["stroke"], "left", 10))
    if unstable_base_lr:
        rule = alt.Chart(pd.DataFrame([{"at": unstable_base_lr}])).mark_rule(strokeDash=DASH, strokeWidth=1.2)
        layers.append(rule.encode(y=alt.Y("at:Q"), color=alt.ColorValue(colors.ink)))
        said = f"unstable without warmup from {number(unstable_base_lr)}"
        words.append(Words(xs[0], unstable_base_lr, said, colors.ink, "left", 6, -9))
    layers += write_words(words)
    return configure(alt.layer(*layers, height=height, width="container"), colors)


def _marks(tried: Sequence[TriedWarmup]) -> pd.DataFrame:
    """Returns one row per entry: where it stands and what the tooltip says."""
    rows = [
        {
            "warmup_steps": each.warmup_steps,
            "lr": each.base_lr,
            "state": each.state,
            "said": WORDS[each.state],
            "seeds": f"{len(each.setting.steady)} of {len(each.setting.runs)} steady",
            "kind": "full training" if each.is_full else "search",
        }
        for each in tried
    ]
    return pd.DataFrame(rows)


def _draw_marks(marks: pd.DataFrame, x: alt.X, y: alt.Y) -> alt.Chart:
    tip = [
        alt.Tooltip("warmup_steps:Q", title="warmup steps", format=",d"),
        alt.Tooltip("lr:Q", title="learning rate", format="~g"),
        alt.Tooltip("said:N", title="outcome"),
        alt.Tooltip("seeds:N"),
        alt.Tooltip("kind:N"),
    ]
    as_is = {"scale": None, "legend": None}
    return (
        alt.Chart(marks)
        .mark_point(opacity=1, size=80, strokeWidth=2.2)
        .encode(
            x=x,
            y=y,
            shape=alt.Shape("shape:N", **as_is),
            stroke=alt.Stroke("stroke:N", **as_is),
            fill=alt.Fill("fill:N", **as_is),
            tooltip=tip,
        )
    )


def _looks(colors: Palette) -> pd.DataFrame:
    """Returns how each state is drawn, indexed by state."""
    rows = {
        "held": ("circle", colors.feasible, colors.feasible),
        "holds-so-far": ("circle", colors.feasible, colors.page),
        "broke": (CROSS, colors.infeasible, "transparent"),
        "no-learning": ("circle", colors.infeasible, colors.page),
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["shape", "stroke", "fill"])
