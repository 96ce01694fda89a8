"""Fixes: what to try, in the playbook's order, each with its evidence, its command and what must be seen."""

import streamlit as st

from analysis.fix_commands import ladder_command
from analysis.lr_words import number
from analysis.results import Diagnosis, Fix
from app_pages import experiments, ledger, shown, words
from app_pages.chosen import diagnosis_or_stop


def say_number(value: object) -> str:
    """Returns a number of a fix as people write it."""
    if isinstance(value, list | tuple):
        return ", ".join(say_number(each) for each in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return number(value) if isinstance(value, float) else shown.name(str(value))


def show_fix(diagnosis: Diagnosis, fix: Fix) -> None:
    """Shows one fix as a card."""
    label, color, icon = words.FIX_STATES[fix.state]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{fix.rank}  ·  {words.FIX_NAMES[fix.fix]}**", width="content")
            st.badge(label, icon=icon, color=color)
        st.markdown(shown.sentence(fix.sentence))
        experiments.show_command(diagnosis, fix, is_first=fix is diagnosis.next_fix)
        what, why = st.columns([7, 5], gap="medium")
        what.markdown(f"**Fixed when**  \n{shown.sentence(fix.fixed_when)}")
        reasons = ", ".join(words.check_name(code).lower() for code in fix.because)
        numbers = " · ".join(f"{key.replace('_', ' ')} {say_number(value)}" for key, value in fix.numbers.items())
        why.markdown(f"**Because of** {shown.sentence(reasons)}")
        why.caption(shown.sentence(numbers))


def show_ladder(diagnosis: Diagnosis, command: str) -> None:
    """Shows the experiment that tries all fixes, one after the other."""
    fix = Fix(0, words.LADDER, "suggested", (), "", {}, command, "")
    with st.container(border=True):
        st.markdown(f"**{words.FIX_NAMES[words.LADDER]}, until one holds**")
        st.markdown("Says what each fix should change, tries it, and writes what it did change to the ledger.")
        experiments.show_command(diagnosis, fix)


diagnosis = diagnosis_or_stop()
st.title("Fixes", anchor=False)
if diagnosis.fixes:
    st.markdown("In the playbook's order; each experiment changes one thing.")
    st.caption(experiments.why_not_here() or words.EXPERIMENTS_GO_ON)
    for fix in diagnosis.fixes:
        show_fix(diagnosis, fix)
    if command := ladder_command(diagnosis.fixes):
        show_ladder(diagnosis, command)
else:
    st.markdown("Nothing to fix: no check found an instability that limits training.")
    st.page_link(
        "app_pages/findings.py", label="What was checked, and what could not be", icon=":material/troubleshoot:"
    )
experiments.show_others(diagnosis)
ledger.show_ledger(diagnosis)
