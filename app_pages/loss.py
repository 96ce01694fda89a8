"""Loss: when it rises, how far, whether it comes back, and what evaluations could see of it."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from analysis.charts.loss_view import (
    INSET_FROM,
    LossView,
    keys_among,
    picture_of_first_steps,
    picture_of_view,
)
from analysis.focus import choose_control, choose_window, lrs_around, runs_of
from analysis.lr_words import number
from analysis.results import Diagnosis, Event, LrSweep, RunDiagnosis
from app_pages import selection, shown
from app_pages.chart_comments import read_run_comments, show_comments
from app_pages.chart_files import show_files
from app_pages.chart_forms import show_steps_form
from app_pages.chosen import diagnosis_or_stop, pick_sweep
from app_pages.curve_choices import choose_view, with_time
from app_pages.high_points import show_high_points
from app_pages.pictures import colors, draw, first_runs, key_of, names_of, remember, show
from app_pages.zoom import HOW_TO_ZOOM, chart_key, note_move, read_zoom, show_reset

AROUND, ABOVE, ALL = "Around the best", "5 and 10 times", "All runs"
FINDING_STEPS, EVERY_STEP = "The steps that matter", "The whole run"
HEIGHT = 480  # pixels; a fifth of it is the strip of learning rates
CHECKS = ("early-instability", "mid-training-instability", "stuck-at-chance", "non-finite", "evaluation-gap")


def choose_runs(diagnosis: Diagnosis, sweep: LrSweep | None, view: str, run_ids: list[str]) -> list[RunDiagnosis]:
    """Returns the runs of a view, or those that were picked by name."""
    if run_ids:
        return [judged for judged in diagnosis.runs if judged.run.run_id in run_ids]
    if view == ALL or sweep is None:
        return list(diagnosis.runs)
    if view == AROUND:
        return first_runs(diagnosis, sweep)
    lrs, control = lrs_around(sweep), choose_control(diagnosis, sweep)
    chosen = (lrs[0], *lrs[2:])
    return runs_of(diagnosis, sweep, chosen) + (runs_of(diagnosis, control, chosen[1:]) if control else [])


def table_of_events(runs: list[RunDiagnosis], names: dict[str, str]) -> pd.DataFrame:
    """Returns one row per event of the runs."""
    rows = [row_of_event(judged, event, names[judged.run.run_id]) for judged in runs for event in judged.events]
    return pd.DataFrame(rows)


def row_of_event(judged: RunDiagnosis, event: Event, name: str) -> dict[str, object]:
    """Returns an event as the table shows it."""
    lr, rise = judged.run.base_lr, event.rise
    return {
        "run": name,
        "learning rate": number(lr) if lr is not None else "unknown",
        "kind": event.kind,
        "from step": event.onset_step,
        "peak at": event.peak_step,
        "back at": event.recovery_step,
        "outcome": event.outcome.replace("-", " "),
        "rise": ("not finite" if abs(rise) == float("inf") else number(rise))
        if rise is not None
        else "stays at chance",
        "steps lost": event.cost_steps,
        "grade": event.grade,
        "note": event.note or "none",
        "preceded by": (event.preceded_by or "nothing seen").replace("_", " "),
    }


def show_losses(chart: str, runs: list[RunDiagnosis], window: tuple[int, int], view: LossView) -> None:
    """Shows the losses, and beside them their first steps where the picture is long."""
    zoom, told = read_zoom(chart, view.axis), read_run_comments(diagnosis, runs)
    keys = keys_among(runs, sweep, diagnosis.runs)
    key = key_of(diagnosis, "loss", sweep.series if sweep else "", ids_of(runs), window, view, told.notes, zoom)
    drawn = remember(
        key,
        lambda: picture_of_view(runs, keys, names_of(diagnosis), colors(), window, view, zoom, HEIGHT, told.notes),
    )
    first = None
    if window[1] >= INSET_FROM and window[0] == 0 and not view.is_log_x:
        first = remember((*key[:-1], "first"), lambda: picture_of_first_steps(runs, keys, colors(), view, HEIGHT))
    left, right = st.columns([9, 3], gap="medium") if first else (st.container(), None)
    with left, st.container(border=True):
        st.markdown(f"**{shown.sentence(drawn.picture.title)}**")
        draw(drawn.picture, chart, on_select=lambda: note_move(chart), selection_mode="zoom")
        st.caption(shown.sentence(f"{drawn.picture.caption} {HOW_TO_ZOOM}"))
        show_reset(zoom)
        show_files(key, "loss", drawn.picture, lambda: drawn.table)
    if first:
        with right:
            show(first, "first_steps")
    show_comments(told, diagnosis)
    show_steps_form(told, diagnosis, runs, zoom.detail if view.axis == "step" else None)


def ids_of(runs: list[RunDiagnosis]) -> tuple[str, ...]:
    """Returns the run_ids of runs."""
    return tuple(judged.run.run_id for judged in runs)


diagnosis = diagnosis_or_stop()
st.title("Loss", anchor=False)
for finding in diagnosis.findings:
    if finding.code in CHECKS and finding.outcome == "found":
        st.markdown(shown.sentence(finding.sentence))
names = names_of(diagnosis)
with st.container(horizontal=True, vertical_alignment="bottom"):
    sweep = pick_sweep(diagnosis)
    views = [AROUND, ALL] if sweep is None or len(lrs_around(sweep)) < 3 else [AROUND, ABOVE, ALL]
    view = st.segmented_control("Runs", views, default=AROUND, required=True, key="view", bind="query-params")
    steps = st.segmented_control(
        "Steps", [FINDING_STEPS, EVERY_STEP], default=FINDING_STEPS, required=True, key="steps", bind="query-params"
    )
    run_ids = selection.choose(diagnosis, "Only these runs", "run", "All of the view")
    look = choose_view()
runs, axis, left_out = with_time(choose_runs(diagnosis, sweep, view, run_ids), look.axis)
if left_out:
    st.warning(left_out, icon=":material/schedule:")
window = choose_window(runs) if steps == FINDING_STEPS else choose_window([])
if steps == EVERY_STEP:
    window = (0, max((int(judged.run.loss[0][-1]) for judged in runs if len(judged.run.loss[0])), default=1))
look = replace(look, axis=axis)
show_losses(chart_key(f"loss of {view}, {steps}, {run_ids}, {axis}, {look.is_log_x}"), runs, window, look)
st.subheader("Events", anchor=False)
events = table_of_events(runs, names)
if events.empty:
    st.markdown(f"No rise in {len(runs)} run{'s' * (len(runs) != 1)}, as far as their logs can show.")
else:
    st.dataframe(events, hide_index=True, placeholder="never", alt="Events of the runs in the picture")
show_high_points(runs, names, axis, lambda: st.session_state.update(steps=EVERY_STEP))
