"""From paths to a study: files, folders of files, or studies of the store."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

from analysis.runlog import layout, line_log, schema, sealing, store, wandb_cloud
from analysis.runlog.readers import GENERAL, READERS, SPECIFIC, pattern_text
from analysis.runlog.readers.text_file import HEAD_BYTES
from analysis.runlog.study import Run, RunLogError, Skipped, Study
from analysis.runlog.wandb_address import is_address, read_address

NO_FORMAT = "is no run log"

PathRun = tuple[Path, Run]
ReadFile = Callable[[Path], tuple[Run, ...]]


def read_paths(
    paths: Sequence[str | os.PathLike],
    *,
    name: str | None = None,
    column_map: Mapping[str, str] | None = None,
    store: str | os.PathLike | None = None,
    format_name: str | None = None,
    pattern: str | None = None,
) -> Study:
    """Reads files, folders (searched recursively) and studies of the store as one study.

    Args:
        paths: `wandb:ENTITY/PROJECT[/RUN]` and the address of a page are read from a W&B server, what exists as a
            file or folder as that, and anything else is the name of a study.
        name: Name of the study; default the stem of the first path.
        column_map: Names of the schema to column names of foreign files.
        store: Folder of the store.
        format_name: NAME of the reader for all files; default the one that recognises the content.
        pattern: Regular expression with a named group for each number, for logs in a text format of one's own.

    Raises:
        RunLogError: A path is neither, a file that was named cannot be read, or there is no run at all.
    """
    read = partial(read_file, column_map=column_map, format_name=format_name, pattern=pattern)
    found: list[PathRun] = []
    skipped: list[Skipped] = []
    for given in map(str, paths):
        path = Path(given)
        if is_address(given):
            runs, passed_over = wandb_cloud.read(given, column_map)
            found += runs
            skipped += passed_over
        elif path.is_dir() and not find_reader(path):
            _read_folder(path, read, found, skipped)
        elif path.exists():
            found += [(path, run) for run in read(path)]
        else:
            study = _read_named_study(path, store)
            found += [(layout.run_folder(study.name, run.run_id, store), run) for run in study]
            skipped += study.skipped
    found = list({(path.resolve(), run.run_id): (path, run) for path, run in found}.values())
    if not found:
        raise RunLogError(_nothing_found(paths, skipped))
    return join_runs(name_apart(found), skipped, name or _name_study(str(paths[0])))


def join_runs(runs: Iterable[Run], skipped: Iterable[Skipped], name: str) -> Study:
    """Returns runs of different run_ids as a study."""
    runs = sorted(runs, key=lambda run: run.run_id)
    return Study(name, tuple(runs), fingerprint_runs(runs), tuple(skipped))


def _name_study(path: str) -> str:
    if is_address(path):
        address = read_address(path)
        return address.run or address.project
    return Path(path).resolve().stem


def _read_named_study(path: Path, folder: str | os.PathLike | None) -> Study:
    try:
        return store.read_study(str(path), folder)
    except RunLogError as error:
        raise RunLogError(f"{path} is no file or folder, and {error}") from error


def read_file(
    path: Path,
    column_map: Mapping[str, str] | None = None,
    format_name: str | None = None,
    pattern: str | None = None,
) -> tuple[Run, ...]:
    """Reads a file, or a run folder of the store, in whatever format it is; arguments as for `read_paths`.

    Raises:
        RunLogError: No reader knows the format or several do, or the one that does refuses the content.
    """
    try:
        if path.is_file() and not path.stat().st_size:
            raise RunLogError(f"{path.name} is empty. Give a format that `python -m analysis formats` lists")
        if pattern:
            return pattern_text.read(path, column_map, pattern)
        return _choose_reader(path, format_name).read(path, column_map)
    except OSError as error:
        raise RunLogError(
            f"{path} cannot be read ({error.strerror or error}). Check the path and its rights"
        ) from error


def _choose_reader(path: Path, format_name: str | None) -> ModuleType:
    """Returns the reader of that name, or the only one that recognises the path: a tie is for the user to decide."""
    readers = find_readers(path)
    if format_name and path.is_file():
        readers = [reader for reader in READERS if format_name == reader.NAME]
        if not readers:
            raise RunLogError(
                f"no format is called {format_name!r}. Choose one that `python -m analysis formats` lists"
            )
    if not readers:
        raise RunLogError(f"{path.name} {NO_FORMAT}. Give a format that `python -m analysis formats` lists")
    if len(readers) > 1:
        names = " or ".join(repr(reader.NAME) for reader in readers)
        raise RunLogError(f"{path.name} can be read as {names}. Choose with --format NAME")
    return readers[0]


def find_reader(path: Path) -> ModuleType | None:
    """Returns the first reader that recognises a file or folder, or None."""
    return next(iter(find_readers(path)), None)


def find_readers(path: Path) -> list[ModuleType]:
    """Returns the specific readers that recognise a file or folder, or else the first general one that does."""
    head = b""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    specific = [reader for reader in SPECIFIC if reader.recognises(path, head)]
    return specific or [reader for reader in GENERAL if reader.recognises(path, head)][:1]


def _read_folder(folder: Path, read: ReadFile, found: list[PathRun], skipped: list[Skipped]) -> None:
    for path in walk(folder):
        try:
            found += [(path, run) for run in read(path)]
        except RunLogError as error:
            skipped.append(Skipped(str(path), str(error)))


def walk(folder: Path) -> Iterator[Path]:
    """Yields the files and run folders below a folder by name, without hidden ones."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink() and not find_reader(path):
            yield from walk(path)
        elif path.is_dir() or path.is_file():
            yield path


