"""CSV and TSV: one run a file, one row a step, one column a metric."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog.readers.columns import plan_columns
from analysis.runlog.readers.csv_rows import DELIMITERS
from analysis.runlog.readers.csv_table import is_text, read_table
from analysis.runlog.readers.foreign_rows import build_foreign_run, name_run
from analysis.runlog.study import Run

NAME = "csv"
LOSES = "whether an empty cell is a metric that was not logged or a NaN; whether gradient norms are before clipping"


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the first bytes are text whose first line is a delimited header."""
    line = head.lstrip(b"\xef\xbb\xbf\r\n").splitlines()[:1]
    return is_text(head) and bool(line) and any(delimiter.encode() in line[0] for delimiter in DELIMITERS)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers with a step and a loss; the line says where.
    """
    table = read_table(path, lambda header: plan_columns(header, column_map, path.name))
    record = name_run(path, NAME) | table.facts
    return (build_foreign_run(table.columns, record, path.name, [*table.notes], keeps_nan=False),)
