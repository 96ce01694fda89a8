"""Runs of our own store, and Parquet files of anyone with a step and a loss."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from analysis.runlog import layout, schema, sealing, store
from analysis.runlog.describe import RECORD_SOURCE
from analysis.runlog.readers.columns import plan_columns
from analysis.runlog.readers.foreign_rows import as_numbers, build_foreign_run
from analysis.runlog.study import Run, RunLogError

NAME = "parquet"
LOSES = "nothing from our own writer; files that pandas wrote have NaN as an empty cell"
MAGIC = b"PAR1"


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the path is a run folder of the store or a Parquet file."""
    return head.startswith(MAGIC) or (path.is_dir() and (path / layout.RUN_FILE).is_file())


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a run folder or of a Parquet file.

    Raises:
        RunLogError: The file is damaged, or no table of numbers with a step and a loss.
    """
    if path.is_dir():
        return (store.read_run(path),)
    table = sealing.read_sealed(path, path.name)
    if sealing.CONTENT_KEY in (table.schema.metadata or {}) and not column_map:
        return (store.read_sealed_run(path),)
    record = sealing.read_metadata(table, sealing.RECORD_KEY, path.name)
    source = RECORD_SOURCE if record else NAME
    record = {schema.RUN_ID: path.stem, schema.SOURCE: f"{source}: {path.name}"} | record
    plan = plan_columns(table.column_names, column_map, path.name)
    record = {**plan.facts, **record}
    columns, text_columns = {}, list(plan.left_out)
    for name, position in {**plan.used, **plan.extra}.items():
        column = table.column(position)
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            columns[name] = as_numbers(column)
        elif name in plan.used:
            raise RunLogError(f"{path.name} column {name} is {column.type}, not numbers. Convert it, or map another")
        else:
            text_columns.append(name)
    notes = [f"columns that are not numbers or have no free name are left out: {', '.join(text_columns)}"]
    # pandas turns NaN into null on its way to Parquet, and other tools copy such files without saying where from
    return (build_foreign_run(columns, record, path.name, notes if text_columns else [], keeps_nan=False),)