def _nothing_found(paths: Sequence[str | os.PathLike], skipped: Sequence[Skipped]) -> str:
    if not paths:
        return "no path was given. Name a file, a folder or a study"
    first = f", the first because {skipped[0].reason}" if skipped else ""
    return f"{', '.join(map(str, paths))} has no run log ({len(skipped)} files skipped{first}). Name another path"


def name_apart(found: Sequence[PathRun]) -> list[Run]:
    """Returns the runs in their order, with unique run_ids and names.

    The first of several equal stems keeps it as run_id, the others get as many folders in front as they need; all of
    them show those folders in their name.
    """
    taken: dict[str, list[int]] = {}
    for place, (_, run) in enumerate(found):
        taken.setdefault(run.run_id, []).append(place)
    runs = [run for _, run in found]
    for run_id, places in taken.items():
        if len(places) == 1:
            continue
        names = _unique_names(run_id, [found[place][0].resolve() for place in places])
        for new_id, name, place in zip([run_id, *names[1:]], names, places, strict=True):
            named = replace(runs[place], record=dict(runs[place].record) | {schema.NAME: name})
            runs[place] = rename_run(named, new_id)
    return runs


def _unique_names(run_id: str, paths: Sequence[Path]) -> list[str]:
    for depth in range(1, max(len(path.parts) for path in paths)):
        names = ["/".join([*path.parts[-1 - depth : -1], run_id]) for path in paths]
        if len(set(names)) == len(names):
            return names
    names = ["/".join([*path.parts[-2:], run_id]) for path in paths]
    return names if len(set(names)) == len(names) else [f"{name}/{number}" for number, name in enumerate(names)]


def rename_run(run: Run, run_id: str) -> Run:
    """Returns the run under another run_id."""
    return run if run.run_id == run_id else replace(run, record=dict(run.record) | {schema.RUN_ID: run_id})


def fingerprint_runs(runs: Sequence[Run]) -> str:
    """Returns a text that changes whenever a record or a row does."""
    total = hashlib.sha256()
    for run in runs:
        total.update(line_log.encode_line(run.record))
        total.update(repr((sealing.checksum(run.steps), run.log)).encode())
    return total.hexdigest()[:32]
