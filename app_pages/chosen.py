"""Choices that several pages offer: the series, in the address bar."""

import streamlit as st

from analysis.focus import choose_sweep
from analysis.results import Diagnosis, LrSweep
from app_pages import shown
from app_pages.empty import show_no_study
from app_pages.studies import current


def diagnosis_or_stop() -> Diagnosis:
    """Returns the diagnosis of the chosen study; without one, says what to do and ends the page."""
    diagnosis = current()
    if diagnosis is None or not diagnosis.runs:
        show_no_study()
        st.stop()
    return diagnosis


def pick_sweep(diagnosis: Diagnosis) -> LrSweep | None:
    """Offers the series of a study that has several; the first is that of the headline."""
    first = choose_sweep(diagnosis)
    if len(diagnosis.sweeps) < 2:
        return first
    series = [first.series, *(sweep.series for sweep in diagnosis.sweeps if sweep is not first)]
    chosen = st.selectbox("Series", series, format_func=shown.name, key="series", bind="query-params", width=280)
    return choose_sweep(diagnosis, chosen)
