"""The words in a picture of two series: their names with their best rates, and their edges."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.charts.labels import Box, LogScale, Words, place_beside
from analysis.charts.theme import Palette
from analysis.focus import median_objectives
from analysis.lr_words import number
from analysis.results import LrSweep

NOMINAL_WIDTH, LINE_STEP = 640, 8  # pixels: of the picture that words are placed for; of the boxes along a line


@dataclass(frozen=True)
class Side:
    """One of the two series.

    Attributes:
        sweep: Its sweep.
        name: What it is called in the picture.
        is_focus: Whether it is the one in focus.
    """

    sweep: LrSweep
    name: str
    is_focus: bool


def write_sides(
    sides: Sequence[Side], marks: pd.DataFrame, scales: tuple[LogScale, LogScale], colors: Palette
) -> list[Words]:
    """Names both series, their best rates and their edges, clear of marks and of each other."""
    x, y = scales
    points = [(x.pixel(lr), y.pixel(shown)) for lr, shown in zip(marks["lr"], marks["shown"], strict=True)]
    taken: list[Box] = [(px - 6, py - 6, px + 6, py + 6) for px, py in points]
    for side in sides:
        taken += _along(side, scales)
    words, sides = [], sides[::-1]
    edges = [side.sweep.unstable_base_lr for side in sides]
    for side, edge in zip(sides, edges, strict=True):
        if edge is not None and (side.is_focus or edges[0] != edges[1]):
            both = " of both" if edges[0] == edges[1] else ""
            at = y.value(y.length - (30 if side.is_focus else 12))
            color = colors.star if side.is_focus else colors.muted
            words.append(_beside(edge, at, f"edge{both} {number(edge)}", color, scales, taken, 400))
    for side in sides:
        ink = colors.ink if side.is_focus else colors.muted
        own = marks[(marks["is_focus"] == side.is_focus) & (marks["state"] == "lr_star")]
        if len(own):
            text = f"{side.name}, best {number(side.sweep.lr_star)}"
            words.append(_beside(own.iloc[0]["lr"], own.iloc[0]["shown"], text, ink, scales, taken, 600))
    return words


def _along(side: Side, scales: tuple[LogScale, LogScale]) -> list[Box]:
    """Returns boxes along the line of medians and along the edge, which words must not cross."""
    x, y = scales
    medians = median_objectives(side.sweep)
    medians = medians[medians["value"] > 0]
    xs, ys = [x.pixel(lr) for lr in medians["base_lr"]], [y.pixel(value) for value in medians["value"]]
    boxes = []
    if len(xs) > 1:
        spots = np.arange(xs[0], xs[-1], LINE_STEP)
        levels = np.interp(spots, xs, ys)
        boxes = [(at, level - 2, at + LINE_STEP, level + 2) for at, level in zip(spots, levels, strict=True)]
    edge = side.sweep.unstable_base_lr
    return boxes + ([(x.pixel(edge) - 1, 0, x.pixel(edge) + 1, y.length)] if edge is not None else [])


def _beside(
    lr: float, shown: float, text: str, color: str, scales: tuple[LogScale, LogScale], taken: list[Box], weight: int
) -> Words:
    point = (scales[0].pixel(lr), scales[1].pixel(shown))
    dx, dy, align = place_beside(point, text, (NOMINAL_WIDTH, scales[1].length), taken)
    return Words(lr, shown, text, color, align, dx, dy, weight)
