"""Loss: when it rises, how far, whether it comes back, and what evaluations could see of it."""

import pandas as pd
import streamlit as st

from analysis.focus import choose_control, choose_window, lrs_around, runs_of
from analysis.lr_words import number
from analysis.results import Diagnosis, Event, LrSweep, RunDiagnosis
from app_pages import shown
from app_pages.chosen import diagnosis_or_stop, pick_sweep
from app_pages.pictures import first_runs, key_of, names_of, picture_of_loss, remember

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


def zoomed_steps(key: str) -> tuple[int, int] | None:
    """Returns the steps that the reader has zoomed into, if any."""
    zoom = st.session_state.get(key, {}).get("selection", {}).get("zoom", {}).get("step")
    return (int(zoom[0]), int(zoom[1]) + 1) if zoom else None


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
    run_ids = st.multiselect(
        "Only these runs",
        list(names),
        format_func=lambda run_id: names.get(run_id, shown.name(run_id)),
        key="run",
        bind="query-params",
        placeholder="All of the view",
    )
runs = choose_runs(diagnosis, sweep, view, run_ids)
window = choose_window(runs) if steps == FINDING_STEPS else choose_window([])
if steps == EVERY_STEP:
    window = (0, max((int(judged.run.loss[0][-1]) for judged in runs if len(judged.run.loss[0])), default=1))
chart_key = f"loss of {view}, {steps}, {run_ids}"
detail = zoomed_steps(chart_key)
picture = remember(
    key_of(diagnosis, "loss", sweep.series if sweep else "", view, tuple(run_ids), window, detail),
    lambda: picture_of_loss(runs, sweep, window, height=HEIGHT, detail=detail, with_lr=True),
)
with st.container(border=True):
    st.markdown(f"**{shown.sentence(picture.title)}**")
    st.altair_chart(picture.chart, key=chart_key, on_select="rerun", selection_mode="zoom", alt=picture.alt)
    st.caption(
        shown.sentence(f"{picture.caption} Pinch, or scroll with Ctrl, to zoom; drag to move; double-click to reset.")
    )
st.subheader("Events", anchor=False)
events = table_of_events(runs, names)
if events.empty:
    st.markdown(f"No rise in {len(runs)} run{'s' * (len(runs) != 1)}, as far as their logs can show.")
else:
    st.dataframe(events, hide_index=True, placeholder="never", alt="Events of the runs in the picture")
