"""What every run of a picture says at one place of the x-axis: the value it logged nearest to it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis import curve_axis
from analysis.curves import AT, IS_MEDIAN, IS_SMOOTH, LABEL, VALUE, Curves
from analysis.results import RunDiagnosis
from analysis.runlog import schema
from analysis.thinning import thin

MOST_PLACES = 200  # ours: one every few pixels, every extreme among them; each is a mark that the browser keeps
MOST_READINGS = 12  # ours: lines of a table that is read beside the mouse


def read_curves(
    curves: Curves,
    runs: Sequence[RunDiagnosis],
    column: str,
    names: Mapping[str, str] | None = None,
    axis: str = curve_axis.STEP,
) -> pd.DataFrame:
    """Reads every run at the places where something is drawn.

    Args:
        curves: The picture's curves.
        runs: Its runs.
        column: Column of the steps table, as in `cut_curves`.
        names: What each run is called, by run_id; None where labels are read, not runs.
        axis: What the x-axis shows.

    Returns:
        One row per place, ascending: at, from and to (half way to its neighbours), step (of the first run there), and
        one column of words a run, or a label where the runs are too many or have no names: the value, and its step
        where that is another.
    """
    table = _places(curves)
    at = table["at"]
    if not len(at):
        return pd.DataFrame(table)
    read = {judged.run.run_id: _read(judged, column, at, axis) for judged in runs}
    read = {run_id: reading for run_id, reading in read.items() if reading is not None}
    if names is not None and len(read) <= MOST_READINGS:
        said = {names[run_id]: _say(*reading, at, axis) for run_id, reading in read.items()}
    else:
        labels = curves.points.drop_duplicates(schema.RUN_ID).set_index(schema.RUN_ID)[LABEL]
        said = _say_groups({run_id: reading[1] for run_id, reading in read.items()}, labels)
    return pd.DataFrame(table | said)


def read_columns(
    curves: Curves, judged: RunDiagnosis, columns: Mapping[str, str], axis: str = curve_axis.STEP
) -> pd.DataFrame:
    """Reads several columns of one run at the places where something is drawn.

    Args:
        curves: The picture's curves.
        judged: The run.
        columns: Columns of the steps table, by what they are called; those without a value are left out.
        axis: What the x-axis shows.

    Returns:
        As `read_curves`, one column of words a column that was logged.
    """
    table = _places(curves)
    if len(table["at"]):
        for name, column in columns.items():
            reading = _read(judged, column, table["at"], axis)
            if reading is not None:
                table[name] = _say(*reading, table["at"], axis)
    return pd.DataFrame(table)


def _places(curves: Curves) -> dict[str, np.ndarray]:
    """Returns the columns that tell where is read."""
    at, steps = choose_places(curves)
    if not len(at):
        return dict.fromkeys(("at", "from", "to", schema.STEP), at)
    middle = (at[1:] + at[:-1]) / 2
    ends = {"from": np.r_[curves.window[0], middle], "to": np.r_[middle, curves.window[1]]}
    return {"at": at, **ends, schema.STEP: steps}


def choose_places(curves: Curves) -> tuple[np.ndarray, np.ndarray]:
    """Chooses the places to read at, and the step of each: drawn points, of which no extreme is lost."""
    own = curves.points[~curves.points[IS_MEDIAN].astype(bool) & ~curves.points[IS_SMOOTH].astype(bool)]
    if own.empty:
        return np.empty(0), np.empty(0, np.int64)
    highest = own.groupby(AT).agg({VALUE: "max", schema.STEP: "first"})
    kept = thin(highest[VALUE].to_numpy(), MOST_PLACES)
    return highest.index.to_numpy(float)[kept], highest[schema.STEP].to_numpy(np.int64)[kept]


def _read(judged: RunDiagnosis, column: str, at: np.ndarray, axis: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns step and value that a run logged nearest to each place; None for a run without any."""
    steps, values = judged.run.loss if column == schema.TRAIN_LOSS else judged.run.series(column)
    places = curve_axis.place(judged.run, steps, axis).astype(float)
    known = np.flatnonzero(np.isfinite(places))
    known = known[np.argsort(places[known], kind="stable")]  # the time of a resumed run may start again
    steps, values, places = steps[known], values[known], places[known]
    if not len(places):
        return None
    after = np.clip(np.searchsorted(places, at), 1, max(len(places) - 1, 1))
    after = np.minimum(after, len(places) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(places[before] - at) <= np.abs(places[after] - at), before, after)
    return steps[nearest], values[nearest]


def _say(steps: np.ndarray, values: np.ndarray, at: np.ndarray, axis: str) -> list[str]:
    words = [f"{value:.3g}" if np.isfinite(value) else "not finite" for value in values]
    if axis != curve_axis.STEP:
        return [f"{said} at step {step:,}" for said, step in zip(words, steps, strict=True)]
    return [
        said if step == place else f"{said} at step {step:,}"
        for said, step, place in zip(words, steps, at, strict=True)
    ]


def _say_groups(values: Mapping[str, np.ndarray], labels: pd.Series) -> dict[str, list[str]]:
    """Says lowest and highest value of the runs of each label; of all further runs together where these are many."""
    groups: dict[str, list[np.ndarray]] = {}
    for run_id, each in values.items():
        label = labels.get(run_id, "other runs")
        is_known = label in groups or len(groups) < MOST_READINGS - 1
        groups.setdefault(label if is_known else "other runs", []).append(each)
    return {
        f"{label} ({len(each)} run{'s' * (len(each) != 1)})": _say_range(np.array(each))
        for label, each in groups.items()
    }


def _say_range(values: np.ndarray) -> list[str]:
    """Says the range of each column of an array of shape (runs, places)."""
    is_finite = np.isfinite(values)
    lows, highs = np.where(is_finite, values, np.inf).min(0), np.where(is_finite, values, -np.inf).max(0)
    said = []
    for low, high, lost in zip(lows, highs, (~is_finite).sum(0), strict=True):
        span = f"{low:.3g} to {high:.3g}" if high > low else f"{low:.3g}"
        said.append((span if low <= high else "none finite") + (f", {lost} not finite" if lost and low <= high else ""))
    return said
