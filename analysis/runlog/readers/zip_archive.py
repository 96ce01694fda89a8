"""Zip archives of logs, or of a study: unpacked into a private folder, within bounds, and read as one."""

import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path, PurePosixPath

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import list_names
from analysis.runlog.study import Run, RunLogError

NAME = "zip"
LOSES = "nothing of its own: its members are read as files of a folder are; an archive within it is not opened"
MAGICS = (b"PK\x03\x04", b"PK\x05\x06")  # a first member, or none
MAX_MEMBERS = 10_000  # ours: a sweep of 1,000 runs of our own store has 3,000 files
MAX_UNPACKED = 2**31  # ours: bytes that are written; 1 MB of zip can hold 1 GB and, with members that overlap, more
CHUNK = 2**20
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, UnicodeError, OSError)


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the first bytes are those of a zip archive."""
    return head.startswith(MAGICS)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of all members; the run_id is the stem of the archive and the run_id within it.

    Raises:
        RunLogError: The archive cannot be unpacked within bounds, or none of its members is a run log.
    """
    from analysis.runlog import paths  # which reads files with the readers, and this is one of them

    found, refused = [], []
    with unpacked(path) as folder:
        for member in paths.walk(folder):
            name = str(member.relative_to(folder))
            try:
                found += [(member, run) for run in _read_member(member, paths.read_file, column_map)]
            except RunLogError as error:
                refused.append((name, str(error)))
        runs = paths.name_apart(found)
    if not runs:
        first = f" ({refused[0][0]}: {refused[0][1]})" if refused else ""
        raise RunLogError(f"{path.name} holds no run log{first}. Pack the logs of the runs")
    names = [name.encode("utf-8", "replace").decode() for name, _ in refused]
    notes = [f"members of {path.name} that are no run log: {list_names(names)}"] if names else []
    return tuple(_place(run, path.stem, notes) for run in runs)


def _read_member(member: Path, read_file: Callable, column_map: Mapping[str, str] | None) -> tuple[Run, ...]:
    with member.open("rb") if member.is_file() else nullcontext() as file:
        if file and file.read(4) in MAGICS:
            raise RunLogError(f"{member.name} is an archive within an archive. Unpack it yourself")
    return read_file(member, column_map)


def _place(run: Run, stem: str, notes: Sequence[str]) -> Run:
    record = dict(run.record) | {schema.RUN_ID: f"{stem}/{run.run_id}", schema.NAME: run.name}
    return replace(run, record=record, log=replace(run.log, notes=(*run.log.notes, *notes)))


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yields a folder with the members, named as the archive, which is gone afterwards.

    Raises:
        RunLogError: The archive is damaged or encrypted, too large, or a member would lie outside the folder.
    """
    with tempfile.TemporaryDirectory(prefix="steadystep-") as private:
        folder = Path(private) / path.stem
        folder.mkdir()
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(archive, path.name, folder)
        except DAMAGE as error:
            what = error.strerror if isinstance(error, OSError) else error
            raise RunLogError(
                f"{path.name} cannot be unpacked ({what}). Pack it again, or unpack it yourself"
            ) from error
        yield folder


def _unpack(archive: zipfile.ZipFile, file: str, folder: Path) -> None:
    members = [member for member in archive.infolist() if not member.filename.endswith("/")]
    if len(members) > MAX_MEMBERS:
        raise RunLogError(f"{file} has {len(members)} members (at most {MAX_MEMBERS}). Pack the logs only")
    num_left = MAX_UNPACKED
    for member in members:
        place = PurePosixPath(member.filename)
        if not place.name or place.is_absolute() or ".." in place.parts or "\\" in member.filename:
            raise RunLogError(f"{file} has a member outside itself ({member.filename[:60]!r}). Pack it again")
        if member.flag_bits & 1:
            raise RunLogError(f"{file} is encrypted ({member.filename[:60]!r}). Unpack it yourself")
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("xb") as unpacked_file:
            while chunk := source.read(CHUNK):
                num_left -= len(chunk)
                if num_left < 0:
                    raise RunLogError(f"{file} unpacks to more than {MAX_UNPACKED >> 30} GiB. Pack the logs only")
                unpacked_file.write(chunk)
