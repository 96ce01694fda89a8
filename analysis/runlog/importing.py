"""Runs that were read from files, written into the store as one, and taken back as one."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ulid import ULID

from analysis.runlog import layout, line_log, schema, sealing, url_store
from analysis.runlog.paths import fingerprint_runs, read_paths, rename_run
from analysis.runlog.scrub import scrub_run
from analysis.runlog.store import read_study
from analysis.runlog.study import Run, RunLogError, Study

Folder = str | os.PathLike | None


def import_runs(
    paths: Sequence[str | os.PathLike],
    study: str,
    *,
    store: Folder = None,
    column_map: Mapping[str, str] | None = None,
    format_name: str | None = None,
    pattern: str | None = None,
) -> Study:
    """Reads runs and writes them into the store, as `write_runs` does.

    Args:
        paths: As for `read_paths`.
        study: Study that takes the runs.
        store: Folder or URL of the store.
        column_map: As for `read_paths`.
        format_name: As for `read_paths`.
        pattern: As for `read_paths`.

    Returns:
        The runs that were written, under their new study.

    Raises:
        RunLogError: As for `read_paths` and `write_runs`. Then nothing is written.
    """
    options = {"column_map": column_map, "format_name": format_name, "pattern": pattern}
    return write_runs(read_paths(paths, name=study, store=store, **options), study, store)


def write_runs(read: Study, name: str, folder: Folder = None) -> Study:
    """Writes runs sealed into a study of the store, without personal data; a run_id "a/b" becomes "a--b".

    Args:
        read: Runs of any source.
        name: Study that takes them, new or not.
        folder: The store.

    Returns:
        The runs as they were written, under their new study.

    Raises:
        RunLogError: The study has one of them, or the store cannot be written. Then nothing was written; where a store
            behind a URL fails in the middle, the error says where the rest lies.
    """
    runs = [scrub_run(rename_run(run, run.run_id.replace("/", "--"))) for run in read]
    runs = [replace(run, record=dict(run.record) | {schema.STUDY: name}) for run in runs]
    targets = [layout.run_folder(name, run.run_id, folder) for run in runs]
    pushed = url_store.find_pushed(folder, name)
    taken = [target.name for target in targets if target.exists() or (name, target.name) in pushed]
    if taken:
        raise RunLogError(f"study {name} has {len(taken)} of these runs ({taken[0]}). Import into another study")
    try:
        with _staged(layout.study_folder(name, folder)) as staging:
            for run in runs:
                _write_run(run, staging / run.run_id)
            _move_all(staging, targets)
    except OSError as error:
        raise RunLogError(
            f"study {name} cannot take the runs ({error.strerror or error}); none was written. Check disk and rights"
        ) from error
    for target in targets:
        url_store.push_run(target, folder, name)
    return Study(name, tuple(runs), fingerprint_runs(runs), read.skipped)


@contextlib.contextmanager
def _staged(study: Path) -> Iterator[Path]:
    """Yields a hidden folder beside the runs, which is gone afterwards, as is a study without any run."""
    staging = study / f".import-{ULID()}"
    staging.mkdir(parents=True)
    try:
        yield staging
    finally:
        shutil.rmtree(staging)
        _drop_if_empty(study)


def _write_run(run: Run, folder: Path) -> None:
    folder.mkdir()
    layout.replace_file(folder / layout.RUN_FILE, line_log.encode_line(run.record))
    log = {"notes": list(run.log.notes), "non_finite": run.log.non_finite}
    sealing.write_sealed(folder / layout.SEALED_FILE, run.steps, run.record, log)


def _move_all(staging: Path, targets: list[Path]) -> None:
    """Moves whole run folders to their places; if one cannot be moved, those before it are taken back."""
    moved = []
    try:
        for target in targets:
            target.parent.mkdir(exist_ok=True)
            (staging / target.name).rename(target)
            moved.append(target)
        if moved:
            layout.sync_folder(moved[0].parent)
    except BaseException:
        for target in moved:
            target.rename(staging / target.name)
        raise


def undo_import(written: Study, folder: Folder = None) -> None:
    """Removes the runs that `write_runs` returned, and nothing else.

    Raises:
        RunLogError: One of them is gone or is not what was written. Then nothing was removed.
    """
    stored = read_study(written.name, folder).by_id
    changed = [run.run_id for run in written if not _is_same(stored.get(run.run_id), run)]
    if changed:
        raise RunLogError(
            f"study {written.name} has other content in {len(changed)} of the runs ({changed[0]}) than was imported; "
            "none was removed. Remove them by hand"
        )
    if layout.is_url(folder):
        url_store.remove_runs([run.run_id for run in written], folder, written.name)
        return
    with _staged(layout.study_folder(written.name, folder)) as staging:
        for run in written:
            layout.run_folder(written.name, run.run_id, folder).rename(staging / run.run_id)


def _is_same(stored: Run | None, run: Run) -> bool:
    return (
        stored is not None
        and stored.record == run.record
        and sealing.checksum(stored.steps) == sealing.checksum(run.steps)
    )


def _drop_if_empty(study: Path) -> None:
    with contextlib.suppress(OSError):
        (study / layout.RUNS_FOLDER).rmdir()
    with contextlib.suppress(OSError):
        study.rmdir()
