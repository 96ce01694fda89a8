"""Files from outside become a study: parsed by a process under limits, and checked before they are believed."""

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.runlog import schema, store
from analysis.runlog.bounded_process import ReaderEnd, run_reader
from analysis.runlog.paths import join_runs, name_apart
from analysis.runlog.study import Run, RunLogError, Skipped, Study

MAX_FILES = 2000  # ours
MAX_BYTES = 2**30  # ours: of all files together, which the server holds while they lie in the uploader
MAX_CELLS = 50_000_000  # ours: rows x columns of all files together, 450 MB in the server
MAX_RECORD = 2**18  # ours: bytes of a run record and what is known of its log
MAX_DEPTH, MAX_PART = 16, 200  # ours: folders in a name, bytes of each
NUM_READERS = 2  # ours: processes at a time, of all visitors; the others wait
_turns = threading.BoundedSemaphore(NUM_READERS)

Choice = Mapping[str, str]  # "format": NAME of a reader, and "pattern" where that takes one
File = tuple[str, bytes | memoryview]  # name, with folders where a folder was given, and content


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file.

    Attributes:
        path: Its name, with its folders.
        kinds: Formats that recognise it: none, one, or several that a person must choose from.
        run_ids: Runs that were read from it.
        reason: Why it was left out, "" where it was read.
        columns: Columns of the file that may be given a role.
        roles: Which of them each column of the schema came from.
    """

    path: str
    kinds: tuple[str, ...] = ()
    run_ids: tuple[str, ...] = ()
    reason: str = ""
    columns: tuple[str, ...] = ()
    roles: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Reading:
    """What was read from files.

    Attributes:
        study: The runs, and the files that were left out; None without any run.
        outcomes: One for each file.
        is_offline: Whether the kernel kept the parser from any network; if not, only Python did.
    """

    study: Study | None
    outcomes: tuple[FileOutcome, ...]
    is_offline: bool


def read_files(
    files: Sequence[File],
    column_maps: Mapping[str, Mapping[str, str]] | None = None,
    formats: Mapping[str, Choice] | None = None,
    on_file: Callable[[int, int], None] | None = None,
) -> Reading:
    """Reads files from outside without trusting them: no content is parsed in this process.

    Args:
        files: Names and contents.
        column_maps: By format, names of the schema to column names of the files.
        formats: By path of a file that several formats recognise or none, how to read it; "" stands for all files
            that none does.
        on_file: Is told how many of how many files are done.

    Raises:
        RunLogError: There are too many files, or they are too large together.
    """
    if len(files) > MAX_FILES:
        raise RunLogError(f"{len(files)} files were given (at most {MAX_FILES}). Use `python -m analysis import`")
    size = sum(memoryview(content).nbytes for _, content in files)
    if size > MAX_BYTES:
        raise RunLogError(
            f"the files have {size >> 20} MiB together (at most {MAX_BYTES >> 20}). Use `python -m analysis import`"
        )
    with tempfile.TemporaryDirectory(prefix="steadystep-") as folder, _turns:
        job = _Job(Path(folder), {"column_maps": column_maps or {}, "formats": formats or {}}, on_file)
        job.place(files)
        job.read_all()
        return job.finish(name_study([safe_parts(name) for name, _ in files]))


def read_fetched(
    fetch: Callable[[Path, Path], int],
    name: str,
    column_maps: Mapping[str, Mapping[str, str]] | None = None,
    on_file: Callable[[int, int], None] | None = None,
) -> Reading:
    """As `read_files`, for the files that `fetch(folder, folder to work in)` puts there; it returns how many."""
    with tempfile.TemporaryDirectory(prefix="steadystep-") as folder:
        job = _Job(Path(folder), {"column_maps": column_maps or {}, "formats": {}}, on_file)
        job.num_placed = fetch(job.inbox, job.work)
        with _turns:
            job.read_all()
        return job.finish(name)


def name_study(paths: Sequence[Sequence[str]]) -> str:
    """Returns what the study of some files is called: as the only file or the folder of all, else their number."""
    if len(paths) == 1:
        return Path(paths[0][-1]).stem
    folders = {parts[0] if len(parts) > 1 else "" for parts in paths}
    return (folders.pop() if len(folders) == 1 else "") or f"{len(paths)} files"


def safe_parts(name: str) -> list[str]:
    r"""Returns the folders and the file of a name from outside as parts that stay below any folder.

    >>> safe_parts("../../etc/C:\\x\\..\\run.csv")
    ['etc', 'C:', 'x', 'run.csv']
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")][-MAX_DEPTH:]
    printable = ["".join(sign if sign.isprintable() else "_" for sign in part) for part in parts]
    return [part.encode("utf-8", "replace")[-MAX_PART:].decode(errors="ignore") for part in printable] or ["file"]


