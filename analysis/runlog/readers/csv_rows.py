"""Rows of a table of text, one at a time: refuses ragged ones, drops and counts repeated headers."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from analysis.runlog.study import RunLogError

DELIMITERS = (",", ";", "\t")
MAX_COLUMNS = 4096  # ours: bounds memory; a sweep of 1,000 runs exported from W&B has 3,001


class CsvRows:
    """Iterates over (line number, cells).

    Attributes:
        header: Column names as the file has them.
        delimiter: What stands between cells.
        num_header_lines: Lines up to the end of the header.
        notes: Sentences on what was left out, complete after the last row.
    """

    def __init__(self, file: str, text: TextIO, ends_whole: bool) -> None:
        first = next((line for line in text if line.strip()), "")
        text.seek(0)
        self.file, self.ends_whole = file, ends_whole
        self.delimiter = max(DELIMITERS, key=first.count)
        self._reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        self.header = next((row for row in self._reader if row), [])
        if len(self.header) > MAX_COLUMNS:
            raise RunLogError(f"{file} has {len(self.header)} columns (at most {MAX_COLUMNS}). Keep the metrics only")
        self.num_header_lines = self._reader.line_num
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yields the rows of the table."""
        width, header, num_headers = len(self.header), self.header, 0
        for row in self._reader:
            line = self._reader.line_num
            if len(row) != width:
                if row and not self._is_torn(row):
                    raise RunLogError(
                        f"{self.file} line {line}: {len(row)} fields, header has {width}. Fix or delete the line"
                    )
            elif row[0] == header[0] and row == header:
                num_headers += 1
            else:
                yield line, row
        if num_headers:
            self.notes.append(f"repeated header lines that are left out: {num_headers}")

    def _is_torn(self, row: list[str]) -> bool:
        """Returns whether the row is a last line that was cut off while it was written."""
        if self.ends_whole or len(row) > len(self.header) or next(self._reader, None) is not None:
            return False
        self.notes.append(f"line {self._reader.line_num} was cut off while it was written and is left out")
        return True


@contextmanager
def open_rows(path: Path) -> Iterator[CsvRows]:
    """Yields the rows of a file.

    Raises:
        RunLogError: The file is no UTF-8 text or no valid CSV, or has too many columns.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            yield CsvRows(path.name, text, ends_whole(path))
    except UnicodeDecodeError as error:
        raise RunLogError(f"{path.name} is not UTF-8 text (byte {error.start}). Save it as UTF-8") from error
    except csv.Error as error:
        raise RunLogError(f"{path.name} is no valid CSV ({error}). Write it again, quotes in pairs") from error


def ends_whole(path: Path) -> bool:
    """Returns whether the last line of a file has its end."""
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in (b"\n", b"\r")
