"""What the mouse over a picture of lines tells: what every line says there, and for crosshairs a rule.

One unseen bar a place catches the mouse, so no point of any line has to: thousands of unseen points take the browser
longer than all lines.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from analysis import curve_axis
from analysis.charts.labels import shorten
from analysis.charts.step_axis import StepAxis
from analysis.charts.theme import Palette
from analysis.readings import MOST_PLACES
from analysis.runlog import schema
from analysis.thinning import thin

NAME = "crosshair"
PLACES = ("at", "from", "to", schema.STEP)


def crosshair(
    readings: pd.DataFrame, axis_: StepAxis, colors: Palette, zoom: Sequence[alt.Parameter] = ()
) -> list[alt.Chart]:
    """Draws nothing until the mouse is over a step: then a rule, and a table of all values.

    Args:
        readings: As `analysis.readings.read_curves` returns them.
        axis_: The x-axis.
        colors: Colors of the page.
        zoom: The selection that zooms: on the same layer, for Altair gives every selection the layers of all.
    """
    place = alt.Tooltip("step:Q", title="step", format=",d")
    if axis_.kind != curve_axis.STEP:
        place = alt.Tooltip("at:Q", title=curve_axis.TITLES[axis_.kind], format=curve_axis.FORMATS[axis_.kind])
    bars = tell(readings, place)
    over = alt.selection_point(name=NAME, on="pointerover", clear="pointerout", fields=["at"], empty=False)
    places = alt.Chart(readings[["at"]]).mark_rule(strokeWidth=1, opacity=0.7, clip=True, aria=False)
    rule = places.encode(x=alt.X("at:Q"), color=alt.ColorValue(colors.ink)).transform_filter(over)
    return [rule, bars.add_params(over, *zoom)]


def tell(readings: pd.DataFrame, place: alt.Tooltip) -> alt.Chart:
    """Draws unseen bars that tell what is read at each place.

    Args:
        readings: One row a place: at, from and to, and a column of words or numbers for each thing that is read.
        place: What tells the place.
    """
    said = [name for name in readings.columns if name not in PLACES]
    fields = {name: f"r{index}" for index, name in enumerate(said)}  # a name may hold what Vega reads as a path
    tip = [place, *(alt.Tooltip(f"{field}:N", title=shorten(name)) for name, field in fields.items())]
    bars = alt.Chart(readings.rename(columns=fields)).mark_rect(opacity=0, clip=True, aria=False)
    return bars.encode(x=alt.X("from:Q"), x2=alt.X2("to:Q"), tooltip=tip)


def read_lines(points: pd.DataFrame, at: str, line: str, value: str) -> pd.DataFrame:
    """Reads lines at places where points of them are drawn, extremes among them: of each the point that is nearest.

    Args:
        points: Points of the lines.
        at: Column of where they stand on the x-axis.
        line: Column of what line each belongs to.
        value: Column of the values; NaN is told as "none".

    Returns:
        One row per place, ascending: at, from and to (half way to its neighbors), and one column of words a line.
    """
    highest = points.groupby(at)[value].max()
    places = highest.index.to_numpy(float)[thin(highest.to_numpy(float), MOST_PLACES)]
    middle = (places[1:] + places[:-1]) / 2
    ends = points[at].min(), points[at].max()
    table = {"at": places, "from": np.r_[ends[0], middle][: len(places)], "to": np.r_[middle, ends[1]][: len(places)]}
    for name, own in points.sort_values(at, kind="stable").groupby(line, sort=False):
        spots, values = own[at].to_numpy(float), own[value].to_numpy(float)
        after = np.clip(np.searchsorted(spots, places), min(1, len(spots) - 1), len(spots) - 1)
        before = np.maximum(after - 1, 0)
        nearest = np.where(places - spots[before] <= spots[after] - places, before, after)
        table[name] = [f"{each:.3g}" if np.isfinite(each) else "none" for each in values[nearest]]
    return pd.DataFrame(table)
