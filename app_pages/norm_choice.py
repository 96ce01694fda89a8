"""Choices of the pages on the gradient norm, in the address bar: a run, and a percentile of its norm."""

from collections.abc import Mapping

import streamlit as st

from analysis.clipping import START_PERCENTILE
from analysis.results import Diagnosis, RunDiagnosis
from app_pages import shown
from app_pages.pictures import names_of

HOW_TO_LOG = "log.step(step, train_loss=loss, grad_norm=norm, lr=lr)"


def pick_run(diagnosis: Diagnosis, candidates: Mapping[str, RunDiagnosis], key: str = "norm_run") -> RunDiagnosis:
    """Offers runs by run_id; the first is the default."""
    names = names_of(diagnosis)
    run_id = st.selectbox(
        "Run",
        list(candidates),
        format_func=lambda run_id: names.get(run_id, shown.name(run_id)),
        key=key,
        bind="query-params",
        width=320,
    )
    return candidates[run_id]


def pick_percentile(lowest: float) -> float:
    """Offers the percentile of the norm that a clip threshold is."""
    return st.slider(
        "Clip threshold: percentile of the norm",
        lowest,
        99.9,
        START_PERCENTILE,
        0.1,
        format="%.1f",
        key="percentile",
        bind="query-params",
        width=420,
    )


def stop_without_norms(diagnosis: Diagnosis) -> None:
    """Says what to log, and ends the page."""
    st.markdown(shown.sentence(diagnosis.finding("gradient-outliers").sentence))
    st.code(HOW_TO_LOG, language="python")
    st.stop()
