"""Where words go in a picture: beside their mark or at the end of their line, never on top of each other."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import altair as alt
import pandas as pd

from analysis.charts.theme import LABEL_GAP, LABEL_SIZE

LETTER = 0.52 * LABEL_SIZE  # pixels a letter of Source Sans takes on average
LONGEST = 40  # letters of a label; a longer one is cut
FITS = (  # whether words stand whole in a picture whose width only the browser knows
    f"(datum.align === 'right' ? scale('x', datum.x) + datum.dx > {LETTER} * length(datum.text)"
    f" : scale('x', datum.x) + datum.dx + {LETTER} * length(datum.text) < width) ? 1 : 0"
)
NEARLY_LINEAR = 2.0  # ours: an axis that spans less is labeled as a linear one, on which no stretch is bare


@dataclass(frozen=True)
class Words:
    """Words at a point of a picture.

    Attributes:
        x: Where, in units of the x-axis.
        y: Where, in units of the y-axis.
        text: What is written.
        color: Its color.
        align: "left" where the point is left of the words, else "right" or "center".
        dx: Pixels to the right of the point.
        dy: Pixels below the point.
        weight: Font weight.
    """

    x: float
    y: float
    text: str
    color: str
    align: str = "left"
    dx: float = 0
    dy: float = 0
    weight: int = 400


def write_words(words: Sequence[Words], x: alt.X | alt.XValue | None = None, clip: bool = False) -> list[alt.Chart]:
    """Returns the layer that writes words as a list of one; an empty list without words.

    Args:
        words: The words.
        x: Where all of them stand; None for each where it says.
        clip: Whether the picture ends at its edges: words that it would cut are not shown there.
    """
    if not words:
        return []
    by_row = {name: alt.expr(f"datum.{name}") for name in ("align", "dx", "dy")}
    by_row |= {"opacity": alt.expr(FITS)} if clip else {}
    mark = alt.Chart(pd.DataFrame([asdict(each) for each in words])).mark_text(
        fontSize=LABEL_SIZE, fontWeight=alt.expr("datum.weight"), clip=clip, **by_row
    )
    color = alt.Color("color:N", scale=None, legend=None)
    return [mark.encode(x=x or alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("text:N"), color=color)]


def shorten(text: str, longest: int = LONGEST) -> str:
    """Cuts a label in the middle, where names of runs differ least.

    >>> shorten("a_very_long_name_of_a_run", 11)
    'a_ver…a_run'
    """
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[-half:]}"


def width_of(text: str) -> float:
    """Returns about how many pixels a label takes."""
    return LETTER * len(text)


def spread(positions: Sequence[float], low: float, high: float, gap: float = LABEL_GAP) -> list[float]:
    """Pushes positions apart until no two are closer than `gap`, keeping their order and staying inside [low, high].

    More labels than fit are spread evenly.

    >>> spread([10, 12, 80], 0, 100, 20)
    [10, 30, 80]
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    gap = min(gap, (high - low) / max(1, len(positions) - 1))
    placed = [min(max(positions[index], low), high) for index in order]
    for i in range(1, len(placed)):
        placed[i] = max(placed[i], placed[i - 1] + gap)
    ceiling = high
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    result = [0.0] * len(positions)
    for place, index in zip(placed, order, strict=True):
        result[index] = place
    return result


class LogScale:
    """Maps values to pixels and back on a logarithmic axis, as Vega will draw it."""

    def __init__(self, low: float, high: float, length: float, upward: bool = False):
        """Takes the domain, the length of the axis in pixels, and whether pixels count downward from `high`."""
        self.low, self.high, self.length, self.upward = math.log(low), math.log(high), length, upward

    def pixel(self, value: float) -> float:
        """Returns the pixel of a value."""
        share = (math.log(value) - self.low) / (self.high - self.low)
        return self.length * (1 - share if self.upward else share)

    def value(self, pixel: float) -> float:
        """Returns the value at a pixel."""
        share = pixel / self.length
        return math.exp(self.low + (self.high - self.low) * (1 - share if self.upward else share))


def log_domain(values: Sequence[float], margin: float = 0.08) -> tuple[float, float]:
    """Returns a domain around positive values, with a margin on both sides; (0.1, 10) without values."""
    if not len(values):
        return 0.1, 10.0
    low, high = math.log10(min(values)), math.log10(max(values))
    air = max(margin * (high - low), 0.1)
    return 10 ** max(low - air, -307), 10 ** min(high + air, 307)


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Returns at most `most` round values of a logarithmic axis, from as fine a ladder as fits.

    >>> log_ticks(0.06, 9.0)
    [0.1, 0.3, 1.0, 3.0]
    >>> log_ticks(0.8, 1.5)
    [0.8, 1.0, 1.2, 1.4]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ladders = (range(1, 10), (1, 2, 5), (1, 3), (1,)) if high > NEARLY_LINEAR * low else ()
    ticks: list[float] = []
    for digits in ladders:
        ticks = [float(f"{digit}e{power}") for power in range(first, last + 1) for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if 2 <= len(ticks) <= most:
            return ticks
    if len(ticks) > most:
        return ticks[:: math.ceil(len(ticks) / most)]
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [float(f"{count * step:.9g}") for count in range(first, last + 1, math.ceil((last - first + 1) / most))]


Box = tuple[float, float, float, float]


def place_beside(
    point: tuple[float, float], text: str, size: tuple[float, float], taken: list[Box]
) -> tuple[float, float, str]:
    """Finds a free place for a label beside a mark and takes it.

    Args:
        point: Pixel of the mark.
        text: The label.
        size: Width and height of the picture in pixels.
        taken: Boxes (left, top, right, bottom) of marks and labels; the chosen box is added.

    Returns:
        Offsets dx, dy from the mark and the alignment ("left", "right", "center").
    """
    return place_in_all([point], text, [size], [taken])


def place_in_all(
    points: Sequence[tuple[float, float]], text: str, sizes: Sequence[tuple[float, float]], taken: Sequence[list[Box]]
) -> tuple[float, float, str]:
    """Finds a place for a label that is as free as can be in a picture of each of several sizes; see `place_beside`."""
    width, half = width_of(text), LABEL_GAP / 2
    spots = [(10, 0, "left"), (-10, 0, "right"), (0, -14, "center"), (0, 14, "center")]
    spots += [(10, -13, "left"), (10, 13, "left"), (-10, -13, "right"), (-10, 13, "right")]
    best, least, chosen = spots[0], math.inf, []
    for dx, dy, align in spots:
        boxes, cost = [], 0.0
        for (x, y), size, others in zip(points, sizes, taken, strict=True):
            left = x + dx - {"left": 0, "right": width, "center": width / 2}[align]
            box = (left, y + dy - half, left + width, y + dy + half)
            out = max(0, -box[0]) + max(0, box[2] - size[0]) + max(0, -box[1]) + max(0, box[3] - size[1])
            cost += 1_000 * out + sum(overlap(box, other) for other in others)
            boxes.append(box)
        if cost < least:
            best, least, chosen = (dx, dy, align), cost, boxes
    for box, others in zip(chosen, taken, strict=True):
        others.append(box)
    return best


def overlap(one: Box, other: Box) -> float:
    """Returns the area that two boxes share, in square pixels."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0
