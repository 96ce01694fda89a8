"""What each color and mark of the charts means, for light and dark pages.

Colors speak of state, never of identity: blue is steady, orange is unstable, gray is a control, amber is a region.
State is always a shape or a word as well. Contrast with the page is at least 4.5 to 1 for words and 3 to 1 for marks,
and no two marks come close under simulated color blindness (tests/charts/test_theme.py computes both).
"""

from dataclasses import dataclass

import altair as alt

# Marks, in a box from -1 to 1 as Vega draws them.
CROSS = "M-1,-1L1,1M-1,1L1,-1"  # infeasible, or the last finite step of a run
STAR = "M0,-1L0.24,-0.32L0.95,-0.31L0.38,0.12L0.59,0.81L0,0.4L-0.59,0.81L-0.38,0.12L-0.95,-0.31L-0.24,-0.32Z"  # lr_star

LINE = {"clip": True, "strokeJoin": "round", "aria": False}  # words for each point of a line would be read by nobody
DASH = [4, 3]  # thresholds, start of the loss
LABEL_SIZE = 12
ZOOM = "zoom"  # the selection that zooms
LABEL_GAP = 15  # pixels between two labels: letter height and a little air


@dataclass(frozen=True)
class Palette:
    """Colors of the charts on one kind of page.

    Attributes:
        page: Background; fills hollow marks, so that lines do not show through.
        ink: Words that matter, thresholds, the first evaluation.
        muted: Axis words, captions inside charts.
        grid: Grid lines.
        feasible: Feasible run, steady loss, the curve of lr_star.
        infeasible: Infeasible run, unstable loss.
        star: Edge of the star, words about a band.
        star_fill: Fill of the star.
        band: Event or unstable region, drawn at band_opacity.
        band_opacity: Opacity of the band.
        control: Runs of another series.
        below: Ramp of learning rates below lr_star, nearest first.
        above: Ramp of learning rates above lr_star, nearest first.
        series: Lines that have no state, in turn.
    """

    page: str
    ink: str
    muted: str
    grid: str
    feasible: str
    infeasible: str
    star: str
    star_fill: str
    band: str
    band_opacity: float
    control: str
    below: tuple[str, ...]
    above: tuple[str, ...]
    series: tuple[str, ...]

    def line(self, state: str, shade: int) -> str:
        """Returns the color of a line; states and shades as in analysis.curves."""
        ramps = {"lr_star": (self.feasible,), "control": (self.control,), "below": self.below, "above": self.above}
        ramp = ramps.get(state, self.series)
        return ramp[shade % len(ramp)]


LIGHT = Palette(
    page="#FFFFFF",
    ink="#17202B",
    muted="#5B6675",
    grid="#E6EAEE",
    feasible="#0B66A3",
    infeasible="#C2410C",
    star="#8A5A00",
    star_fill="#F2B01E",
    band="#F2B01E",
    band_opacity=0.16,
    control="#7A8594",
    below=("#083B5E", "#3D85B8", "#6B8CA3", "#2E6F9E"),
    above=("#C2410C", "#7A2606", "#D9652B", "#A0613F"),
    series=("#0B66A3", "#C2410C", "#9475FB", "#7C1B44", "#DA7395"),
)
DARK = Palette(
    page="#11161D",
    ink="#E7ECF2",
    muted="#9AA6B5",
    grid="#252E3A",
    feasible="#5DB2EC",
    infeasible="#FF8A5B",
    star="#FFD166",
    star_fill="#FFD166",
    band="#FFD166",
    band_opacity=0.13,
    control="#8895A5",
    below=("#B5DAF7", "#3F8FC9", "#7FA8C9", "#5E86A3"),
    above=("#FF8A5B", "#FFC9B0", "#E06A35", "#C98F74"),
    series=("#5DB2EC", "#FF8A5B", "#F6DE3F", "#E31066", "#7157D8"),
)


def palette(is_dark: bool) -> Palette:
    """Returns the colors for a page."""
    return DARK if is_dark else LIGHT


def axis(title: str | None, values: list[float] | None = None, number_format: str = ".6~g", **more: object) -> alt.Axis:
    """Returns an axis without line and ticks, with a few labeled values."""
    return alt.Axis(title=title, format=number_format, **({"values": values} if values else {"tickCount": 5}), **more)


def zoom_of_steps() -> alt.Parameter:
    """Returns the selection "zoom" of a range of steps: its name keeps it through a refresh of the data.

    The wheel alone scrolls the page; with Ctrl, which is what pinching a trackpad sends, it zooms.
    """
    return alt.selection_interval(name=ZOOM, bind="scales", encodings=["x"], zoom="wheel![event.ctrlKey]")


def configure(chart: alt.Chart, colors: Palette) -> alt.Chart:
    """Gives a chart the look of the house: hairline grid, no frame, quiet axis words.

    The chart itself is changed: each of Altair's own `configure_` functions copies it, tables aside, with all layers.
    """
    chart.config = {
        "view": {"strokeWidth": 0},
        "concat": {"spacing": 12},
        "axis": {
            "gridColor": colors.grid,
            "gridWidth": 1,
            "domain": False,
            "ticks": False,
            "labelColor": colors.muted,
            "titleColor": colors.muted,
            "labelFontSize": LABEL_SIZE,
            "titleFontSize": LABEL_SIZE,
            "titleFontWeight": "normal",
            "labelPadding": 6,
            "titlePadding": 8,
        },
    }
    chart.padding = {"left": 4, "right": 8, "top": 4, "bottom": 4}
    return chart
