"""Tables of text: the fast way for whole ones, the careful way that says where a fault is."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from analysis.runlog import schema
from analysis.runlog.readers.columns import ColumnPlan
from analysis.runlog.readers.foreign_rows import Columns, as_numbers
from analysis.runlog.study import RunLogError

DELIMITERS = (",", ";", "\t")
CHUNK_ROWS = 65_536  # ours: bounds the memory that text cells take
MAX_COLUMNS = 4096  # ours: bounds memory; a sweep of 1,000 runs exported from W&B has 3,001


class Reader(Protocol):
    """What csv.reader returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]:
        """Yields rows."""

    def __next__(self) -> list[str]:
        """Returns the next row."""


@dataclass(frozen=True)
class CsvTable:
    """A table of text as numbers.

    Attributes:
        columns: By the names of the plan.
        plan: What became of the columns.
        notes: Sentences on what was left out.
    """

    columns: Columns
    plan: ColumnPlan
    notes: tuple[str, ...]


def is_text(head: bytes) -> bool:
    """Returns whether the first bytes of a file are text that starts like a table."""
    return bool(head) and b"\0" not in head and head.lstrip(b"\xef\xbb\xbf \r\n")[:1] not in (b"{", b"[")


def read_header(head: bytes) -> list[str]:
    """Returns the column names in the first bytes of a file, [] where they are no table."""
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
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            first = next((line for line in text if line.strip()), "")
            text.seek(0)
            delimiter = max(DELIMITERS, key=first.count)
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            header = next((row for row in reader if row), [])
            if len(header) > MAX_COLUMNS:
                raise RunLogError(
                    f"{path.name} has {len(header)} columns (at most {MAX_COLUMNS}). Keep the metrics only"
                )
            plan, notes = choose(header), []
            columns = _read_plain(path, delimiter, reader.line_num, plan)
            if columns is None:
                columns = _CarefulTable(path.name, header, plan, reader, _ends_whole(path), notes).read()
    except UnicodeDecodeError as error:
        raise RunLogError(f"{path.name} is not UTF-8 text (byte {error.start}). Save it as UTF-8") from error
    except csv.Error as error:
        raise RunLogError(f"{path.name} is no valid CSV ({error}). Write it again, quotes in pairs") from error
    if plan.left_out:
        notes.append(f"columns with a missing, double or taken name are left out: {', '.join(plan.left_out)}")
    if not _ends_whole(path) and not any("cut off" in note for note in notes):
        notes.append("the last line has no line end; its last number may be cut short")
    return CsvTable(columns, plan, tuple(notes))


def _read_plain(path: Path, delimiter: str, num_header_lines: int, plan: ColumnPlan) -> Columns | None:
    """Returns the columns if all rows are whole and all cells are numbers or empty, else None.

    Most files are like that, and this is 10 times as fast as the careful reader, which must then find the fault.
    """
    columns = {name: f"f{position}" for name, position in {**plan.used, **plan.extra}.items()}
    try:
        with pa.OSFile(str(path)) as file:
            table = pa_csv.read_csv(
                file,
                pa_csv.ReadOptions(use_threads=False, skip_rows=num_header_lines, autogenerate_column_names=True),
                pa_csv.ParseOptions(delimiter=delimiter),
                pa_csv.ConvertOptions(
                    include_columns=list(columns.values()),
                    column_types=dict.fromkeys(columns.values(), pa.float64()),
                    null_values=[""],
                ),
            )
    except (pa.ArrowException, KeyError):
        return None
    return {name: as_numbers(table[column]) for name, column in columns.items()}


class _CarefulTable:
    """Reads cell by cell, a chunk of rows at a time: says where the fault is, or resolves and notes what it can."""

    def __init__(
        self, file: str, header: list[str], plan: ColumnPlan, reader: Reader, ends_whole: bool, notes: list[str]
    ) -> None:
        self.file, self.header, self.plan, self.reader = file, header, plan, reader
        self.ends_whole, self.notes = ends_whole, notes
        self.chunks: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in plan.used | plan.extra}
        self.lines: list[int] = []
        self.num_headers = 0

    def read(self) -> Columns:
        rows = self._rows()
        while chunk := list(islice(rows, CHUNK_ROWS)):
            self._convert(chunk)
            self.lines.clear()
        if not self.chunks[schema.STEP]:
            raise RunLogError(f"{self.file} has a header but no rows. Log at least one step")
        if self.num_headers:
            self.notes.append(f"repeated header lines that are left out: {self.num_headers}")
        text_columns = [name for name in self.plan.extra if name not in self.chunks]
        if text_columns:
            self.notes.append(f"columns that are not numbers are left out: {', '.join(text_columns)}")
        return {
            name: (np.concatenate([values for values, _ in parts]), np.concatenate([logged for _, logged in parts]))
            for name, parts in self.chunks.items()
        }

    def _rows(self) -> Iterator[list[str]]:
        """Yields the rows of the table; refuses ragged ones, drops and counts repeated headers."""
        width, header = len(self.header), self.header
        for row in self.reader:
            line = self.reader.line_num
            if len(row) != width:
                if row and not self._is_torn(row):
                    raise RunLogError(
                        f"{self.file} line {line}: {len(row)} fields, header has {width}. Fix or delete the line"
                    )
            elif row[0] == header[0] and row == header:
                self.num_headers += 1
            else:
                self.lines.append(line)
                yield row

    def _is_torn(self, row: list[str]) -> bool:
        """Returns whether the row is a last line that was cut off while it was written."""
        if self.ends_whole or len(row) > len(self.header) or next(self.reader, None) is not None:
            return False
        self.notes.append(f"line {self.reader.line_num} was cut off while it was written and is left out")
        return True

    def _convert(self, rows: list[list[str]]) -> None:
        cells = list(zip(*rows, strict=True))
        for name in list(self.chunks):
            position = (self.plan.used | self.plan.extra)[name]
            try:
                self.chunks[name].append(_parse(cells[position]))
            except ValueError as error:
                if name in self.plan.extra:
                    del self.chunks[name]
                    continue
                row = next(row for row, cell in enumerate(cells[position]) if not _is_number(cell))
                raise RunLogError(
                    f"{self.file} line {self.lines[row]}: {cells[position][row][:40]!r} in column "
                    f"{' '.join(self.header[position].split())} is not a number. Fix the cell, or map another column"
                ) from error


def _parse(cells: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Returns (values, whether each was logged); an empty cell was not."""
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells)), np.ones(len(cells), bool)
    except ValueError:
        logged = np.fromiter((bool(cell) and not cell.isspace() for cell in cells), bool, len(cells))
        values = np.zeros(len(cells))
        values[logged] = [float(cell) for cell, is_logged in zip(cells, logged.tolist(), strict=True) if is_logged]
        return values, logged


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in (b"\n", b"\r")
