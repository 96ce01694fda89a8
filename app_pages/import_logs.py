"""Import logs: files or a folder from anywhere, read as a study, judged at once, kept if wanted."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis.headline import write_headline
from analysis.results import Diagnosis
from analysis.runlog.bounded_import import FileOutcome, Reading
from analysis.runlog.readers import READERS
from app_pages import shown, studies, uploads
from app_pages.pictures import key_of, picture_of_loss, remember, show
from app_pages.roles import ask_formats, show_roles

MAX_MEGABYTES = 200  # as server.maxUploadSize
FILES, FOLDER = "Files", "A folder"
NOT_OFFLINE = "This system lets no process leave the network, so only Python kept the reader from it, not the kernel."


def take_files() -> list:
    """Shows what takes files, or a folder with all that is in it."""
    kind = st.segmented_control("Read", [FILES, FOLDER], default=FILES, required=True, key="give", bind="query-params")
    return st.file_uploader(
        "Log files" if kind == FILES else "Folder of logs",
        accept_multiple_files=True if kind == FILES else "directory",
        max_upload_size=MAX_MEGABYTES,
        key="files" if kind == FILES else "folder",
        label_visibility="collapsed",
    )


def show_reading(reading: Reading) -> None:
    """Shows what became of the files: verdict, losses, each file, its columns, and where to keep the runs."""
    failed = [outcome for outcome in reading.outcomes if outcome.reason]
    if reading.study is None:
        first = failed[0].reason if failed else "the folder has no file. Give another"
        few = "" if len(failed) < 2 else f"None of {len(failed)} files could be read, the first because "
        st.error(shown.sentence(few + first), icon=":material/error:")
    elif uploads.is_shown() and (diagnosis := studies.current()) is not None:
        show_verdict(diagnosis)
        uploads.offer_store(reading.study)
        show_losses(diagnosis)
    ask_formats(reading.outcomes)
    if len(reading.outcomes) > 1:
        st.subheader(f"{uploads.count(len(reading.outcomes), 'file')}, {len(failed)} left out", anchor=False)
        st.dataframe(
            table_of_files(reading.outcomes),
            hide_index=True,
            column_config={"outcome": st.column_config.TextColumn(width="large" if failed else "small")},
            alt="What became of each file",
        )
    show_roles(reading.outcomes)
    if not reading.is_offline:
        st.caption(NOT_OFFLINE)


def show_verdict(diagnosis: Diagnosis) -> None:
    """Shows the verdict as the findings page opens with it."""
    headline = write_headline(diagnosis)
    with st.container(border=True):
        st.subheader(shown.sentence(headline.title), anchor=False)
        st.markdown(shown.sentence(headline.evidence))
        st.page_link("app_pages/findings.py", label="Open its findings", icon=":material/troubleshoot:")


def show_losses(diagnosis: Diagnosis) -> None:
    """Shows the losses of all runs."""
    window = (0, max(int(judged.run.loss[0][-1]) for judged in diagnosis.runs))
    draw = remember(key_of(diagnosis, "preview"), lambda: picture_of_loss(diagnosis.runs, None, window, height=240))
    show(draw, "preview")


def table_of_files(outcomes: Sequence[FileOutcome]) -> pd.DataFrame:
    """Returns one row per file: its name, its format, its runs, and why it was left out; those left out come first."""
    rows = [
        (
            shown.name(outcome.path),
            shown.literal(outcome.reason) or "read",
            " or ".join(outcome.kinds),
            len(outcome.run_ids),
        )
        for outcome in sorted(outcomes, key=lambda outcome: not outcome.reason)
    ]
    return pd.DataFrame(rows, columns=["file", "outcome", "format", "runs"])


st.title("Import logs", anchor=False)
st.markdown(
    "One row per step, with a column `step` and a loss. Add `grad_norm` and `lr` for more; write one file per run. "
    "Files are read here, on this machine, by a process without network that ends with them."
)
if files := take_files():
    if (reading := uploads.read_once(files)) is not None:
        show_reading(reading)
else:
    uploads.forget()
st.caption(f"Told by content, not by name: {', '.join(reader.NAME for reader in READERS)}.")
st.subheader("From the command line", anchor=False)
st.markdown("Your own files, without these limits: this writes them to the store that the list of studies shows.")
st.code("python -m analysis import PATH... --study NAME", language="bash")
st.code("python -m analysis formats", language="bash")
