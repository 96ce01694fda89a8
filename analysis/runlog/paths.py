"""From paths to a study: files, folders of files, or studies of the store."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from analysis.runlog import layout, line_log, schema, sealing, store, url_store
from analysis.runlog.readers import READERS
from analysis.runlog.study import Run, RunLogError, Skipped, Study

HEAD_BYTES = 4096  # ours: what a reader may look at to recognise its format

PathRun = tuple[Path, Run]


def read_paths(
    paths: Sequence[str | os.PathLike],
    *,
    name: str | None = None,
    column_map: Mapping[str, str] | None = None,
    store: str | os.PathLike | None = None,
) -> Study:
    """Reads files, folders (searched recursively) and studies of the store as one study.

    Args:
        paths: What exists as a file or folder is read as that, anything else is the name of a study.
        name: Name of the study; default the stem of the first path.
        column_map: Names of the schema to column names of foreign files.
        store: Folder of the store.

    Raises:
        RunLogError: A path is neither, a file that was named cannot be read, or there is no run at all.
    """
    found: list[PathRun] = []
    skipped: list[Skipped] = []
    for path in map(Path, paths):
        if path.is_dir() and not _reader_of(path):
            _read_folder(path, column_map, found, skipped)
        elif path.exists():
            found += [(path, run) for run in read_file(path, column_map)]
        else:
            study = _read_named_study(path, store)
            found += [(layout.run_folder(study.name, run.run_id, store), run) for run in study]
            skipped += study.skipped
    found = list({(path.resolve(), run.run_id): (path, run) for path, run in found}.values())
    if not found:
        raise RunLogError(_nothing_found(paths, skipped))
    runs = sorted(_name_apart(found), key=lambda run: run.run_id)
    return Study(name or Path(paths[0]).resolve().stem, tuple(runs), fingerprint_runs(runs), tuple(skipped))


def _read_named_study(path: Path, folder: str | os.PathLike | None) -> Study:
    try:
        return store.read_study(str(path), folder)
    except RunLogError as error:
        raise RunLogError(f"{path} is no file or folder, and {error}") from error


def read_file(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads a file, or a run folder of the store, in whatever format it is.

    Raises:
        RunLogError: No reader knows the format, or the one that does refuses the content.
    """
    try:
        reader = _reader_of(path)
        if reader is None:
            what = "is empty" if path.is_file() and not path.stat().st_size else "is no run log"
            raise RunLogError(f"{path.name} {what}. Give a format that `python -m analysis formats` lists")
        return reader.read(path, column_map)
    except OSError as error:
        raise RunLogError(
            f"{path} cannot be read ({error.strerror or error}). Check the path and its rights"
        ) from error


def _reader_of(path: Path):
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    return next((reader for reader in READERS if reader.recognises(path, head)), None)


def _read_folder(
    folder: Path, column_map: Mapping[str, str] | None, found: list[PathRun], skipped: list[Skipped]
) -> None:
    for path in _walk(folder):
        try:
            found += [(path, run) for run in read_file(path, column_map)]
        except RunLogError as error:
            skipped.append(Skipped(str(path), str(error)))


def _walk(folder: Path) -> Iterator[Path]:
    """Yields the files and run folders below a folder by name, without hidden ones."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink() and not _reader_of(path):
            yield from _walk(path)
        elif path.is_dir() or path.is_file():
            yield path


def _nothing_found(paths: Sequence[str | os.PathLike], skipped: Sequence[Skipped]) -> str:
    if not paths:
        return "no path was given. Name a file, a folder or a study"
    first = f", the first because {skipped[0].reason}" if skipped else ""
    return f"{', '.join(map(str, paths))} has no run log ({len(skipped)} files skipped{first}). Name another path"


def _name_apart(found: Sequence[PathRun]) -> list[Run]:
    """Returns the runs with unique run_ids and names.

    The first of several equal stems keeps it as run_id, the others get as many folders in front as they need; all of
    them show those folders in their name.
    """
    taken: dict[str, list[PathRun]] = {}
    for path, run in found:
        taken.setdefault(run.run_id, []).append((path, run))
    runs = []
    for run_id, group in taken.items():
        if len(group) == 1:
            runs.append(group[0][1])
            continue
        names = _unique_names(run_id, [path.resolve() for path, _ in group])
        for new_id, name, (_, run) in zip([run_id, *names[1:]], names, group, strict=True):
            runs.append(_rename(replace(run, record=dict(run.record) | {schema.NAME: name}), new_id))
    return runs


def _unique_names(run_id: str, paths: Sequence[Path]) -> list[str]:
    for depth in range(1, max(len(path.parts) for path in paths)):
        names = ["/".join([*path.parts[-1 - depth : -1], run_id]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [f"{'/'.join(path.parts[-2:])}/{number}" for number, path in enumerate(paths)]


def _rename(run: Run, run_id: str) -> Run:
    return run if run.run_id == run_id else replace(run, record=dict(run.record) | {schema.RUN_ID: run_id})


def fingerprint_runs(runs: Sequence[Run]) -> str:
    """Returns a text that changes whenever a record or a row does."""
    total = hashlib.sha256()
    for run in runs:
        total.update(line_log.encode_line(run.record))
        total.update(repr((sealing.checksum(run.steps), run.log)).encode())
    return total.hexdigest()[:32]


def import_runs(
    paths: Sequence[str | os.PathLike],
    study: str,
    *,
    store: str | os.PathLike | None = None,
    column_map: Mapping[str, str] | None = None,
) -> Study:
    """Reads runs and writes them sealed into the store; a run_id "folder/stem" becomes "folder--stem".

    Args:
        paths: As for `read_paths`.
        study: Study that takes the runs.
        store: Folder of the store.
        column_map: As for `read_paths`.

    Returns:
        The runs that were written, under their new study.

    Raises:
        RunLogError: As for `read_paths`; or the study has a run of that name. Then nothing is written.
    """
    read = read_paths(paths, name=study, column_map=column_map, store=store)
    runs = [_rename(run, run.run_id.replace("/", "--")) for run in read]
    folders = [layout.run_folder(study, run.run_id, store) for run in runs]
    pushed = url_store.find_pushed(store, study)
    taken = [folder.name for folder in folders if folder.exists() or (study, folder.name) in pushed]
    if taken:
        raise RunLogError(f"study {study} has {len(taken)} of these runs ({taken[0]}). Import into another study")
    written = []
    for run, folder in zip(runs, folders, strict=True):
        record = dict(run.record) | {schema.STUDY: study}
        folder.mkdir(parents=True)
        layout.replace_file(folder / layout.RUN_FILE, line_log.encode_line(record))
        log = {"notes": list(run.log.notes), "non_finite": run.log.non_finite}
        sealing.write_sealed(folder / layout.SEALED_FILE, run.steps, record, log)
        url_store.push_run(folder, store, study)
        written.append(replace(run, record=record))
    return Study(study, tuple(written), fingerprint_runs(written), read.skipped)
