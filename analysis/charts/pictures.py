"""Pictures of a diagnosis, for pages and reports: choose, cut, draw, and say in the caption how much was drawn."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import altair as alt

from analysis.charts.drawing import write_spec
from analysis.charts.loss import LossLook, LossMarks, loss_curves
from analysis.charts.lr_axis import lr_axis
from analysis.charts.theme import Palette
from analysis.charts.titles import loss_title, sweep_title
from analysis.curves import Curves, LineKey, cut_curves, line_keys
from analysis.focus import (
    choose_control,
    choose_window,
    evaluation_steps,
    event_bands,
    first_lrs,
    median_objectives,
    runs_of,
    start_loss,
)
from analysis.literal import literal, name
from analysis.readings import read_curves
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.series import shorten_label

MOST_LINES = 8  # ours: lines of the first picture of a study without a learning-rate axis


@dataclass(frozen=True)
class Picture:
    """A chart and its words.

    Attributes:
        chart: The chart.
        title: What it shows.
        caption: What was drawn, and how.
        alt: What it shows, for those who do not see it.
    """

    chart: alt.TopLevelMixin
    title: str
    caption: str
    alt: str

    @cached_property
    def spec(self) -> dict:
        """The chart as `drawing.write_spec` writes it, written once."""
        return write_spec(self.chart)


def names_of(diagnosis: Diagnosis) -> dict[str, str]:
    """Returns the names of all runs, by run_id, as charts may show them; links hold them, so each differs.

    Where names are alike the series is named, too, and where that is not enough, the run_id.
    """
    names = {judged.run.run_id: name(judged.run.name) for judged in diagnosis.runs}
    series = {judged.run.run_id: name(judged.series) for judged in diagnosis.runs}
    kinds = Counter(said for said, _ in {(names[run_id], series[run_id]) for run_id in names})
    names = {run_id: f"{said}, {series[run_id]}" if kinds[said] > 1 else said for run_id, said in names.items()}
    times = Counter(names.values())
    return {run_id: f"{said} ({run_id})" if times[said] > 1 else said for run_id, said in names.items()}


def picture_of_sweep(
    diagnosis: Diagnosis,
    sweep: LrSweep,
    colors: Palette,
    height: int = 320,
    links: Sequence[float] = (),
    with_control: bool = True,
) -> Picture:
    """Draws the learning-rate axis of a sweep, with a control where the study has one.

    Args:
        diagnosis: The study.
        sweep: The sweep.
        colors: Colors of the page.
        height: Height in pixels.
        links: Learning rates to mark with a rule.
        with_control: Whether a control is drawn too.
    """
    control = choose_control(diagnosis, sweep) if with_control else None
    controls = [control] if control else []
    shown_runs = sum(len(each.runs) for each in (sweep, *controls))
    chart = lr_axis(
        literal_sweep(sweep),
        median_objectives(sweep),
        colors,
        [literal_sweep(each) for each in controls],
        names_of(diagnosis),
        height,
        links,
    )
    caption = f"{shown_runs} of {len(diagnosis.runs)} runs. Line: median of seeds."
    if controls and sweep.unstable_bracket is not None:
        caption += (
            f" Band: unstable for {shorten_label(sweep.series, [control.series]).replace('=', ' ').replace('_', ' ')}."
        )
    return Picture(chart, sweep_title(sweep), caption, sweep.sentence)


def literal_sweep(sweep: LrSweep) -> LrSweep:
    """Returns a sweep whose label may be shown."""
    return replace(sweep, series=literal(sweep.series))


def literal_keys(runs: Sequence[RunDiagnosis], sweep: LrSweep | None) -> dict[str, LineKey]:
    """Returns how runs are drawn, with labels that may be shown."""
    return {run_id: replace(key, label=name(key.label)) for run_id, key in line_keys(runs, sweep).items()}


def first_runs(diagnosis: Diagnosis, sweep: LrSweep | None) -> list[RunDiagnosis]:
    """Chooses the runs of the first loss picture: lr_star, the next above, and the control there."""
    if sweep is None:
        unstable_first = sorted(diagnosis.runs, key=lambda judged: judged.verdict != "unstable")
        return unstable_first[:MOST_LINES]
    lrs = first_lrs(sweep)
    control = choose_control(diagnosis, sweep)
    return runs_of(diagnosis, sweep, lrs) + (runs_of(diagnosis, control, lrs[1:]) if control else [])


def picture_of_loss(
    runs: Sequence[RunDiagnosis],
    sweep: LrSweep | None,
    colors: Palette,
    window: tuple[int, int] | None = None,
    height: int = 320,
    detail: tuple[int, int] | None = None,
    with_lr: bool = False,
    beside: Sequence[RunDiagnosis] = (),
    with_points: bool = False,
    is_small: bool = False,
) -> Picture:
    """Draws the losses of runs over the steps that show their finding.

    Args:
        runs: The runs.
        sweep: Sweep whose lr_star gives the colors, None for none.
        colors: Colors of the page.
        window: First and last step, chosen from the events when None.
        height: Height in pixels.
        detail: Steps that are zoomed into and get most of the points.
        with_lr: Whether a strip with the learning rates stands below, and the steps can be zoomed into.
        beside: Runs of pictures beside this one, which share its y-axis.
        with_points: Whether every logged loss is a dot.
        is_small: Whether there is no room for words beside the events.
    """
    window = window or choose_window(runs)
    keys = literal_keys([*runs, *beside], sweep)
    curves = cut_curves(runs, keys, window=window, detail=detail)
    panels = [cut_curves(beside, keys, window=window)] if beside else []
    lr = cut_curves(runs, keys, schema.LR, window, has_medians=False) if with_lr else None
    start = start_loss(runs) if window[0] == 0 else None
    bands = event_bands(runs, window)
    if is_small:
        bands = tuple(replace(band, times=math.nan) for band in bands)  # nothing is written of a band without it
    marks = LossMarks(bands, start, evaluation_steps(runs, window))
    axis = "training loss" if has_train_loss(runs) else "validation loss"
    readings = None if with_points else read_curves(curves, runs, schema.TRAIN_LOSS)
    look = LossLook(readings=readings)
    chart = loss_curves(curves, marks, colors, lr, height, axis, panels, with_lr, with_points, look)
    title = loss_title(marks.bands, marks.evaluations)
    count = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    span = f"steps {window[0]:,} to {window[1]:,}"
    return Picture(chart, title, caption_of(curves, marks), f"{title}; {count}, {span}.")


def has_train_loss(runs: Sequence[RunDiagnosis]) -> bool:
    """Whether one of the runs logged training losses."""
    return any(len(judged.run.series(schema.TRAIN_LOSS)[0]) for judged in runs)


def caption_of(curves: Curves, marks: LossMarks) -> str:
    """Says what was drawn: points, seeds, evaluations."""
    said = [f"{curves.num_drawn:,} of {curves.num_points:,} points drawn, unsmoothed."]
    if curves.points["is_median"].any():
        said.append("Thick: median of seeds.")
    if len(marks.evaluations) > 1:
        spacing = marks.evaluations[1] - marks.evaluations[0]
        said.append("Evaluations come every step." if spacing == 1 else f"Evaluations come every {spacing:,} steps.")
    return " ".join(said)
