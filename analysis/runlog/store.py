"""Reading studies from the store: sealed runs, live runs, interrupted runs."""

import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

from analysis.runlog import layout, live, schema, sealing, url_store
from analysis.runlog.run_building import build_run
from analysis.runlog.study import Run, RunLogError, Skipped, Study

_RunState = tuple[list[tuple[str, os.stat_result]], bool]  # its files, and whether a living process writes them
MAX_CACHED_RUNS = 256  # ours: about 0.5 MB a run of 10,000 rows


@dataclass(frozen=True)
class StudyEntry:
    """One line of the list of studies.

    Attributes:
        name: Name of the study.
        num_runs: Runs it holds.
        num_running: Runs that a living process is writing.
        modified: Last change of any of its files.
    """

    name: str
    num_runs: int
    num_running: int
    modified: datetime


@dataclass(frozen=True)
class StudyState:
    """What the files of a study say from outside, unread.

    Attributes:
        rest: Changes whenever anything but the rows of running runs does.
        running: Folders of the runs that a living process is writing.
        num_bytes: Size of their logs.
    """

    rest: str
    running: tuple[Path, ...]
    num_bytes: int


def read_study(study: str, store: str | os.PathLike | None = None) -> Study:
    """Reads a study: its sealed runs, and of live and interrupted runs the rows so far.

    Runs without rows yet and damaged runs are listed in `skipped`, each with its reason.

    Raises:
        RunLogError: The store has no study of that name.
    """
    folder = layout.study_folder(study, store)
    pushed = url_store.find_pushed(store, study)
    if not (folder / layout.RUNS_FOLDER).is_dir() and not pushed:
        raise RunLogError(_no_such_study(study, store))
    fingerprint = study_fingerprint(study, store)
    readers = {path.name: (str(path), partial(read_run, path)) for path in layout.run_folders(folder)}
    for (_, run_id), file in pushed.items():
        readers[run_id] = (file.path, partial(_read_pushed, str(layout.store_root(store)), file))
    runs, skipped = [], []
    for _, (path, read) in sorted(readers.items()):
        try:
            runs.append(read())
        except (RunLogError, OSError) as error:
            skipped.append(Skipped(path, str(error)))
    return Study(study, tuple(runs), fingerprint, tuple(skipped))


@lru_cache(MAX_CACHED_RUNS)
def _read_pushed(root: str, file: url_store.Pushed) -> Run:
    return read_sealed_run(url_store.read_pushed(root, file), file.path)


def _no_such_study(study: str, store: str | os.PathLike | None) -> str:
    names = [entry.name for entry in list_studies(store)]
    found = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "none"
    return f"store {layout.store_root(store)} has no study {study} (found: {found}). Check the name or the store"


def read_run(folder: Path) -> Run:
    """Reads the run of a run folder.

    Raises:
        RunLogError: The run is damaged, or has no rows yet.
    """
    sealed = folder / layout.SEALED_FILE
    with contextlib.suppress(FileNotFoundError):
        status = sealed.stat()
        return _read_unchanged(sealed, status.st_ino, status.st_mtime_ns)
    record = live.read_record(folder)
    if record.get(schema.STATUS) == "running" and not layout.is_being_written(folder):
        record[schema.STATUS] = "interrupted"
    try:
        rows = live.read_rows(folder / layout.LIVE_FILE)
    except FileNotFoundError as error:
        if sealed.exists():  # it was sealed between the two looks
            return read_sealed_run(sealed)
        raise RunLogError(f"run {folder.name} holds no rows yet. Read it again once a step is logged") from error
    return build_run(rows.table, record, f"run {folder.name}", _damage_notes(rows.damaged))


@lru_cache(MAX_CACHED_RUNS)
def _read_unchanged(path: Path, inode: int, modified: int) -> Run:
    """Returns the run of a sealed file, which is only ever replaced by another file."""
    return read_sealed_run(path)


