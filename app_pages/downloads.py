"""The report of a study, to take away: written when it is asked for, once for each state of the study."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from analysis.results import Diagnosis
from analysis.runlog import RunLogError
from app_pages import decided, shown
from app_pages.pictures import remember

if TYPE_CHECKING:
    from analysis.report import Review  # with the templates, which only a click needs

HTML_HELP = "One page with all pictures, to open from a disk, print or send. It loads nothing."
MARKDOWN_HELP = "The words of the report, to paste into a pull request."
BUTTONS = (  # label, icon, what writes the file, its ending, its type, help
    ("Download report", ":material/download:", "write_html", ".html", "text/html", HTML_HELP),
    ("As Markdown", ":material/notes:", "write_markdown", ".md", "text/markdown", MARKDOWN_HELP),
)


def show_report(diagnosis: Diagnosis) -> None:
    """Shows the buttons that write the report, with what the reviews of the study have decided."""
    try:
        read_reviews = decided.find_reader(diagnosis.study.name)
    except RunLogError as error:
        st.caption(shown.sentence(f"The report has no decisions in it. {error}"))
        read_reviews = tuple
    with st.container(horizontal=True, gap="small"):
        for label, icon, writer, ending, mime, text in BUTTONS:
            st.download_button(
                label,
                data=lambda writer=writer: written(diagnosis, writer, read_reviews()),
                file_name=file_name(diagnosis.study.name, ending),
                mime=mime,
                icon=icon,
                help=text,
                on_click="ignore",
                type="tertiary",
                key=f"report{ending}",
            )


def written(diagnosis: Diagnosis, writer: str, reviews: tuple["Review", ...] = ()) -> str:
    """Returns the report of a study as a writer writes it, once for each state of the study and of its reviews."""
    key = (diagnosis.study.name, diagnosis.study.fingerprint, writer, reviews)
    return remember(key, lambda: write_report(diagnosis, writer, reviews))


def write_report(diagnosis: Diagnosis, writer: str, reviews: tuple["Review", ...] = ()) -> str:
    """Writes the report of a study."""
    from analysis import report

    return getattr(report, writer)(report.gather(diagnosis, datetime.now(UTC), reviews))


def file_name(study: str, ending: str) -> str:
    """Returns the name of a report's file, whatever the study is called.

    >>> file_name("gpt small/1", ".html"), file_name("../..", ".md")
    ('gpt_small_1_report.html', 'study_report.md')
    """
    letters = re.sub(r"[^A-Za-z0-9-]+", "_", study).strip("_-")[:60]
    return f"{letters or 'study'}_report{ending}"
