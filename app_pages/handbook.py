"""Handbook: every check with how it is detected, why it matters and what to do, and what this study says of it."""

import streamlit as st

from analysis.results import Diagnosis, Finding
from app_pages import shown, studies, words
from app_pages.documents import Section, read_sections

CODE, FIND = "code", "find"
CHECKS, IDEAS = read_sections("findings.md"), read_sections("handbook.md")
MOST_OPEN = 3  # ours: so few results of a search are opened


def finding_of(diagnosis: Diagnosis | None, code: str) -> Finding | None:
    """Returns what this study says of a check; None without a study."""
    findings = diagnosis.findings if diagnosis is not None and diagnosis.runs else ()
    return next((finding for finding in findings if finding.code == code), None)


def title_of(section: Section) -> str:
    """Returns the heading as people read it."""
    return words.check_name(section.title) if section.slug in CHECKS else section.title


def show_check(section: Section, finding: Finding | None) -> None:
    """Shows a check: what this study says, then the document."""
    if finding is None:
        st.caption("No study is open, so nothing was checked.")
    else:
        label, color, icon = words.OUTCOMES[finding.outcome]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(f"{label} in this study", icon=icon, color=color)
            st.markdown(shown.sentence(finding.sentence), width="content")
    st.markdown(section.text)
    page = words.PAGE_OF_CHECK.get(section.slug, "loss")
    if finding is not None:
        st.page_link(f"app_pages/{page}.py", label="See it in this study", icon=":material/chevron_right:")


def show_section(section: Section, diagnosis: Diagnosis | None) -> None:
    """Shows a section of either document."""
    if section.slug in CHECKS:
        show_check(section, finding_of(diagnosis, section.slug))
    else:
        st.markdown(section.text)


def show_folded(section: Section, diagnosis: Diagnosis | None, is_open: bool) -> None:
    """Shows a section that opens with a click; a check says its outcome in the heading."""
    finding = finding_of(diagnosis, section.slug) if section.slug in CHECKS else None
    label = f"**{title_of(section)}**"
    icon = ":material/lightbulb:" if section.slug in IDEAS else None
    if finding is not None:
        outcome, color, icon = words.OUTCOMES[finding.outcome]
        label += f"  ·  :{color}[{outcome.lower()}]"
    with st.expander(label, expanded=is_open, icon=icon):
        show_section(section, diagnosis)


def show_list(title: str, sections: list[Section], diagnosis: Diagnosis | None, is_open: bool) -> None:
    """Shows a list of folded sections, if there are any."""
    if sections:
        st.subheader(title, anchor=False)
        with st.container(gap="xsmall"):
            for section in sections:
                show_folded(section, diagnosis, is_open)


diagnosis = studies.current()
st.title("Handbook", anchor=False)
st.markdown(
    "What is checked, how, why it matters and what to do. Source: the FAQ of the Deep Learning Tuning Playbook."
)
found_words = st.text_input(
    "Search",
    key=FIND,
    bind="query-params",
    placeholder="warmup, batch, evaluation",
    icon=":material/search:",
    width=420,
)
named = st.query_params.get(CODE)
linked = CHECKS.get(named) or IDEAS.get(named)
if linked is not None and not found_words:
    with st.container(border=True):
        st.subheader(title_of(linked), anchor=False)
        show_section(linked, diagnosis)
checks, ideas = (
    [s for s in sections.values() if s.says(found_words) and (found_words or s is not linked)]
    for sections in (CHECKS, IDEAS)
)
is_open = bool(found_words) and len(checks) + len(ideas) <= MOST_OPEN
if not checks and not ideas:
    st.markdown("No section has these words.")
show_list("The checks", checks, diagnosis, is_open)
show_list("Behind the checks", ideas, diagnosis, is_open)
