"""The words in a picture of two series: their names with their best rates, and their edges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.charts.labels import Box, LogScale, Words, place_in_all
from analysis.charts.theme import Palette
from analysis.focus import median_objectives
from analysis.lr_words import number
from analysis.results import LrSweep

WIDTHS, LINE_STEP = (300, 640), 8  # pixels: of pictures that words are placed for, narrow and wide; of boxes on lines


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
    views = [_look_at(sides, marks, scales, width) for width in WIDTHS]
    y = scales[1]
    words, sides = [], sides[::-1]
    edges = [side.sweep.unstable_base_lr for side in sides]
    for side, edge in zip(sides, edges, strict=True):
        if edge is not None and (side.is_focus or edges[0] != edges[1]):
            both = " of both" if edges[0] == edges[1] else ""
            at = y.value(y.length - (30 if side.is_focus else 12))
            color = colors.star if side.is_focus else colors.muted
            words.append(_beside(edge, at, f"edge{both} {number(edge)}", color, views, 400))
    for side in sides:
        ink = colors.ink if side.is_focus else colors.muted
        own = marks[(marks["is_focus"] == side.is_focus) & (marks["state"] == "lr_star")]
        if len(own):
            text = f"{side.name}, best {number(side.sweep.lr_star)}"
            words.append(_beside(own.iloc[0]["lr"], own.iloc[0]["shown"], text, ink, views, 600))
    return words


@dataclass(frozen=True)
class _View:
    """A picture of one width: its scales, and the boxes of its marks, lines and words."""

    x: LogScale
    y: LogScale
    taken: list[Box]


def _look_at(sides: Sequence[Side], marks: pd.DataFrame, scales: tuple[LogScale, LogScale], width: float) -> _View:
    x, y = LogScale(math.exp(scales[0].low), math.exp(scales[0].high), width), scales[1]
    points = [(x.pixel(lr), y.pixel(shown)) for lr, shown in zip(marks["lr"], marks["shown"], strict=True)]
    taken: list[Box] = [(px - 6, py - 6, px + 6, py + 6) for px, py in points]
    for side in sides:
        taken += _along(side, (x, y))
    return _View(x, y, taken)


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
        boxes = [(at, level - 5, at + LINE_STEP, level + 5) for at, level in zip(spots, levels, strict=True)]
    edge = side.sweep.unstable_base_lr
    return boxes + ([(x.pixel(edge) - 1, 0, x.pixel(edge) + 1, y.length)] if edge is not None else [])


def _beside(lr: float, shown: float, text: str, color: str, views: Sequence[_View], weight: int) -> Words:
    points = [(view.x.pixel(lr), view.y.pixel(shown)) for view in views]
    sizes = [(view.x.length, view.y.length) for view in views]
    dx, dy, align = place_in_all(points, text, sizes, [view.taken for view in views])
    return Words(lr, shown, text, color, align, dx, dy, weight)
