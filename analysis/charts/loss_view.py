"""The picture of the Loss page: the losses of some runs as a person chose to look at them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import curve_axis
from analysis.charts.loss import LossLook, LossMarks, loss_curves
from analysis.charts.pictures import Picture, caption_of, has_train_loss
from analysis.charts.theme import Palette
from analysis.charts.titles import loss_title
from analysis.curves import Curves, LineKey, cut_curves, line_keys
from analysis.eval_gaps import first_evaluation
from analysis.focus import Band, evaluation_steps, event_bands, start_loss
from analysis.literal import name
from analysis.readings import read_curves
from analysis.results import LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.smoothing import Smoothing

FIRST_STEPS = 32  # PLAYBOOK P4: early instability shows in the first steps
FIRST_POINTS = 2_000  # ours: of a picture that is a third as wide as that of all steps
INSET_FROM = 4 * FIRST_STEPS  # ours: a shorter picture shows its first steps well enough


@dataclass(frozen=True)
class LossView:
    """What a person chose; part of the key of a picture.

    Attributes:
        axis: What the x-axis shows, as `analysis.curve_axis` names it.
        is_log_x: Whether the x-axis is logarithmic.
        is_linear: Whether the y-axis is linear.
        is_cut: Whether losses above 1,000 times the start are cut off.
        smoothing: What is drawn on top of the raw losses.
    """

    axis: str = curve_axis.STEP
    is_log_x: bool = False
    is_linear: bool = False
    is_cut: bool = False
    smoothing: Smoothing | None = None


class Zoom(NamedTuple):
    """Parts of the x-axis: the one that is shown first, and the one that is on the screen now; None for all."""

    start: tuple[float, float] | None = None
    detail: tuple[float, float] | None = None


WHOLE = Zoom()


class Drawn(NamedTuple):
    """A picture and the numbers that it draws."""

    picture: Picture
    table: pd.DataFrame


def picture_of_view(
    runs: Sequence[RunDiagnosis],
    keys: dict[str, LineKey],
    names: dict[str, str],
    colors: Palette,
    window: tuple[int, int],
    view: LossView,
    zoom: Zoom = WHOLE,
    height: int = 480,
    notes: Sequence[tuple[int, str]] = (),
) -> Drawn:
    """Draws the losses of runs over a window of steps, with learning rates, crosshair and zoom.

    Args:
        runs: The runs; those without a time are left out of an axis of times.
        keys: How each is drawn.
        names: What each is called.
        colors: Colors of the page.
        window: First and last step.
        view: How it is looked at.
        zoom: What is zoomed into.
        height: Height in pixels.
        notes: Comments: the step and what each says.
    """
    curves = cut_curves(runs, keys, window=window, detail=zoom.detail, axis=view.axis, smoothing=view.smoothing)
    lr = cut_curves(runs, keys, schema.LR, window, detail=zoom.detail, axis=view.axis, has_medians=False)
    readings = read_curves(curves, runs, schema.TRAIN_LOSS, names, view.axis)
    marks = place_marks(runs, window, view.axis, notes)
    look = LossLook(view.axis, view.is_log_x, view.is_linear, not view.is_cut, zoom.start, zoom.detail, readings)
    axis = "training loss" if has_train_loss(runs) else "validation loss"
    chart = loss_curves(curves, marks, colors, lr, height, axis, can_zoom=True, look=look)
    title = loss_title(event_bands(runs, window), evaluation_steps(runs, window))
    alt = f"{title}; {len(runs)} run{'s' * (len(runs) != 1)}, steps {window[0]:,} to {window[1]:,}."
    picture = Picture(chart, title, _say(curves, marks, view), alt)
    return Drawn(picture, table_of(curves, names))


def _say(curves: Curves, marks: LossMarks, view: LossView) -> str:
    said = caption_of(curves, marks) if view.axis == curve_axis.STEP else caption_of(curves, LossMarks())
    if view.smoothing is not None:
        said = said.replace(", unsmoothed.", f". On top, thick: {view.smoothing}; the raw losses stay below it.")
        said = said.replace(" Thick: median of seeds.", "")
    return said


def place_marks(
    runs: Sequence[RunDiagnosis], window: tuple[int, int], axis: str, notes: Sequence[tuple[int, str]] = ()
) -> LossMarks:
    """Returns the marks of a picture where its x-axis has them; comments stand where the first run has their step."""
    start = start_loss(runs) if window[0] == 0 else None
    evaluations: Sequence[float] = evaluation_steps(runs, window)
    if axis == curve_axis.STEP:
        return LossMarks(event_bands(runs, window), start, evaluations, notes, with_cost=True)
    evaluated = next((judged for judged in runs if first_evaluation(judged.run) is not None), None)
    if evaluated is not None:
        evaluations = [float(at) for at in curve_axis.place(evaluated.run, np.array(evaluations), axis)]
    notes = place_notes(runs[0], notes, axis)
    bands = place_bands(runs, window, axis)
    return LossMarks(bands, start, [at for at in evaluations if math.isfinite(at)], notes, with_cost=True)


def place_notes(judged: RunDiagnosis, notes: Sequence[tuple[int, str]], axis: str) -> Sequence[tuple[float, str]]:
    """Returns comments where a run has their steps."""
    if axis == curve_axis.STEP or not notes:
        return notes
    at = curve_axis.place(judged.run, np.array([step for step, _ in notes]), axis)
    return [(float(each), text) for each, (_, text) in zip(at, notes, strict=True) if math.isfinite(each)]


def place_bands(runs: Sequence[RunDiagnosis], window: tuple[int, int], axis: str) -> tuple[Band, ...]:
    """Returns the events of runs in units of an x-axis, merged there."""
    placed = []
    for judged in runs:
        events = []
        for event in judged.confirmed:
            ends = [event.onset_step, window[1] if event.recovery_step is None else event.recovery_step]
            last = judged.run.loss[0][-1]
            onset, end = curve_axis.place(judged.run, np.minimum(ends, last), axis)
            if math.isfinite(onset) and math.isfinite(end):
                end = None if event.recovery_step is None else float(end)
                events.append(replace(event, onset_step=float(onset), recovery_step=end))
        placed.append(replace(judged, events=tuple(events)))
    return event_bands(placed, curve_axis.span(runs, window, axis))


def picture_of_first_steps(
    runs: Sequence[RunDiagnosis], keys: dict[str, LineKey], colors: Palette, view: LossView, height: int = 480
) -> Picture | None:
    """Draws the first 32 steps of runs that were logged from their start; None without such runs."""
    early = [judged for judged in runs if int(np.sum(judged.run.loss[0] < FIRST_STEPS)) >= FIRST_STEPS // 8]
    if not early:
        return None
    window = 0, FIRST_STEPS
    curves = cut_curves(early, keys, window=window, max_points=FIRST_POINTS)
    bands = tuple(replace(band, times=math.nan) for band in event_bands(early, window))  # no room for words
    readings = read_curves(curves, early, schema.TRAIN_LOSS)
    look = LossLook(is_linear=view.is_linear, is_whole=not view.is_cut, readings=readings)
    chart = loss_curves(curves, LossMarks(bands, start_loss(early)), colors, height=height, title="", look=look)
    rose = sum(any(event.onset_step < FIRST_STEPS for event in judged.confirmed) for judged in early)
    title = f"The first {FIRST_STEPS} steps"
    said = f"Rises that begin here: in {rose} of {len(early)} run{'s' * (len(early) != 1)}."
    return Picture(chart, title, said, f"{title}: {said}")


def keys_among(
    runs: Sequence[RunDiagnosis], sweep: LrSweep | None, among: Sequence[RunDiagnosis]
) -> dict[str, LineKey]:
    """Returns how runs are drawn, with labels that may be shown and colors that a smaller picture does not change."""
    return {run_id: replace(key, label=name(key.label)) for run_id, key in line_keys(runs, sweep, among).items()}


def table_of(curves: Curves, names: dict[str, str]) -> pd.DataFrame:
    """Returns what is drawn, one row per point: run, line, step, the position where it is another, and the value."""
    points = curves.points
    kinds = np.where(points["is_smooth"].astype(bool), "smoothed", np.where(points["is_median"], "median", "raw"))
    table = {
        "run": points["run_id"].map(names).fillna("").to_numpy(),
        "line": points["label"].to_numpy(),
        "kind": kinds,
        "step": points["step"].to_numpy(),
        "at": points["at"].to_numpy(),
        curves.column: points["value"].to_numpy(),
    }
    return pd.DataFrame(table)
