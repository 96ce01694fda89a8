"""The report of a study, to take away: written when it is asked for, once for each state of the study."""

import re
from datetime import UTC, datetime

import streamlit as st

from analysis.results import Diagnosis
from app_pages.pictures import remember

HTML_HELP = "One page with all pictures, to open from a disk, print or send. It loads nothing."
MARKDOWN_HELP = "The words of the report, to paste into a pull request."
BUTTONS = (  # label, icon, what writes the file, its ending, its type, help
    ("Download report", ":material/download:", "write_html", ".html", "text/html", HTML_HELP),
    ("As Markdown", ":material/notes:", "write_markdown", ".md", "text/markdown", MARKDOWN_HELP),
)


def show_report(diagnosis: Diagnosis) -> None:
    """Shows the buttons that write the report."""
    with st.container(horizontal=True, gap="small"):
        for label, icon, writer, ending, mime, text in BUTTONS:
            st.download_button(
                label,
                data=lambda writer=writer: written(diagnosis, writer),
                file_name=file_name(diagnosis.study.name, ending),
                mime=mime,
                icon=icon,
                help=text,
                on_click="ignore",
                type="tertiary",
                key=f"report{ending}",
            )


def written(diagnosis: Diagnosis, writer: str) -> str:
    """Returns the report of a study as a writer writes it, once for each state of the study."""
    key = (diagnosis.study.name, diagnosis.study.fingerprint, writer)
    return remember(key, lambda: write_report(diagnosis, writer))


def write_report(diagnosis: Diagnosis, writer: str) -> str:
    """Writes the report of a study."""
    from analysis import report  # with the templates, which only a click needs

    return getattr(report, writer)(report.gather(diagnosis, datetime.now(UTC)))


def file_name(study: str, ending: str) -> str:
    """Returns the name of a report's file, whatever the study is called.

    >>> file_name("gpt small/1", ".html"), file_name("../..", ".md")
    ('gpt_small_1_report.html', 'study_report.md')
    """
    letters = re.sub(r"[^A-Za-z0-9-]+", "_", study).strip("_-")[:60]
    return f"{letters or 'study'}_report{ending}"
