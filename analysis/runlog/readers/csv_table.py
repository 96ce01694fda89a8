"""Tables of text: the fast way for whole ones, the careful way that says where a fault is."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from analysis.runlog import schema
from analysis.runlog.readers.columns import ColumnPlan
from analysis.runlog.readers.csv_rows import DELIMITERS, CsvRows, open_rows
from analysis.runlog.readers.foreign_rows import Columns, as_numbers
from analysis.runlog.readers.settings import find_settings
from analysis.runlog.study import RunLogError

CHUNK_ROWS = 65_536  # ours: bounds the memory that text cells take
BLOCK = 2**20  # Arrow's own; a small file needs no more than itself
NOT_LOGGED = "NA"  # as Keras and R write it


@dataclass(frozen=True)
class CsvTable:
    """A table of text as numbers.

    Attributes:
        columns: By the names of the plan.
        plan: What became of the columns.
        notes: Sentences on what was left out.
        facts: Fields of the run record that names of columns, or texts that never change, tell.
    """

    columns: Columns
    plan: ColumnPlan
    notes: tuple[str, ...]
    facts: Mapping[str, object]


def is_text(head: bytes) -> bool:
    """Returns whether the first bytes of a file are text that starts like a table."""
    return bool(head) and b"\0" not in head and head.lstrip(b"\xef\xbb\xbf \r\n")[:1] not in (b"{", b"[")


def read_header(head: bytes) -> list[str]:
    """Returns the column names in the first bytes of a file, [] where they are no table."""
    return list(_read_header(head))


@lru_cache(4)  # a dozen readers look at the same head
def _read_header(head: bytes) -> Sequence[str]:
    if not is_text(head):
        return []
    lines = head.decode("utf-8-sig", errors="replace").lstrip("\r\n").splitlines()[:1]
    delimiter = max(DELIMITERS, key=lines[0].count) if lines else ","
    if not lines or delimiter not in lines[0]:
        return []
    try:
        return [" ".join(name.split()) for name in next(csv.reader(lines, delimiter=delimiter))]
    except csv.Error:
        return []


def read_table(path: Path, choose: Callable[[list[str]], ColumnPlan]) -> CsvTable:
    """Reads a file.

    Args:
        path: The file.
        choose: Header to plan.

    Raises:
        RunLogError: The file is no table of numbers; the line says where.
    """
    with open_rows(path) as rows:
        plan = choose(rows.header)
        columns, texts = _read_plain(path, rows.delimiter, rows.num_header_lines, plan), {}
        if columns is None:
            columns, texts = _CarefulTable(path.name, rows, plan).read()
    notes, settings = rows.notes, find_settings(texts)
    lost = [name for name in plan.extra if name not in columns and name not in settings.columns]
    if lost:
        notes.append(f"columns that are not numbers are left out: {', '.join(lost)}")
    if plan.left_out:
        notes.append(f"columns with a missing, double or taken name are left out: {', '.join(plan.left_out)}")
    if not rows.ends_whole and not any("cut off" in note for note in notes):
        notes.append("the last line has no line end; its last number may be cut short")
    return CsvTable(columns, plan, tuple(notes), {**plan.facts, **settings.fields})


def _read_plain(path: Path, delimiter: str, num_header_lines: int, plan: ColumnPlan) -> Columns | None:
    """Returns the columns if all rows are whole and all cells are numbers or empty, else None.

    Most files are like that, and this is 10 times as fast as the careful reader, which must then find the fault.
    """
    columns = {name: f"f{position}" for name, position in {**plan.used, **plan.extra}.items()}
    try:
        with pa.OSFile(str(path)) as file:
            table = pa_csv.read_csv(
                file,
                pa_csv.ReadOptions(
                    use_threads=False,
                    block_size=min(file.size() + 1, BLOCK),
                    skip_rows=num_header_lines,
                    autogenerate_column_names=True,
                ),
                pa_csv.ParseOptions(delimiter=delimiter),
                pa_csv.ConvertOptions(
                    include_columns=list(columns.values()),
                    column_types=dict.fromkeys(columns.values(), pa.float64()),
                    null_values=["", NOT_LOGGED],
                ),
            )
    except (pa.ArrowException, KeyError):
        return None
    return {name: as_numbers(table[column]) for name, column in columns.items()}


class _CarefulTable:
    """Reads cell by cell, a chunk of rows at a time: says where the fault is, or resolves and notes what it can."""

    def __init__(self, file: str, rows: CsvRows, plan: ColumnPlan) -> None:
        self.file, self.rows, self.plan = file, rows, plan
        self.chunks: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in plan.used | plan.extra}
        self.texts: dict[str, set[str]] = {}

    def read(self) -> tuple[Columns, dict[str, str]]:
        """Returns the columns of numbers, and the texts of those columns that hold one text only."""
        rows = iter(self.rows)
        while chunk := list(islice(rows, CHUNK_ROWS)):
            self._convert(*zip(*chunk, strict=True))
        if not self.chunks[schema.STEP]:
            raise RunLogError(f"{self.file} has a header but no rows. Log at least one step")
        columns = {
            name: (np.concatenate([values for values, _ in parts]), np.concatenate([logged for _, logged in parts]))
            for name, parts in self.chunks.items()
        }
        return columns, {name: min(texts) for name, texts in self.texts.items() if len(texts) == 1}

    def _convert(self, lines: Sequence[int], rows: Sequence[list[str]]) -> None:
        cells = list(zip(*rows, strict=True))
        places = self.plan.used | self.plan.extra
        for name in list(self.chunks):
            column = cells[places[name]]
            try:
                self.chunks[name].append(_parse(column))
            except ValueError as error:
                if name in self.plan.extra:
                    if not self.chunks.pop(name):
                        self.texts[name] = set()
                    continue
                row = next(row for row, cell in enumerate(column) if not _is_number(cell))
                raise RunLogError(
                    f"{self.file} line {lines[row]}: {column[row][:40]!r} in column "
                    f"{' '.join(self.rows.header[places[name]].split())} is not a number. "
                    "Fix the cell, or map another column"
                ) from error
        for name, texts in self.texts.items():
            if len(texts) < 2:
                texts.update(cell.strip() for cell in cells[places[name]])


def _parse(cells: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Returns (values, whether each was logged); an empty cell and NA were not."""
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells)), np.ones(len(cells), bool)
    except ValueError:
        logged = np.fromiter((cell.strip() not in ("", NOT_LOGGED) for cell in cells), bool, len(cells))
        values = np.zeros(len(cells))
        values[logged] = [float(cell) for cell, is_logged in zip(cells, logged.tolist(), strict=True) if is_logged]
        return values, logged


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip() in ("", NOT_LOGGED)
    return True
