"""Curves for pictures: which runs, which steps, and the points of them that are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.lr_words import number
from analysis.results import LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.series import shorten_label
from analysis.thinning import MAX_POINTS, share_points, thin

LABEL, VALUE, STATE, SHADE, IS_MEDIAN = "label", "value", "state", "shade", "is_median"
STATES = ("below", "lr_star", "above", "control", "other")
DETAIL_PART = 5  # ours: one fifth of the points stays for the surroundings of a detail
SHADES = 4  # as many steps as the color ramps have


@dataclass(frozen=True)
class LineKey:
    """How a run is drawn: the same in every picture of the study.

    Attributes:
        label: What is written at the end of its line; runs that differ in the seed only share one.
        state: One of STATES.
        shade: Step of the color ramp of that state, 0 is nearest to lr_star.
    """

    label: str
    state: str
    shade: int


@dataclass(frozen=True)
class Lost:
    """Where a run stops being finite.

    Attributes:
        run_id: The run.
        label: Label of its line.
        last_step: Last finite step; the first step for a run without one.
        last_value: Value there; NaN for a run without one.
        lost_from: First step that is not finite and after which none is.
    """

    run_id: str
    label: str
    last_step: int
    last_value: float
    lost_from: int


@dataclass(frozen=True)
class Curves:
    """Points of a picture of curves.

    Attributes:
        column: Column of the steps table that was taken.
        points: One row per drawn point: run_id (empty for a median of seeds), label, step, value (NaN breaks the
            line), state, shade, is_median.
        lost: Runs that stop being finite inside the window.
        window: First and last step of the picture.
        num_points: Points in the window before thinning.
        num_drawn: Points that are drawn.
    """

    column: str
    points: pd.DataFrame
    lost: tuple[Lost, ...]
    window: tuple[int, int]
    num_points: int
    num_drawn: int


def line_keys(runs: Sequence[RunDiagnosis], sweep: LrSweep | None) -> dict[str, LineKey]:
    """Returns how each run of a picture is drawn, by run_id.

    State and shade come from the sweep alone, so leaving a run out never recolors another; labels name only what
    differs between the runs of the picture.

    Args:
        runs: Runs of the picture.
        sweep: Sweep in focus; runs of other series are controls. None: every line is "other", shaded in turn.
    """
    series = {judged.series for judged in runs}
    names = {
        each: shorten_label(each, series - {each}).replace("=", " ").replace("_", " ") if len(series) > 1 else ""
        for each in series
    }
    labels = {judged.run.run_id: _label(judged, names[judged.series]) for judged in runs}
    if sweep is None or sweep.lr_star is None:
        turn = {label: index for index, label in enumerate(sorted(set(labels.values())))}
        return {run_id: LineKey(label, "other", turn[label]) for run_id, label in labels.items()}
    shades = _shades(sorted({run.base_lr for run in sweep.runs}), sweep.lr_star)
    keys = {}
    for judged in runs:
        inside = judged.series == sweep.series and judged.run.base_lr in shades
        state, shade = shades[judged.run.base_lr] if inside else ("control", 0)
        keys[judged.run.run_id] = LineKey(labels[judged.run.run_id], state, shade)
    return keys


def _label(judged: RunDiagnosis, series: str) -> str:
    lr = judged.run.base_lr
    if lr is None:
        return judged.run.name
    return f"{series}, lr {number(lr)}" if series else f"lr {number(lr)}"


def _shades(lrs: list[float], lr_star: float) -> dict[float, tuple[str, int]]:
    below = [lr for lr in lrs if lr < lr_star][::-1]
    above = [lr for lr in lrs if lr > lr_star]
    shades = {lr_star: ("lr_star", 0)}
    shades |= {lr: ("below", min(index, SHADES - 1)) for index, lr in enumerate(below)}
    return shades | {lr: ("above", min(index, SHADES - 1)) for index, lr in enumerate(above)}


def cut_curves(
    runs: Sequence[RunDiagnosis],
    keys: dict[str, LineKey],
    column: str = schema.TRAIN_LOSS,
    window: tuple[int, int] | None = None,
    max_points: int = MAX_POINTS,
    detail: tuple[int, int] | None = None,
) -> Curves:
    """Cuts the curves of runs out of their logs, with the median of the seeds where a label has several.

    Args:
        runs: Runs to draw.
        keys: How each is drawn, as `line_keys` returns it.
        column: Column of the steps table; train_loss falls back to eval_loss where it was not logged.
        window: First and last step; None is everything.
        max_points: Points of the picture.
        detail: Steps that are looked at closely and get most of the points.
    """
    lo, hi = window or (0, max((int(judged.run.steps[schema.STEP][-1].as_py()) for judged in runs), default=1))
    lines, lost = [], []
    for judged in runs:
        steps, values = judged.run.loss if column == schema.TRAIN_LOSS else judged.run.series(column)
        inside = (steps >= lo) & (steps <= hi)
        steps, values = steps[inside], values[inside]
        if len(steps):
            key = keys[judged.run.run_id]
            lines.append((judged.run.run_id, key, steps, values))
            lost += find_lost(judged.run.run_id, key.label, steps, values)
    num_points = sum(len(line[2]) for line in lines)
    lines += _medians(lines)
    shares = share_points([len(line[2]) for line in lines], max_points)
    tables = [_table(*line, share, detail) for line, share in zip(lines, shares, strict=True)]
    columns = [schema.RUN_ID, LABEL, schema.STEP, VALUE, STATE, SHADE, IS_MEDIAN]
    points = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    own = (points[schema.RUN_ID] != "").sum()
    return Curves(column, points, tuple(lost), (lo, hi), num_points, int(own))


def find_lost(run_id: str, label: str, steps: np.ndarray, values: np.ndarray) -> list[Lost]:
    """Returns where the values stop being finite for good, as a list of one or none."""
    if not len(values) or np.isfinite(values[-1]):
        return []
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return [Lost(run_id, label, int(steps[0]), float("nan"), int(steps[0]))]
    last = finite[-1]
    return [Lost(run_id, label, int(steps[last]), float(values[last]), int(steps[last + 1]))]


def _medians(lines: list[tuple[str, LineKey, np.ndarray, np.ndarray]]) -> list[tuple]:
    """Returns the median line of each label that several runs share; a non-finite value counts as the highest."""
    by_key: dict[LineKey, list[pd.Series]] = {}
    for _, key, steps, values in lines:
        by_key.setdefault(key, []).append(pd.Series(np.where(np.isfinite(values), values, np.inf), steps))
    medians = []
    for key, members in by_key.items():
        if len(members) > 1:
            middle = pd.concat(members, axis=1).median(axis=1).sort_index()
            medians.append(("", key, middle.index.to_numpy(), middle.to_numpy()))
    return medians


def _table(
    run_id: str, key: LineKey, steps: np.ndarray, values: np.ndarray, share: int, detail: tuple[int, int] | None
) -> pd.DataFrame:
    kept = _choose_points(steps, values, share, detail)
    values = np.where(np.isfinite(values[kept]), values[kept], np.nan)
    row = {schema.RUN_ID: run_id, LABEL: key.label, STATE: key.state, SHADE: key.shade, IS_MEDIAN: run_id == ""}
    return pd.DataFrame({schema.STEP: steps[kept], VALUE: values, **row})


def _choose_points(steps: np.ndarray, values: np.ndarray, share: int, detail: tuple[int, int] | None) -> np.ndarray:
    """Returns the indices of the points to draw: most of the share inside the detail, the rest evenly around it."""
    if detail is None or share >= len(values):
        return thin(values, share)
    inside = np.flatnonzero((steps >= detail[0]) & (steps <= detail[1]))
    outside = thin(values, share // DETAIL_PART)
    outside = outside[(outside < inside[0]) | (outside > inside[-1])] if len(inside) else outside
    close = inside[thin(values[inside], share - share // DETAIL_PART)] if len(inside) else inside
    return np.union1d(outside, close)
