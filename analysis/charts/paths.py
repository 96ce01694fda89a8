"""Many lines in one path: a browser draws one path of a hundred lines far faster than a hundred paths."""

import numpy as np
import pandas as pd

from analysis.charts.theme import LINE
from analysis.runlog import schema

PATH = LINE | {"order": False}  # points in the order of the table; Vega-Lite would sort all of a path by x


def lift_pen(points: pd.DataFrame, value: str, line: str = schema.RUN_ID) -> pd.DataFrame:
    """Returns the points with a row of no line between two lines, at which nothing is drawn: one path holds many.

    Args:
        points: Points of lines, those of a line one after another.
        value: Column that is drawn; it is NaN in the rows between.
        line: Column of what line each point belongs to; it is "" there.

    >>> lift_pen(pd.DataFrame({"run_id": ["a", "a", "b"], "loss": [1.0, 2.0, 3.0]}), "loss")["loss"].tolist()
    [1.0, 2.0, nan, 3.0]
    """
    starts = np.flatnonzero((points[line] != points[line].shift()).to_numpy())[1:]
    rows = points.iloc[np.sort(np.r_[np.arange(len(points)), starts])].reset_index(drop=True)
    between = starts + np.arange(len(starts))
    rows.loc[between, value], rows.loc[between, line] = np.nan, ""
    return rows
