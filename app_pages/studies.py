"""Which study is shown: those of the store, the sample, and what this session has read from files."""

import contextlib
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from analysis.findings import diagnose
from analysis.judge import JudgedRuns
from analysis.judged_file import kept_path
from analysis.live_study import LiveLook, LiveStudy
from analysis.results import Diagnosis
from analysis.runlog import RunLogError, Study, list_studies, read_study
from app_pages import shown

PROJECT = Path(__file__).parent.parent
SAMPLE = "sample_study"
DEMO = "demo"  # `make demo` trains the sample's sweep into this study of the store, where its commands can run
SAMPLE_KEY, UPLOAD_PREFIX = ".sample", ".read-"  # a name of the store never starts with a dot
MAX_CACHED = 4  # studies in memory; a study of 200 runs of 10,000 steps takes about 50 MB (ours)
KEY, NEXT, INSTEAD, LOOKED = "study", "next_study", "study_shown_instead", "fingerprint of the study that is shown"


@dataclass(frozen=True)
class Choice:
    """One study of the picker.

    Attributes:
        key: What stands in the address bar.
        label: What people read.
        num_running: Runs that are being written.
    """

    key: str
    label: str
    num_running: int = 0


def list_choices() -> list[Choice]:
    """Lists the studies: what this session read, the store with the last changed first, the sample."""
    read = [Choice(key, shown.name(study.name)) for key, study in reversed(_uploads().items())]
    has_sample = (PROJECT / SAMPLE / "runs").is_dir()
    return [*read, *list_stored(), *([Choice(SAMPLE_KEY, "Sample study")] if has_sample else [])]


def list_stored() -> list[Choice]:
    """Lists the studies of the store, the last changed first."""
    entries = sorted(list_studies(), key=lambda entry: entry.modified, reverse=True)
    return [Choice(entry.name, shown.name(entry.name), entry.num_running) for entry in entries if entry.num_runs]


def keep_upload(study: Study) -> str:
    """Keeps a study that was read from files for this session, shows it from the next rerun on, and returns its key."""
    left_out = zlib.crc32(repr(study.skipped).encode())  # part of what is shown, not of the runs
    key = f"{UPLOAD_PREFIX}{study.fingerprint[:8]}{left_out:08x}"
    _uploads()[key] = study
    st.session_state[NEXT] = key
    return key


def apply_next() -> None:
    """Chooses the study that was asked for in the last run; before the picker, for a widget owns its value."""
    st.session_state.pop(LOOKED, None)
    if NEXT in st.session_state:
        st.session_state[KEY] = st.session_state.pop(NEXT)


def choose_first(keys: list[str]) -> None:
    """Chooses the first study where neither this session nor the address names one that is there."""
    named = st.session_state.get(KEY) or st.query_params.get(KEY)
    if named in keys:
        if st.query_params.get(KEY) != named:  # lost by whoever left a page before all of it stood
            st.session_state[KEY] = named
        return
    is_new = KEY not in st.session_state
    st.session_state[KEY] = keys[0]
    if named:
        st.session_state[INSTEAD] = (named, keys[0])
    if is_new:  # once the picker is bound to the address, only it writes there
        st.query_params[KEY] = keys[0]
        if named:
            st.rerun()  # a picker that meets a study which is not there takes the name out of the address


def show_instead(label: str) -> None:
    """Says which study was asked for and is not there, as long as the one of this label is shown instead."""
    named, instead = st.session_state.get(INSTEAD, ("", ""))
    if not named:
        return
    if st.session_state.get(KEY) != instead:
        del st.session_state[INSTEAD]
        return
    if named.startswith(UPLOAD_PREFIX):
        missing = "The link is to runs that were read from files, which only their own session has"
        remedy = "Read the files again, or keep their runs in a study"
    else:
        missing, remedy = f"There is no study {shown.name(named)}", "Pick the one you mean"
    st.warning(shown.sentence(f"{missing}: {label} is shown instead. {remedy}."), icon=":material/search_off:")


def _uploads() -> dict[str, Study]:
    return st.session_state.setdefault("uploads", {})


def current() -> Diagnosis | None:
    """Returns the diagnosis of the chosen study; None, with one line on the page, without one that can be read.

    The files of a study are looked at once in a run of the page, which so tells of one state throughout.
    """
    key = st.session_state.get(KEY)
    if key is None:
        return None
    if key in _uploads():
        return _diagnose_upload(key, _uploads()[key].fingerprint, _uploads()[key])
    try:
        return _diagnose(*_where(key), _look_once(key))
    except RunLogError as error:
        st.error(shown.sentence(str(error)))
        return None


def _look_once(key: str) -> str:
    looked = st.session_state.get(LOOKED, {})
    if key not in looked:
        looked = st.session_state[LOOKED] = {key: _followed(*_where(key)).look().fingerprint}
    return looked[key]


def _where(key: str) -> tuple[str, str | None]:
    """Returns the name and the store of a study that this session has not read from files."""
    return (SAMPLE, str(PROJECT)) if key == SAMPLE_KEY else (key, None)


def prepare(key: str | None = None) -> None:
    """Reads and judges a study before a page asks: that of a key, else the one that the picker begins with.

    Not for a session: what one has read from files is its own.
    """
    stored = [choice.key for choice in list_stored()]
    key = key or next(iter(stored), SAMPLE_KEY)
    with contextlib.suppress(RunLogError):
        if key in (*stored, SAMPLE_KEY):
            _prepare(*_where(key), _followed(*_where(key)).look().fingerprint)


@st.cache_resource(max_entries=MAX_CACHED, show_spinner=False)
def _prepare(name: str, store: str | None, fingerprint: str) -> None:
    _diagnose(name, store, fingerprint)  # in here it shows no spinner, for which there is no page


def is_sample() -> bool:
    """Whether the sample is shown, which nothing is written to."""
    return st.session_state.get(KEY) == SAMPLE_KEY


def look_at(key: str) -> LiveLook:
    """Takes the new rows of the running runs of a study of the store."""
    return _followed(key, None).look()


@st.cache_resource(max_entries=MAX_CACHED, show_spinner=False)
def _followed(name: str, store: str | None) -> LiveStudy:
    return LiveStudy(name, store)


@st.cache_resource(max_entries=MAX_CACHED, show_spinner=False)
def _judged_runs(path: Path | None) -> JudgedRuns:
    return JudgedRuns(path)


@st.cache_resource(max_entries=MAX_CACHED, show_spinner="Reading the study")
def _diagnose(name: str, store: str | None, fingerprint: str) -> Diagnosis:
    study = replace(read_study(name, store), fingerprint=fingerprint)
    if name == SAMPLE and store:  # a file beside it would be a change of the project
        return diagnose(replace(study, name=DEMO), known=_judged_runs(None))
    known = _judged_runs(kept_path(name, store))
    diagnosis = diagnose(study, known=known)
    known.keep()
    return diagnosis


@st.cache_resource(max_entries=MAX_CACHED, show_spinner="Reading the files")
def _diagnose_upload(key: str, fingerprint: str, _study: Study) -> Diagnosis:
    return diagnose(_study)
