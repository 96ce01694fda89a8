"""Fixes: what to try, in the playbook's order, each with its evidence, its command and what must be seen."""

import streamlit as st

from analysis.lr_words import number
from analysis.results import Fix
from app_pages import shown, studies, words
from app_pages.chosen import diagnosis_or_stop


def say_number(value: object) -> str:
    """Returns a number of a fix as people write it."""
    if isinstance(value, list | tuple):
        return ", ".join(say_number(each) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return number(value) if isinstance(value, float) else shown.name(str(value))


def show_fix(fix: Fix) -> None:
    """Shows one fix as a card."""
    label, color, icon = words.FIX_STATES[fix.state]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{fix.rank}  ·  {words.FIX_NAMES[fix.fix]}**", width="content")
            st.badge(label, icon=icon, color=color)
        st.markdown(shown.sentence(fix.sentence))
        st.code(fix.command, language="bash", wrap_lines=True)
        what, why = st.columns([7, 5], gap="medium")
        what.markdown(f"**Fixed when**  \n{shown.sentence(fix.fixed_when)}")
        reasons = ", ".join(words.check_name(code).lower() for code in fix.because)
        numbers = " · ".join(f"{key.replace('_', ' ')} {say_number(value)}" for key, value in fix.numbers.items())
        why.markdown(f"**Because of** {shown.sentence(reasons)}")
        why.caption(shown.sentence(numbers))


diagnosis = diagnosis_or_stop()
st.title("Fixes", anchor=False)
if not diagnosis.fixes:
    st.markdown("Nothing to fix: no check found an instability that limits training.")
    st.page_link(
        "app_pages/findings.py", label="What was checked, and what could not be", icon=":material/troubleshoot:"
    )
    st.stop()
st.markdown("In the playbook's order. Each experiment changes one thing; read its runs here when it is done.")
if studies.is_sample():
    st.caption(words.SAMPLE_COMMANDS)
for fix in diagnosis.fixes:
    show_fix(fix)
