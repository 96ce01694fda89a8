"""The runs that a reader picked: from the run table through all pages, in the address bar as `run`."""

from collections.abc import Iterable

import streamlit as st

from analysis.results import Diagnosis, RunDiagnosis
from app_pages import shown, studies
from app_pages.pictures import names_of

PARAMETER = "run"  # bound to no widget: what one page binds, no other may set
PICKED, CLEARED = "picked runs", "times cleared"


def picked(diagnosis: Diagnosis) -> list[str]:
    """Returns the run_ids that are picked, and keeps them in the address bar; [] for none, which means all."""
    names = names_of(diagnosis)
    by_name = {name: run_id for run_id, name in names.items()}
    linked = [by_name[name] for name in st.query_params.get_all(PARAMETER) if name in by_name]
    study, kept = st.session_state.get(PICKED, (None, []))
    if linked:
        keep(linked)
        return linked
    found = [run_id for run_id in kept if run_id in names] if study == _study() else []
    if found:
        st.query_params[PARAMETER] = [names[run_id] for run_id in found]
    return found


def keep(run_ids: Iterable[str]) -> None:
    """Picks runs of the study that is shown."""
    st.session_state[PICKED] = (_study(), list(run_ids))


def pick(run_ids: Iterable[str], diagnosis: Diagnosis) -> None:
    """Picks runs, and says so in the address bar."""
    names, run_ids = names_of(diagnosis), list(run_ids)
    keep(run_ids)
    if run_ids:
        st.query_params[PARAMETER] = [names[run_id] for run_id in run_ids]
    else:
        st.query_params.pop(PARAMETER, None)


def choose(diagnosis: Diagnosis, label: str, key: str, placeholder: str) -> list[str]:
    """Offers all runs, the picked ones chosen; what is chosen is picked for all pages."""
    names = names_of(diagnosis)
    st.session_state[key] = picked(diagnosis)
    return st.multiselect(
        label,
        list(names),
        format_func=lambda run_id: names.get(run_id, shown.name(run_id)),
        key=key,
        placeholder=placeholder,
        on_change=lambda: pick(st.session_state[key], diagnosis),
    )


def _study() -> str | None:
    return st.session_state.get(studies.KEY)


def num_clearings() -> int:
    """Returns how often all runs were picked again: part of the key of a table, whose ticks would stay otherwise."""
    return st.session_state.get(CLEARED, 0)


def clear() -> None:
    """Picks all runs again."""
    keep(())
    st.session_state[CLEARED] = num_clearings() + 1
    st.query_params.pop(PARAMETER, None)


def show_picked(diagnosis: Diagnosis) -> list[str]:
    """Says how many runs are picked, with a button that picks all again; returns the picked ones."""
    run_ids = picked(diagnosis)
    if run_ids:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            count = f"Only {len(run_ids)} run{'s' * (len(run_ids) != 1)}"
            st.badge(count, icon=":material/filter_alt:", color="blue")
            st.button("Clear", type="tertiary", icon=":material/close:", on_click=clear, key="clear picked runs")
    return run_ids


def restrict(diagnosis: Diagnosis, runs: Iterable[RunDiagnosis]) -> list[RunDiagnosis]:
    """Returns those of some runs that are picked; all of them where none is."""
    runs = list(runs)
    run_ids = set(show_picked(diagnosis))
    chosen = [judged for judged in runs if judged.run.run_id in run_ids]
    if run_ids and not chosen:
        st.caption("None of the picked runs can be shown here, so all are offered.")
    return chosen or runs
