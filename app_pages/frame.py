"""What stands around every page: navigation, the study picker, and the watch on runs that are being written."""

from pathlib import Path

import streamlit as st

from app_pages import shown, studies
from app_pages.facts import describe_study

FOLDER = Path(__file__).parent
REFRESH = "2s"  # ours: a loss that breaks is on the screen within two logged seconds
PAGES = {
    "findings": ("Findings", ":material/troubleshoot:"),
    "lr_sweep": ("LR sweep", ":material/ssid_chart:"),
    "loss": ("Loss", ":material/show_chart:"),
    "grad_norm": ("Gradient norm", ":material/bar_chart:"),
    "fixes": ("Fixes", ":material/build:"),
    "import_logs": ("Import logs", ":material/upload_file:"),
}


def show_frame() -> None:
    """Shows the frame and the page in it."""
    st.set_page_config(page_title="Steadystep", page_icon=str(FOLDER / "icon.svg"), layout="wide")
    pages = [
        st.Page(FOLDER / f"{name}.py", title=title, icon=icon, default=name == "findings", url_path=name)
        for name, (title, icon) in PAGES.items()
    ]
    page = st.navigation(pages, position="top")
    pick_study()
    page.run()


def pick_study() -> None:
    """Shows the picker, and the facts of the chosen study in one line beside it."""
    studies.apply_next()
    choices = {choice.key: choice for choice in studies.list_choices()}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Steadystep**", width="content")
        if not choices:
            st.session_state.pop(studies.KEY, None)
            return
        key = st.selectbox(
            "Study",
            list(choices),
            format_func=lambda key: choices[key].label if key in choices else shown.name(key),
            key=studies.KEY,
            label_visibility="collapsed",
            width=240,
            bind="query-params",
        )
        diagnosis = studies.current()
        if diagnosis is not None:
            st.caption(shown.sentence(describe_study(diagnosis)), width="content")
    if key in choices and choices[key].num_running:
        watch(key, diagnosis.study.fingerprint if diagnosis else "")


@st.fragment(run_every=REFRESH)
def watch(key: str, fingerprint: str) -> None:
    """Redraws the page once the study has changed; charts keep their zoom, for they keep their keys."""
    if studies.fingerprint_of(key) != fingerprint:
        st.rerun()
