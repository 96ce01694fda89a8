"""Pictures of a diagnosis as pages show them: choose, cut, draw, and say in the caption how much was drawn."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import altair as alt
import streamlit as st

from analysis.charts.loss import LossMarks, loss_curves
from analysis.charts.lr_axis import lr_axis
from analysis.charts.theme import Palette, palette
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
from analysis.results import Diagnosis, LrSweep, RunDiagnosis
from analysis.runlog import schema
from analysis.series import shorten_label
from app_pages import shown, words

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


def colors() -> Palette:
    """Returns the colors of the page that is being looked at."""
    return palette(st.context.theme.type == "dark")


def show(picture: Picture, key: str, width: str = "stretch") -> None:
    """Shows a picture as a card."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{shown.sentence(picture.title)}**")
        st.altair_chart(picture.chart, key=key, width=width, alt=shown.literal(picture.alt))
        st.caption(shown.sentence(picture.caption))


@st.cache_resource(max_entries=64, show_spinner=False)
def remember(key: tuple[Hashable, ...], _draw: Callable[[], Picture]) -> Picture:
    """Returns the picture of a key, drawn once; the key names study, fingerprint, colors and everything chosen."""
    return _draw()


def key_of(diagnosis: Diagnosis, *chosen: Hashable) -> tuple[Hashable, ...]:
    """Returns the key of a picture of a study on the page that is being looked at."""
    return diagnosis.study.name, diagnosis.study.fingerprint, st.context.theme.type, *chosen


def names_of(diagnosis: Diagnosis) -> dict[str, str]:
    """Returns the names of all runs, by run_id, as charts may show them; links hold them, so each differs."""
    names = {judged.run.run_id: shown.name(judged.run.name) for judged in diagnosis.runs}
    times = Counter(names.values())
    return {run_id: f"{name} ({run_id})" if times[name] > 1 else name for run_id, name in names.items()}


def picture_of_sweep(diagnosis: Diagnosis, sweep: LrSweep, height: int = 320, links: Sequence[float] = ()) -> Picture:
    """Draws the learning-rate axis of a sweep, with a control where the study has one."""
    control = choose_control(diagnosis, sweep)
    controls = [control] if control else []
    shown_runs = sum(len(each.runs) for each in (sweep, *controls))
    chart = lr_axis(
        literal_sweep(sweep),
        median_objectives(sweep),
        colors(),
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
    return Picture(chart, words.sweep_title(sweep), caption, sweep.sentence)


def literal_sweep(sweep: LrSweep) -> LrSweep:
    """Returns a sweep whose label may be shown."""
    return replace(sweep, series=shown.literal(sweep.series))


def literal_keys(runs: Sequence[RunDiagnosis], sweep: LrSweep | None) -> dict[str, LineKey]:
    """Returns how runs are drawn, with labels that may be shown."""
    return {run_id: replace(key, label=shown.name(key.label)) for run_id, key in line_keys(runs, sweep).items()}


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
    window: tuple[int, int] | None = None,
    height: int = 320,
    detail: tuple[int, int] | None = None,
    with_lr: bool = False,
) -> Picture:
    """Draws the losses of runs over the steps that show their finding.

    Args:
        runs: The runs.
        sweep: Sweep whose lr_star gives the colors, None for none.
        window: First and last step, chosen from the events when None.
        height: Height in pixels.
        detail: Steps that are zoomed into and get most of the points.
        with_lr: Whether a strip with the learning rates stands below, and the steps can be zoomed into.
    """
    window = window or choose_window(runs)
    keys = literal_keys(runs, sweep)
    curves = cut_curves(runs, keys, window=window, detail=detail)
    lr = cut_curves(runs, keys, schema.LR, window) if with_lr else None
    start = start_loss(runs) if window[0] == 0 else None
    marks = LossMarks(event_bands(runs, window), start, evaluation_steps(runs, window))
    is_train = any(len(judged.run.series(schema.TRAIN_LOSS)[0]) for judged in runs)
    chart = loss_curves(
        curves, marks, colors(), lr, height, "training loss" if is_train else "validation loss", can_zoom=with_lr
    )
    title = words.loss_title(marks.bands, marks.evaluations)
    count = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    span = f"steps {window[0]:,} to {window[1]:,}"
    return Picture(chart, title, caption_of(curves, marks), f"{title}; {count}, {span}.")


def caption_of(curves: Curves, marks: LossMarks) -> str:
    """Says what was drawn: points, seeds, evaluations."""
    said = [f"{curves.num_drawn:,} of {curves.num_points:,} points drawn, unsmoothed."]
    if curves.points["is_median"].any():
        said.append("Thick: median of seeds.")
    if len(marks.evaluations) > 1:
        said.append(f"Evaluations come every {marks.evaluations[1] - marks.evaluations[0]:,} steps.")
    return " ".join(said)
