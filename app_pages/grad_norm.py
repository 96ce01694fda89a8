"""Gradient norm: its outliers, its distribution, and how many updates a clip threshold would change."""

from dataclasses import replace

import numpy as np
import streamlit as st

from analysis.clip_basis import AFTER_CLIPPING, norms_of, runs_with_norms
from analysis.clipping import measure_clipping, share_clipped
from analysis.lr_words import number, say_share
from analysis.phases import Phases, planned_steps, split_phases
from analysis.results import RunDiagnosis
from analysis.runlog import schema
from app_pages import selection, shown
from app_pages.chart_comments import read_run_comments, show_comments
from app_pages.chart_forms import show_steps_form
from app_pages.chosen import diagnosis_or_stop
from app_pages.curve_choices import choose_view, with_time
from app_pages.norm_choice import pick_percentile, pick_run, stop_without_norms
from app_pages.norm_pictures import PHASES, own_sentence, show_clipping, show_norm, show_phases
from app_pages.pictures import names_of


def show_thirds(judged: RunDiagnosis, threshold: float, phases: Phases) -> None:
    """Shows the early, the middle and the late steps, and says which of them the log does not hold."""
    _, norm = judged.run.series(schema.GRAD_NORM)
    shares = share_clipped(norm, threshold, phases._asdict())
    st.subheader("Early, middle and late steps", anchor=False)
    said = ", ".join(f"{say_share(share)} of the {PHASES[name]}" for name, share in shares.items())
    st.markdown(f"The threshold {number(threshold)} would clip {said} of the planned steps.")
    show_phases(diagnosis, judged, threshold, shares, phases._asdict(), PHASES)
    missing = [PHASES[name] for name in PHASES if name not in shares]
    if missing:
        st.markdown(f"No gradient norm was logged in the {' and the '.join(missing)} of the planned steps.")


diagnosis = diagnosis_or_stop()
st.title("Gradient norm", anchor=False)
candidates = {judged.run.run_id: judged for judged in selection.restrict(diagnosis, runs_with_norms(diagnosis))}
if not candidates:
    stop_without_norms(diagnosis)
st.markdown(shown.sentence(diagnosis.finding("gradient-outliers").sentence))
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    judged, percentile = pick_run(diagnosis, candidates), pick_percentile(1.0)
    view = choose_view(is_loss=False)
steps, norm = judged.run.series(schema.GRAD_NORM)
basis = norms_of(judged)
if judged.run.log.grad_norm == "after-clipping":
    st.warning(AFTER_CLIPPING)
    st.stop()
if not len(basis) or np.percentile(basis, percentile) <= 0:
    st.warning("No finite norm above 0 was logged in this run: no threshold can be chosen from it. Pick another run.")
    st.stop()
threshold = float(np.percentile(basis, percentile))
phases = split_phases(steps, planned_steps(judged.run))
show_clipping(measure_clipping(norm, threshold, phases), percentile)
told = read_run_comments(diagnosis, [judged])
_, axis, untimed = with_time([judged], view.axis)
if untimed:
    st.warning(untimed, icon=":material/schedule:")
zoom = show_norm(diagnosis, judged, threshold, notes=told.notes, view=replace(view, axis=axis))
show_comments(told, diagnosis)
show_steps_form(told, diagnosis, [judged], zoom)
if judged.clipping is not None:
    st.markdown(own_sentence(judged.clipping))
st.page_link(
    "app_pages/clipping.py",
    label="Try thresholds and rules on this run",
    icon=":material/content_cut:",
    query_params={"norm_run": names_of(diagnosis)[judged.run.run_id], "percentile": f"{max(percentile, 50.0):g}"},
)
st.space("small")
show_thirds(judged, threshold, phases)
