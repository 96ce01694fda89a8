"""Import logs: files from anywhere, read as a study, judged at once."""

import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import streamlit as st

from analysis.headline import write_headline
from analysis.runlog import RunLogError, Skipped, Study, read_paths
from analysis.runlog.readers import READERS
from app_pages import shown, studies

MAX_MEGABYTES = 200  # as server.maxUploadSize
READ = "import_result"  # what became of the files that lie in the uploader


def read_files(files: list) -> Study:
    """Reads uploaded files from a private folder that is gone afterwards.

    Of several files the ones that cannot be read are listed in Study.skipped, and the others are read.

    Raises:
        RunLogError: One line that names the file, as the reader knows it; no file could be read.
    """
    with tempfile.TemporaryDirectory(prefix="steadystep-") as folder:
        paths = []
        for index, file in enumerate(files):
            name = PurePosixPath(file.name.replace("\\", "/")).name or f"file_{index}"
            place = Path(folder) / str(index)
            place.mkdir(mode=0o700)
            (place / name).write_bytes(file.getbuffer())
            paths.append(place / name)
        try:
            if len(paths) == 1:
                return read_paths(paths, name=paths[0].stem)
            study = read_paths([folder], name=f"{len(paths)} files")
        except RunLogError as error:
            raise RunLogError(without_folder(str(error), folder, len(paths))) from error
        told = [(Path(each.path).name, without_folder(each.reason, folder, len(paths))) for each in study.skipped]
        return replace(study, skipped=tuple(Skipped(path, reason) for path, reason in told))


def without_folder(text: str, folder: str, num_files: int) -> str:
    """Returns a message with the names of files as the reader knows them."""
    for index in range(num_files):
        text = text.replace(f"{folder}/{index}/", "")
    return text


def read_once(files: list) -> None:
    """Reads the files that were just added, and shows the study from now on."""
    ids = tuple(file.file_id for file in files)
    if st.session_state.get(READ, {}).get("ids") == ids:
        return
    result = {"ids": ids, "error": "", "key": ""}
    st.session_state[READ] = result
    try:
        with st.spinner("Reading the files"):
            study = read_files(files)
    except RunLogError as error:
        result["error"] = str(error)
        return
    result["key"] = studies.keep_upload(study)
    st.rerun()


st.title("Import logs", anchor=False)
st.markdown(
    "One row per step, with a column `step` and a loss. Add `grad_norm` and `lr` for more; write one file per run. "
    "Files are read here, on this machine, and kept for this session only."
)
files = st.file_uploader(
    "Log files",
    accept_multiple_files=True,
    max_upload_size=MAX_MEGABYTES,
    key="files",
    label_visibility="collapsed",
)
st.caption(f"Told by content, not by name: {', '.join(reader.NAME for reader in READERS)}.")
if files:
    read_once(files)
    result = st.session_state[READ]
    if result["error"]:
        st.error(shown.sentence(result["error"]), icon=":material/error:")
    elif (diagnosis := studies.current()) is not None and st.session_state.get(studies.KEY) == result["key"]:
        headline = write_headline(diagnosis)
        with st.container(border=True):
            st.subheader(shown.sentence(headline.title), anchor=False)
            st.markdown(shown.sentence(headline.evidence))
            st.page_link("app_pages/findings.py", label="Open its findings", icon=":material/troubleshoot:")
        for skipped in diagnosis.study.skipped:
            st.warning(shown.sentence(skipped.reason), icon=":material/error:")
st.subheader("From the command line", anchor=False)
st.markdown("Whole folders, and logs that should stay: this writes them to the store that the list of studies shows.")
st.code("python -m analysis import PATH... --study NAME", language="bash")
st.code("python -m analysis formats", language="bash")
