"""Curves for pictures: which runs, which steps, and the points of them that are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import curve_axis
from analysis.lr_words import number
from analysis.not_finite import Lost, find_gaps, find_lost
from analysis.results import LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.series import shorten_label
from analysis.smoothing import Smoothing, smooth
from analysis.thinning import MAX_POINTS, share_points, thin

LABEL, VALUE, STATE, SHADE, IS_MEDIAN = "label", "value", "state", "shade", "is_median"
AT, IS_SMOOTH = "at", "is_smooth"
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
class Curves:
    """Points of a picture of curves.

    Attributes:
        column: Column of the steps table that was taken.
        points: One row per drawn point: run_id (empty for a median of seeds), label, step, value (NaN breaks the
            line), state, shade, is_median, at (where it stands on the x-axis), is_smooth.
        lost: Runs that stop being finite inside the window.
        window: Ends of the x-axis; of one of steps, first and last step of the picture.
        num_points: Points in the window before thinning.
        num_drawn: Points that are drawn.
        gaps: Stretches of the window that are not finite and after which the run came back.
    """

    column: str
    points: pd.DataFrame
    lost: tuple[Lost, ...]
    window: tuple[float, float]
    num_points: int
    num_drawn: int
    gaps: tuple[Lost, ...] = ()


class Line(NamedTuple):
    """One line before thinning: run_id (empty for a median of seeds), how it is drawn, and arrays of shape (n,)."""

    run_id: str
    key: LineKey
    steps: np.ndarray
    at: np.ndarray
    values: np.ndarray
    is_smooth: bool = False


def line_keys(
    runs: Sequence[RunDiagnosis], sweep: LrSweep | None, among: Sequence[RunDiagnosis] = ()
) -> dict[str, LineKey]:
    """Returns how each run of a picture is drawn, by run_id.

    State and shade come from the sweep alone, so leaving a run out never recolors another; labels name only what
    differs between the runs of the picture.

    Args:
        runs: Runs of the picture.
        sweep: Sweep in focus; runs of other series are controls. None: every line is "other", shaded in turn.
        among: Runs whose order gives those turns, so that a run keeps its color in a picture without some of them.
    """
    series = {judged.series for judged in runs}
    names = {
        each: shorten_label(each, series - {each}).replace("=", " ").replace("_", " ") if len(series) > 1 else ""
        for each in series
    }
    labels = {judged.run.run_id: _label(judged, names[judged.series]) for judged in runs}
    if sweep is None or sweep.lr_star is None:
        turns = {
            label: index for index, label in enumerate(sorted({_label(each, each.series) for each in among or runs}))
        }
        full = {judged.run.run_id: _label(judged, judged.series) for judged in runs}
        return {run_id: LineKey(label, "other", turns[full[run_id]]) for run_id, label in labels.items()}
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
    detail: tuple[float, float] | None = None,
    axis: str = curve_axis.STEP,
    smoothing: Smoothing | None = None,
    has_medians: bool = True,
) -> Curves:
    """Cuts the curves of runs out of their logs, with the median of the seeds where a label has several.

    Args:
        runs: Runs to draw.
        keys: How each is drawn, as `line_keys` returns it.
        column: Column of the steps table; train_loss falls back to eval_loss where it was not logged.
        window: First and last step; None is everything.
        max_points: Points of the picture.
        detail: Part of the x-axis that is looked at closely and gets most of the points.
        axis: What the x-axis shows, as `analysis.curve_axis` names it; points without a time are left out.
        smoothing: What is drawn on top of every line that is not one of several seeds.
        has_medians: Whether there are medians.
    """
    lo, hi = window or (0, max((int(judged.run.steps[schema.STEP][-1].as_py()) for judged in runs), default=1))
    lines, lost, gaps = [], [], []
    for judged in runs:
        line = _cut(judged, keys[judged.run.run_id], column, (lo, hi), axis)
        if len(line.steps):
            lines.append(line)
            arrays = line.run_id, line.key.label, line.steps, line.values, line.at
            lost, gaps = lost + find_lost(*arrays), gaps + find_gaps(*arrays)
    num_points = sum(len(line.steps) for line in lines)
    lines += _medians(lines) if has_medians else []
    lines += [_smoothed(line, smoothing) for line in _leading(lines)] if smoothing else []
    shares = share_points([len(line.steps) for line in lines], max_points)
    points = _table(lines, shares, detail)
    own = ((points[schema.RUN_ID] != "") & ~points[IS_SMOOTH].astype(bool)).sum()
    ends = curve_axis.span(runs, (lo, hi), axis)
    return Curves(column, points, tuple(lost), ends, num_points, int(own), tuple(gaps))


def _cut(judged: RunDiagnosis, key: LineKey, column: str, window: tuple[int, int], axis: str) -> Line:
    steps, values = judged.run.loss if column == schema.TRAIN_LOSS else judged.run.series(column)
    inside = (steps >= window[0]) & (steps <= window[1])
    steps, values = steps[inside], values[inside]
    if axis == curve_axis.STEP:
        return Line(judged.run.run_id, key, steps, steps, values)
    at = curve_axis.place(judged.run, steps, axis)
    known = np.isfinite(at)
    return Line(judged.run.run_id, key, steps[known], at[known], values[known])


def _medians(lines: list[Line]) -> list[Line]:
    """Returns the median line of each label that several runs share; a non-finite value counts as the highest."""
    by_key: dict[LineKey, list[Line]] = {}
    for line in lines:
        by_key.setdefault(line.key, []).append(line)
    medians = []
    for key, members in by_key.items():
        if len(members) > 1:
            shown = [np.where(np.isfinite(line.values), line.values, np.inf) for line in members]
            middle = _median([pd.Series(values, line.steps) for values, line in zip(shown, members, strict=True)])
            is_placed = any(line.at is not line.steps for line in members)
            at = _median([pd.Series(line.at, line.steps) for line in members]) if is_placed else middle.index
            medians.append(Line("", key, middle.index.to_numpy(), at.to_numpy(), middle.to_numpy()))
    return medians


def _median(members: list[pd.Series]) -> pd.Series:
    """Returns the median at every step over the members that logged it; pandas takes ten times as long."""
    steps = members[0].index
    if not all(steps.equals(each.index) for each in members):
        steps = steps.append([each.index for each in members[1:]]).unique().sort_values()
        members = [each.reindex(steps) for each in members]
    values = np.sort([each.to_numpy() for each in members], axis=0)  # NaN, not logged, comes last
    columns, logged = np.arange(len(steps)), (~np.isnan(values)).sum(axis=0)
    low, high = values[(logged - 1) // 2, columns], values[logged // 2, columns]
    return pd.Series(np.where(logged % 2 == 1, low, (low + high) / 2), steps)


def _leading(lines: list[Line]) -> list[Line]:
    """Returns the median of each label, and the runs that are the only ones of theirs."""
    has_median = {line.key for line in lines if line.run_id == ""}
    return [line for line in lines if line.run_id == "" or line.key not in has_median]


def _smoothed(line: Line, smoothing: Smoothing) -> Line:
    return line._replace(values=smooth(line.steps, line.values, smoothing), is_smooth=True)


def _table(lines: list[Line], shares: list[int], detail: tuple[float, float] | None) -> pd.DataFrame:
    """Returns the points of all lines in one table: one table a line takes longer than all else."""
    columns = [schema.RUN_ID, LABEL, schema.STEP, VALUE, STATE, SHADE, IS_MEDIAN, AT, IS_SMOOTH]
    if not lines:
        return pd.DataFrame(columns=columns)
    kept = [_choose_points(line.at, line.values, share, detail) for line, share in zip(lines, shares, strict=True)]
    values = np.concatenate([line.values[chosen] for line, chosen in zip(lines, kept, strict=True)])
    of_lines = {
        schema.RUN_ID: [line.run_id for line in lines],
        LABEL: [line.key.label for line in lines],
        STATE: [line.key.state for line in lines],
        SHADE: [line.key.shade for line in lines],
        IS_MEDIAN: [line.run_id == "" for line in lines],
        IS_SMOOTH: [line.is_smooth for line in lines],
    }
    owner = np.repeat(np.arange(len(lines)), [len(chosen) for chosen in kept])
    table = pd.DataFrame(of_lines).take(owner).reset_index(drop=True)
    table[schema.STEP] = np.concatenate([line.steps[chosen] for line, chosen in zip(lines, kept, strict=True)])
    table[VALUE] = np.where(np.isfinite(values), values, np.nan)
    table[AT] = np.concatenate([line.at[chosen] for line, chosen in zip(lines, kept, strict=True)])
    return table[columns]


def _choose_points(at: np.ndarray, values: np.ndarray, share: int, detail: tuple[float, float] | None) -> np.ndarray:
    """Returns the indices of the points to draw: most of the share inside the detail, the rest evenly around it."""
    if detail is None or share >= len(values):
        return thin(values, share)
    inside = np.flatnonzero((at >= detail[0]) & (at <= detail[1]))
    outside = thin(values, share // DETAIL_PART)
    outside = outside[(outside < inside[0]) | (outside > inside[-1])] if len(inside) else outside
    close = inside[thin(values[inside], share - share // DETAIL_PART)] if len(inside) else inside
    return np.union1d(outside, close)
