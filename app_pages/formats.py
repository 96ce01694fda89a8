"""As what files are read that several formats recognise, or none: asked here, and kept for this session."""

from collections.abc import Sequence

import streamlit as st

from analysis.runlog.bounded_import import FileOutcome
from analysis.runlog.paths import NO_FORMAT
from analysis.runlog.readers import READERS, pattern_text, wandb_runs_table
from app_pages import shown, uploads

MOST_ASKED = 4  # ours: of files that several formats recognise, asked for one by one
LONGEST_PATTERN = 1000  # ours: characters
EXAMPLE = r"step (?P<step>\d+).*loss=(?P<train_loss>\S+)"
NAMES = tuple(reader.NAME for reader in READERS if reader is not wandb_runs_table)
HELP_PATTERN = (
    "A regular expression with a named group for each number. Each line is matched once, in a time that grows with its "
    "length only (RE2: no look around, no references back). Lines without a match are left out; without a group "
    "`step` the matched lines are numbered."
)


def ask_formats(outcomes: Sequence[FileOutcome]) -> None:
    """Asks as what to read the files that several formats recognise, and those that none does."""
    for outcome in [outcome for outcome in outcomes if len(outcome.kinds) > 1][:MOST_ASKED]:
        with st.container(horizontal=True):
            ask(outcome.path, f"Read {outcome.path} as", outcome.kinds)
    unknown = [outcome for outcome in outcomes if is_unknown(outcome)]
    if len(unknown) == 1:
        with st.container(horizontal=True):
            ask(unknown[0].path, "No format fits by itself. Read it as", NAMES)
    elif unknown:
        all_read = all(outcome.run_ids for outcome in unknown)
        with st.expander(f"{len(unknown)} files that no format fits by itself", expanded=not all_read):
            ask_one_of(unknown)


def is_unknown(outcome: FileOutcome) -> bool:
    """Whether no format recognises a file, whatever was chosen for it since."""
    return not outcome.kinds and (NO_FORMAT in outcome.reason or bool(uploads.choice_for(outcome)))


def ask_one_of(unknown: Sequence[FileOutcome]) -> None:
    """Asks for which file, or for all, and as what to read it."""
    paths = [uploads.ALL_UNKNOWN, *(outcome.path for outcome in unknown)]
    with st.container(horizontal=True):
        path = st.selectbox(
            "File", paths, format_func=lambda path: shown.name(path) or f"All {len(unknown)}", width=240, key="unread"
        )
        ask(path, "Read as", NAMES)


def ask(path: str, label: str, names: Sequence[str]) -> None:
    """Asks for the format of a file, and for its pattern where the format takes one; a choice reads the files again."""
    widget, pattern = f"format of {path}", f"pattern of {path}"
    chosen = st.session_state[uploads.FORMATS].get(path, {})
    if widget not in st.session_state and chosen.get("format") in names:  # another page was looked at
        st.session_state[widget] = chosen["format"]
    takes = {"on_change": remember, "args": (path, widget, pattern)}
    st.selectbox(shown.sentence(label), names, index=None, key=widget, width=320, **takes)
    if st.session_state.get(widget) == pattern_text.NAME:
        if pattern not in st.session_state:
            st.session_state[pattern] = chosen.get("pattern", "")
        st.text_input(
            "Pattern",
            key=pattern,
            placeholder=EXAMPLE,
            max_chars=LONGEST_PATTERN,
            help=HELP_PATTERN,
            **takes,
        )


def remember(path: str, widget: str, pattern: str) -> None:
    """Takes over how a file is read; a format that takes a pattern counts once there is one."""
    name, text = st.session_state[widget], st.session_state.get(pattern, "")
    formats = st.session_state.setdefault(uploads.FORMATS, {})
    formats.pop(path, None)
    if name == pattern_text.NAME and text:
        formats[path] = {"format": name, "pattern": text}
    elif name and name != pattern_text.NAME:
        formats[path] = {"format": name}
