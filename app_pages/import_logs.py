"""Import logs: files or a folder from anywhere, read as a study, judged at once, kept if wanted."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis.headline import write_headline
from analysis.results import Diagnosis
from analysis.runlog.bounded_import import FileOutcome, Reading
from analysis.runlog.readers import READERS
from analysis.runlog.wandb_cloud import has_key
from app_pages import people, shown, studies, uploads
from app_pages.formats import ask_formats
from app_pages.pictures import key_of, picture_of_loss, remember, show
from app_pages.roles import show_roles

MAX_MEGABYTES = 200  # as server.maxUploadSize
FILES, FOLDER, SERVER = "Files", "A folder", "W&B"
NO_KEY = "Set WANDB_API_KEY in the environment of the dashboard and start it again. No page takes a key."
NOT_OFFLINE = "This system lets no process leave the network, so only Python kept the reader from it, not the kernel."


def take_logs() -> Reading | None:
    """Shows what takes files, a folder with all that is in it, or the address of runs; returns what was read."""
    kinds = [FILES, FOLDER, SERVER]
    kind = st.segmented_control("Read", kinds, default=FILES, required=True, key="give", bind="query-params")
    if kind == SERVER:
        address = take_address()
        return uploads.read_server_once(address) if address else uploads.forget()
    files = st.file_uploader(
        "Log files" if kind == FILES else "Folder of logs",
        accept_multiple_files=True if kind == FILES else "directory",
        max_upload_size=MAX_MEGABYTES,
        key="files" if kind == FILES else "folder",
        label_visibility="collapsed",
    )
    return uploads.read_once(files) if files else uploads.forget()


def take_address() -> str:
    """Shows what takes the address of runs on a W&B server; without a key it says what to set."""
    if not has_key():
        st.info(NO_KEY, icon=":material/key_off:")
        return ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        address = st.text_input(
            "Runs on a W&B server",
            placeholder="ENTITY/PROJECT, ENTITY/PROJECT/RUN, or the address of one in the browser",
            key="wandb",
        )
        if st.button("Read again", icon=":material/refresh:", disabled=not address.strip()):
            uploads.forget()
    st.caption("Asked by this machine, with the key of its environment; no other server than that one is asked.")
    return address.strip()


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
            uploads.choice_for(outcome).get("format") or " or ".join(outcome.kinds),
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
if not people.may("reviewer"):
    st.info(people.FILES_NEED, icon=":material/lock:")
elif (reading := take_logs()) is not None:
    show_reading(reading)
st.caption(f"Told by content, not by name: {', '.join(reader.NAME for reader in READERS)}.")
st.subheader("From the command line", anchor=False)
st.markdown("Your own files, without these limits: this writes them to the store that the list of studies shows.")
st.code("python -m analysis import PATH... --study NAME", language="bash")
st.code("python -m analysis formats", language="bash")
