"""Files that this visitor gave: read once, shown as a study, written to the store and taken back."""

from collections.abc import Callable

import streamlit as st

from analysis.runlog import RunLogError, Study, undo_import, write_runs
from analysis.runlog.bounded_import import FileOutcome, Reading, read_files
from analysis.runlog.bounded_wandb import read_server
from app_pages import shown, studies

READ, WRITTEN, ROLES, FORMATS = "import_read", "import_written", "import_roles", "import_formats"
ALL_UNKNOWN = ""  # stands in FORMATS for all files that no format recognises


def read_once(files: list) -> Reading | None:
    """Reads the files that were just added, or whose columns were just chosen, and shows the study from now on.

    Returns:
        What was read; None, with one line on the page, where the files are too many or too large.
    """
    formats = st.session_state.setdefault(FORMATS, {})
    asked = ([file.file_id for file in files], repr(formats))
    given = [(file.name, file.getbuffer()) for file in files]
    return _read_once(asked, "files", lambda roles, tell: read_files(given, roles, formats, tell))


def read_server_once(address: str) -> Reading | None:
    """Reads the runs of an address on a W&B server; arguments and result as for `read_once`."""
    return _read_once((address, ""), "runs", lambda roles, tell: read_server(address, roles, tell))


def _read_once(asked: tuple, what: str, read: Callable[[dict, Callable], Reading]) -> Reading | None:
    roles = st.session_state.setdefault(ROLES, {})
    asked, kept = (*asked, repr(roles)), st.session_state.get(READ, {})
    if kept.get("asked") == asked:
        return kept["reading"]
    bar = st.progress(0.0, f"Reading the {what}")
    try:
        reading = read(roles, lambda done, total: bar.progress(done / total, f"{done} of {total} {what} read"))
    except RunLogError as error:
        st.error(shown.sentence(str(error)), icon=":material/error:")
        return None
    finally:
        bar.empty()
    st.session_state[READ] = {"asked": asked, "reading": reading, "key": ""}
    st.session_state.pop(WRITTEN, None)
    if reading.study is not None:
        show_from_now_on(reading.study)
    return reading


def show_from_now_on(study: Study) -> None:
    """Shows a study that was read from files, and ends this run of the script."""
    st.session_state[READ]["key"] = studies.keep_upload(study)
    st.rerun()


def is_shown() -> bool:
    """Whether the study on the screen is the one that was read last."""
    return st.session_state.get(studies.KEY) == st.session_state.get(READ, {}).get("key")


def forget() -> None:
    """Forgets what was read once its files are taken out of the uploader; what is in the store stays there."""
    st.session_state.pop(READ, None)


def remember_role(kind: str, role: str, widget: str) -> None:
    """Takes over which column has a role in all files of a format, for this session."""
    chosen = st.session_state.setdefault(ROLES, {}).setdefault(kind, {})
    chosen.pop(role, None)
    if st.session_state[widget] is not None:
        chosen[role] = st.session_state[widget]


def choice_for(outcome: FileOutcome) -> dict[str, str]:
    """Returns how a file is read by choice: its own choice, or that for all files that no format recognises."""
    formats = st.session_state.setdefault(FORMATS, {})
    return formats.get(outcome.path) or (formats.get(ALL_UNKNOWN, {}) if not outcome.kinds else {})


def kind_of(outcome: FileOutcome) -> str:
    """Returns the format that a file was read in, "" where there is none or several fit."""
    return choice_for(outcome).get("format") or ("" if len(outcome.kinds) != 1 else outcome.kinds[0])


def offer_store(study: Study) -> None:
    """Offers to keep the runs in a study of the store, or to take them out of it again."""
    written = st.session_state.get(WRITTEN)
    if written is not None:
        st.success(shown.sentence(f"{count(len(written))} written to study {written.name}."), icon=":material/check:")
        if st.button("Undo", icon=":material/undo:", help="Removes the runs that this import wrote, and nothing else."):
            take_back(written, study)
        return
    names = [choice.key for choice in studies.list_stored()]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Keep them in study",
            names,
            index=None,
            format_func=shown.name,
            accept_new_options=True,
            placeholder="One of the store, or a new name",
            key="into",
            width=320,
        )
        if st.button("Keep", icon=":material/save:", disabled=not name):
            keep(study, name)
    st.caption("Until then the runs are only looked at, and gone with this session.")


def keep(study: Study, name: str) -> None:
    """Writes the runs to the store and shows the study that they are part of now."""
    try:
        st.session_state[WRITTEN] = write_runs(study, name)
    except RunLogError as error:
        st.error(shown.sentence(str(error)), icon=":material/error:")
        return
    st.session_state[READ]["key"] = st.session_state[studies.NEXT] = name
    st.rerun()


def take_back(written: Study, study: Study) -> None:
    """Removes the runs from the store and shows them as read from files again."""
    try:
        undo_import(written)
    except RunLogError as error:
        st.error(shown.sentence(str(error)), icon=":material/error:")
        return
    del st.session_state[WRITTEN]
    show_from_now_on(study)


def count(number: int, what: str = "run") -> str:
    """Returns a number of things in words."""
    return f"{number} {what}{'s' * (number != 1)}"
