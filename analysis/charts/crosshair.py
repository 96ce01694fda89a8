"""The crosshair: one rule through loss and learning rate, and what every drawn run says there."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from analysis import curve_axis
from analysis.charts.labels import shorten
from analysis.charts.step_axis import StepAxis
from analysis.charts.theme import Palette
from analysis.runlog import schema

NAME = "crosshair"
PLACES = ("at", "from", "to", schema.STEP)


def crosshair(
    readings: pd.DataFrame, axis_: StepAxis, colors: Palette, zoom: Sequence[alt.Parameter] = ()
) -> list[alt.Chart]:
    """Draws nothing until the mouse is over a step: then a rule, and a table of all values.

    One unseen bar a place catches the mouse, so no point of any line has to.

    Args:
        readings: As `analysis.readings.read_curves` returns them.
        axis_: The x-axis.
        colors: Colors of the page.
        zoom: The selection that zooms: on the same layer, for Altair gives every selection the layers of all.
    """
    said = [name for name in readings.columns if name not in PLACES]
    fields = {name: f"r{index}" for index, name in enumerate(said)}  # a name may hold what Vega reads as a path
    table = readings.rename(columns=fields)
    tip = [alt.Tooltip("step:Q", title="step", format=",d")]
    if axis_.kind != curve_axis.STEP:
        tip = [alt.Tooltip("at:Q", title=curve_axis.TITLES[axis_.kind], format=curve_axis.FORMATS[axis_.kind])]
    tip += [alt.Tooltip(f"{field}:N", title=shorten(name)) for name, field in fields.items()]
    over = alt.selection_point(name=NAME, on="pointerover", clear="pointerout", fields=["at"], empty=False)
    bars = (
        alt.Chart(table)
        .mark_rect(opacity=0, clip=True, aria=False)
        .encode(x=axis_.encode("from"), x2="to:Q", tooltip=tip)
    )
    places = alt.Chart(table[["at"]]).mark_rule(strokeWidth=1, opacity=0.7, clip=True, aria=False)
    rule = places.encode(x="at:Q", color=alt.value(colors.ink)).transform_filter(over)
    return [rule, bars.add_params(over, *zoom)]
