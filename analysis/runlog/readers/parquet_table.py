"""Parquet files of other tools: what their columns are, and the rows of each run."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.runlog.study import RunLogError

MAGIC = b"PAR1"


def read_names(path: Path, head: bytes) -> set[str]:
    """Returns the names of the columns of a Parquet file, none where it is no readable one."""
    if not head.startswith(MAGIC):
        return set()
    try:
        return set(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError):
        return set()


def read_columns(path: Path, needed: Collection[str], only: bool = False) -> pa.Table:
    """Returns a Parquet file as a table, with no more than the needed columns where `only` they are of use.

    Raises:
        RunLogError: The file is damaged, or lacks a column that is needed.
    """
    try:
        missing = sorted(set(needed) - set(pq.read_schema(path).names))
        table = pq.read_table(path, columns=list(needed) if only and not missing else None)
        table.validate(full=True)  # texts that are no UTF-8
        for column in sorted(set(needed) - set(missing)):
            if pa.types.is_binary(table.schema.field(column).type):  # text without the mark that it is text
                place = table.column_names.index(column)
                table = table.set_column(place, column, table[column].cast(pa.string()))
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise RunLogError(f"{path.name} cannot be read ({reason}). Copy it again") from error
    if missing:
        raise RunLogError(f"{path.name} has no column {missing[0]}. Choose another format")
    return table


def split_runs(table: pa.Table, key: str) -> Iterator[tuple[str, pa.Table]]:
    """Yields the rows of each run, in the order in which they are stored."""
    for run in pc.unique(table[key]).to_pylist():
        yield str(run), table.filter(pc.equal(table[key], run) if run is not None else pc.is_null(table[key]))


def is_number(table: pa.Table, column: str) -> bool:
    """Returns whether a column holds numbers."""
    kind = table.schema.field(column).type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)
