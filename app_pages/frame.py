"""What stands around every page: navigation, the study picker, and the watch on runs that are being written."""

from pathlib import Path

import streamlit as st

from analysis.live_alarm import describe_alarm
from analysis.live_study import LiveLook
from app_pages import people, shown, studies
from app_pages.facts import describe_study

FOLDER = Path(__file__).parent
REFRESH = "2s"  # ours: a loss that breaks is on the screen within two logged seconds
MOST_ALARMS = 3  # ours: lines above the verdict
CAUGHT_UP = 0.95  # ours: of the logs of running runs; below, the page says how far alarms reach
PAGES = {  # section of the menu: its pages; those of "" stand in the bar itself
    "": {
        "findings": ("Findings", ":material/troubleshoot:"),
        "lr_sweep": ("LR sweep", ":material/ssid_chart:"),
        "loss": ("Loss", ":material/show_chart:"),
        "grad_norm": ("Gradient norm", ":material/bar_chart:"),
        "figures": ("Figures", ":material/auto_stories:"),
        "fixes": ("Fixes", ":material/build:"),
        "import_logs": ("Import logs", ":material/upload_file:"),
    },
    "Labs": {
        "clipping": ("Clipping", ":material/content_cut:"),
        "warmup": ("Warmup", ":material/trending_up:"),
        "compare": ("Compare", ":material/compare_arrows:"),
    },
    "Team": {
        "review": ("Review", ":material/groups:"),
        "audit_trail": ("Audit trail", ":material/history:"),
    },
    "Learn": {
        "update_rules": ("Update rules", ":material/functions:"),
        "handbook": ("Handbook", ":material/menu_book:"),
    },
}


def show_frame() -> None:
    """Shows the frame and the page in it; to somebody without a role nothing but where to sign in."""
    st.set_page_config(page_title="Steadystep", page_icon=str(FOLDER / "icon.svg"), layout="wide")
    if not people.may("viewer"):
        show_door()
        return
    pages = {
        section: [
            st.Page(FOLDER / f"{name}.py", title=title, icon=icon, default=name == "findings", url_path=name)
            for name, (title, icon) in entries.items()
        ]
        for section, entries in PAGES.items()
    }
    page = st.navigation(pages, position="top")
    pick_study()
    page.run()


def show_door() -> None:
    """Shows where to sign in, at the address of every page; no page and no study is so much as looked up."""
    names = [name for section in PAGES.values() for name in section]
    doors = [st.Page(people.show_sign_in, title="Sign in", url_path=name, default=name == "findings") for name in names]
    st.navigation(doors, position="hidden").run()


def pick_study() -> None:
    """Shows the picker, and the facts of the chosen study in one line beside it."""
    studies.apply_next()
    choices = {choice.key: choice for choice in studies.list_choices()}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("**Steadystep**", width="content")
        if not choices:
            st.session_state.pop(studies.KEY, None)
            people.show_who()
            return
        studies.choose_first(list(choices))
        key = st.selectbox(
            "Study",
            list(choices),
            index=None,  # a value that is the widget's own default would not stand in the address
            format_func=lambda key: choices[key].label if key in choices else shown.name(key),
            key=studies.KEY,
            label_visibility="collapsed",
            width=240,
            bind="query-params",
        )
        diagnosis = studies.current()
        if diagnosis is not None:
            st.caption(shown.sentence(describe_study(diagnosis)), width="content")
        people.show_who()
    studies.show_instead(choices[key].label if key in choices else "")
    if key in choices and choices[key].num_running:
        watch(key, diagnosis.study.fingerprint if diagnosis else "")


@st.fragment(run_every=REFRESH)
def watch(key: str, fingerprint: str) -> None:
    """Shows rises of running runs as they come, and redraws the page once there is news of the study.

    Charts keep their zoom, for they keep their keys.
    """
    look = studies.look_at(key)
    show_alarms(key, look)
    if look.fingerprint != fingerprint:
        st.rerun()


def show_alarms(key: str, look: LiveLook) -> None:
    """Shows the last rise of every running run that has one."""
    for seen in look.alarms[:MOST_ALARMS]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge("Still running", icon=":material/trending_up:", color="orange")
            st.markdown(shown.sentence(f"{shown.name(seen.name)}: {describe_alarm(seen.alarm)}"), width="content")
            link = {studies.KEY: key, "run": shown.name(seen.name)}
            st.page_link("app_pages/loss.py", label="See its loss", icon=":material/show_chart:", query_params=link)
    if len(look.alarms) > MOST_ALARMS:
        st.caption(f"{len(look.alarms) - MOST_ALARMS} more running runs have risen.")
    if look.share_seen < CAUGHT_UP:
        st.caption(f"Alarms of running runs speak of the first {look.share_seen:.0%} of their logs so far.")