class _Job:
    """One import: a private folder, the processes that parse in it one after another, and what they gave."""

    def __init__(
        self, folder: Path, choices: Mapping[str, Mapping], on_file: Callable[[int, int], None] | None
    ) -> None:
        self.inbox, self.results, self.work = folder / "files", folder / "results", folder / "work"
        for each in (self.inbox, self.results, self.work):
            each.mkdir(mode=0o700)
        self.choices, self.on_file = choices, on_file
        self.outcomes: list[FileOutcome] = []
        self.left_out: list[FileOutcome] = []
        self.found: list[tuple[int, Path, Run]] = []
        self.num_placed, self.num_files, self.num_cells, self.is_offline = 0, -1, 0, False

    def place(self, files: Iterable[File]) -> None:
        """Writes the files into the inbox, but for those whose name is hidden."""
        for number, (name, content) in enumerate(files, 1):
            parts = safe_parts(name)
            if any(part.startswith(".") for part in parts):
                reason = f"{parts[-1]} is hidden (led by a dot) and was passed over. Rename it to read it"
                self.left_out.append(FileOutcome("/".join(parts), reason=reason))
                continue
            path = self.inbox.joinpath(*parts)
            if path.exists() or any(above.is_file() for above in path.parents):
                path = self.inbox.joinpath(str(number), *parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            self.num_placed += 1

    def read_all(self) -> None:
        """Reads all files; one that ends the process is named, and another process goes on behind it."""
        while self.num_files != len(self.outcomes):
            request = {"folder": str(self.inbox), "results": str(self.results), "first": len(self.outcomes)}
            path = None
            try:
                with contextlib.closing(run_reader(request | self.choices, self.work)) as answers:
                    for answer in answers:
                        path = self._take(answer, path)
            except (ReaderEnd, KeyError, TypeError, AttributeError, ValueError) as end:
                if path is None:
                    raise RuntimeError(f"the process that reads files failed by itself: {end}") from end
                how = end if isinstance(end, ReaderEnd) else "made its reader answer nonsense. Export it otherwise"
                self._add(FileOutcome(path, reason=f"{Path(path).name} {how}"))

    def _take(self, answer: Mapping[str, object], path: str | None) -> str | None:
        """Takes one answer; returns the file that is being read from now on."""
        if "num_files" in answer:
            self.num_files, self.is_offline = int(answer["num_files"]), answer["is_offline"] is True
            if not 0 <= self.num_files <= self.num_placed:
                raise ValueError(f"{self.num_files} files of {self.num_placed}")
            return None
        if "path" in answer:
            return "/".join(safe_parts(answer["path"]))
        if path is None:
            raise ValueError("an answer before its file")
        self._add(self._check(answer, path))
        return None

    def _add(self, outcome: FileOutcome) -> None:
        self.outcomes.append(outcome)
        if self.on_file:
            self.on_file(len(self.outcomes), self.num_files)

    def _check(self, answer: Mapping[str, object], path: str) -> FileOutcome:
        """Returns the outcome of a file, and keeps its runs if every one of them is what it should be."""
        number, runs, reason = len(self.outcomes), [], " ".join(answer["reason"].split())
        columns = tuple(map(str, answer["columns"]))
        roles = {str(name): str(column) for name, column in answer["roles"].items()}
        try:
            for place in range(answer["num_runs"]):
                result = self.results / f"{number}-{place}.parquet"
                self.num_cells += check_result(result, Path(path).name, MAX_CELLS - self.num_cells)
                runs.append(store.read_sealed_run(result, Path(path).name))
                result.unlink()
        except RunLogError as error:
            runs, reason = [], str(error)
        self.found += [(number, self.inbox / path, run) for run in runs]
        self.left_out += [FileOutcome(f"{path}/{name}", reason=str(why)) for name, why in answer["skipped"]]
        return FileOutcome(path, tuple(map(str, answer["kinds"])), (), reason, columns, roles)

    def finish(self, name: str) -> Reading:
        """Returns what was read, with the runs told apart."""
        runs = name_apart([(path, run) for _, path, run in self.found])
        ids: dict[int, list[str]] = {}
        for (number, _, _), run in zip(self.found, runs, strict=True):
            ids.setdefault(number, []).append(run.run_id)
        read = [replace(outcome, run_ids=tuple(ids.get(number, ()))) for number, outcome in enumerate(self.outcomes)]
        outcomes = (*read, *self.left_out)
        skipped = [Skipped(outcome.path, outcome.reason) for outcome in outcomes if outcome.reason]
        return Reading(join_runs(runs, skipped, name) if runs else None, outcomes, self.is_offline)


def check_result(path: Path, name: str, most_cells: int) -> int:
    """Returns how many cells a result holds, if it is a table of numbers within the limits.

    Raises:
        RunLogError: It is none, or too large.
    """
    try:
        with pq.ParquetFile(path, thrift_string_size_limit=MAX_RECORD, thrift_container_size_limit=MAX_RECORD) as file:
            columns, num_cells = file.schema_arrow, file.metadata.num_rows * file.metadata.num_columns
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise RunLogError(f"{name} was read to nothing usable ({reason}). Export it in another format") from error
    expected = {schema.STEP: pa.int64()}
    strange = [column.name for column in columns if column.type != expected.get(column.name, pa.float64())]
    if strange or schema.STEP not in columns.names:
        raise RunLogError(
            f"{name} was read to columns that are no numbers ({strange[:3]}). Export it in another format"
        )
    if num_cells > most_cells:
        raise RunLogError(
            f"{name} is too much: {num_cells} values beside the others (at most {MAX_CELLS}). Import fewer"
        )
    return num_cells
