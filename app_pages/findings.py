"""Home: the verdict, its evidence, the next experiment, and everything that was checked."""

import pandas as pd
import streamlit as st

from analysis.charts.labels import shorten
from analysis.focus import choose_control, choose_sweep, has_axis
from analysis.headline import write_headline
from analysis.results import Diagnosis, Finding, LrSweep
from analysis.series import shorten_label
from analysis.side_by_side import compare_sweeps
from app_pages import downloads, experiments, run_table, shown, words
from app_pages.chosen import diagnosis_or_stop
from app_pages.pictures import first_runs, key_of, picture_of_loss, picture_of_sweep, remember, show

ARROW = ":material/chevron_right:"


def show_verdict(diagnosis: Diagnosis) -> None:
    """Shows title, evidence and chips."""
    headline = write_headline(diagnosis)
    st.title(shown.sentence(headline.title), anchor=False)
    st.markdown(shown.sentence(headline.evidence))
    with st.container(horizontal=True, gap="small"):
        for chip in headline.chips:
            color, icon = words.CHIPS.get(chip.kind, ("gray", None))
            st.badge(shown.sentence(chip.text), icon=icon, color=color)


def show_pictures(diagnosis: Diagnosis, sweep: LrSweep | None) -> None:
    """Shows the learning-rate axis beside the losses that explain it."""
    loss = remember(key_of(diagnosis, "first loss"), lambda: picture_of_loss(first_runs(diagnosis, sweep), sweep))
    if not has_axis(sweep):
        show(loss, "first_loss")
        return
    left, right = st.columns([5, 7], gap="medium")
    with left:
        show(remember(key_of(diagnosis, "first axis"), lambda: picture_of_sweep(diagnosis, sweep)), "first_axis")
    with right:
        show(loss, "first_loss")


def show_next(diagnosis: Diagnosis) -> None:
    """Shows the next fix with its command."""
    fix = diagnosis.next_fix
    with st.container(border=True, height="stretch"):
        st.markdown(f"**Next experiment: {words.FIX_NAMES[fix.fix].lower()}**")
        st.markdown(shown.sentence(fix.sentence))
        experiments.show_command(diagnosis, fix, is_first=True)
        if reason := experiments.why_not_here():
            st.caption(reason)
        st.page_link("app_pages/fixes.py", label="All fixes, in order", icon=":material/build:")


def show_numbers(diagnosis: Diagnosis, sweep: LrSweep) -> None:
    """Shows the numbers behind the verdict, against the control."""
    control = choose_control(diagnosis, sweep)
    rows = compare_sweeps(diagnosis, sweep, control)
    names = ["this study"]
    if control is not None:
        pair = ((sweep, control), (control, sweep))
        names = [shorten(shown.literal(shorten_label(one.series, [other.series])), 24) for one, other in pair]
    table = pd.DataFrame(
        {
            shown.sentence(n.replace("=", " ").replace("_", " ")): [row[i + 1] for row in rows]
            for i, n in enumerate(names)
        }
    )
    table.index = [row[0] for row in rows]
    with st.container(border=True, height="stretch"):
        st.markdown("**Numbers behind it**")
        st.table(table, border="horizontal")


def show_checks(findings: tuple[Finding, ...]) -> None:
    """Lists every check: found, clear, or not checked and why."""
    st.subheader("What was checked", anchor=False)
    with st.container(border=True, gap="xsmall"):
        for finding in findings:
            label, color, icon = words.OUTCOMES[finding.outcome]
            page = words.PAGE_OF_CHECK.get(finding.code, "loss")
            state, sentence = st.columns([5, 7], vertical_alignment="center", gap="small")
            with state.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.badge(label, icon=icon, color=color, width=112)
                st.page_link(
                    f"app_pages/{page}.py",
                    label=f"**{words.check_name(finding.code)}**",
                    icon=ARROW,
                    icon_position="right",
                )
                st.page_link("app_pages/handbook.py", label=":gray[handbook]", query_params={"code": finding.code})
            sentence.markdown(shown.sentence(finding.sentence))


diagnosis = diagnosis_or_stop()
sweep = choose_sweep(diagnosis)
show_verdict(diagnosis)
st.space("small")
show_pictures(diagnosis, sweep)
st.space("small")
if diagnosis.fixes and has_axis(sweep) and sweep.lr_star is not None:
    experiment, numbers = st.columns([7, 5], gap="medium")
    with experiment:
        show_next(diagnosis)
    with numbers:
        show_numbers(diagnosis, sweep)
elif diagnosis.next_fix:
    show_next(diagnosis)
st.space("small")
show_checks(diagnosis.findings)
if len(diagnosis.runs) > 1:
    st.space("small")
    run_table.show_runs(diagnosis)
downloads.show_report(diagnosis)
if diagnosis.study.skipped:
    with st.expander(f"{len(diagnosis.study.skipped)} files were not read"):
        for skipped in diagnosis.study.skipped:
            st.text(shown.literal(f"{skipped.path}: {skipped.reason}"))