def read_sealed_run(source: Path | BinaryIO, name: str | None = None) -> Run:
    """Reads a sealed file of the store.

    Raises:
        RunLogError: The file is damaged, or holds no rows.
    """
    name = name or str(source)
    table = sealing.read_sealed(source, name)
    record = sealing.read_metadata(table, sealing.RECORD_KEY, name)
    log = sealing.read_metadata(table, sealing.LOG_KEY, name)
    if schema.RUN_ID not in record:
        raise RunLogError(f"{name} has no run record. Restore it from a copy, or import it as a file")
    notes = [*log.get("notes", ()), *_damage_notes(log.get("damaged", 0))]
    return build_run(table, record, name, notes, str(log.get("non_finite", "kept")))


def _damage_notes(damaged: int) -> tuple[str, ...]:
    return (f"damaged lines of the live log that are left out: {damaged}",) if damaged else ()


def list_studies(store: str | os.PathLike | None = None) -> tuple[StudyEntry, ...]:
    """Returns the studies of the store by name; a store that does not exist has none."""
    times: dict[str, list[float]] = {}
    runs: dict[str, set[str]] = {}
    num_running: Counter[str] = Counter()
    with contextlib.suppress(FileNotFoundError), os.scandir(layout.store_folder(store)) as folders:
        for folder in folders:
            if not folder.name.startswith(".") and os.path.isdir(f"{folder.path}/{layout.RUNS_FOLDER}"):
                states = _run_states(Path(folder.path))
                runs[folder.name] = {path.name for path in states}
                num_running[folder.name] = sum(is_running for _, is_running in states.values())
                changed = [status.st_mtime for files, _ in states.values() for _, status in files]
                times[folder.name] = [folder.stat().st_mtime, *changed]
    for (study, run_id), file in url_store.find_pushed(store).items():
        runs.setdefault(study, set()).add(run_id)
        times.setdefault(study, []).append(url_store.pushed_at(store, file))
    return tuple(
        StudyEntry(name, len(runs[name]), num_running[name], datetime.fromtimestamp(max(times[name]), UTC))
        for name in sorted(runs)
    )


def study_fingerprint(study: str, store: str | os.PathLike | None = None) -> str:
    """Returns a text that changes whenever a run, a row or the life of a writer does; looks at no content."""
    return _hash_states(_run_states(layout.study_folder(study, store)), study, store)


def study_state(study: str, store: str | os.PathLike | None = None) -> StudyState:
    """Returns which runs of a study are running, how much they have logged, and what says that the rest changed."""
    states, running, num_bytes = {}, [], 0
    for run, (files, is_running) in _run_states(layout.study_folder(study, store)).items():
        if is_running:
            running.append(run)
            num_bytes += sum(status.st_size for name, status in files if name == layout.LIVE_FILE)
            files = [(name, status) for name, status in files if name != layout.LIVE_FILE]
        states[run] = files, is_running
    return StudyState(_hash_states(states, study, store), tuple(running), num_bytes)


def _hash_states(states: Mapping[Path, _RunState], study: str, store: str | os.PathLike | None) -> str:
    total = hashlib.sha256()
    for run, (files, is_running) in states.items():
        state = [(name, status.st_ino, status.st_size, status.st_mtime_ns) for name, status in files]
        total.update(repr((run.name, is_running, state)).encode())
    total.update(repr(sorted(url_store.find_pushed(store, study))).encode())
    return total.hexdigest()[:32]


def _run_states(folder: Path) -> dict[Path, _RunState]:
    """Returns of each run of a study folder its files with their status, and whether a living process writes it."""
    states = {}
    for run, entries in layout.run_files(folder).items():
        files = []
        for name in (layout.RUN_FILE, layout.SEALED_FILE, layout.LIVE_FILE):
            with contextlib.suppress(FileNotFoundError):
                files += [(name, entries[name].stat())] if name in entries else []
        is_sealed = any(name == layout.SEALED_FILE for name, _ in files)
        states[run] = files, not is_sealed and layout.is_being_written(run)
    return states
