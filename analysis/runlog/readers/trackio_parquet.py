"""trackio's Parquet copy of the metrics of a project: a column for each metric, all runs below each other."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa

from analysis.runlog import schema
from analysis.runlog.readers.columns import plan_columns
from analysis.runlog.readers.foreign_rows import as_numbers, build_foreign_run, name_run
from analysis.runlog.readers.gathered_rows import list_names
from analysis.runlog.readers.parquet_table import is_number, read_columns, read_names, split_runs
from analysis.runlog.readers.tracker_runs import read_several
from analysis.runlog.study import Run

NAME = "trackio parquet"
LOSES = "metaparameters, which lie in a file beside it; whether gradient norms are before clipping"
ROW = frozenset({"id", "run_name", "timestamp", schema.STEP})  # columns of every row
OWN = frozenset({"id", "run_id", "run_name", "timestamp", "log_id", "space_id"})


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file has the columns of every row of trackio, and a step."""
    return read_names(path, head) >= ROW


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of a file; the run_id is the stem of the file and trackio's id of the run, or its name.

    Raises:
        RunLogError: The file is damaged, or no run of it has a loss.
    """
    table = read_columns(path, ROW)
    key = "run_id" if "run_id" in table.column_names else "run_name"
    runs = ((run, partial(_build, path, run, rows, column_map)) for run, rows in split_runs(table, key))
    return read_several(path.name, runs)


def _build(path: Path, run: str, rows: pa.Table, column_map: Mapping[str, str] | None) -> Run:
    name = str(rows["run_name"][len(rows) - 1].as_py())
    record = name_run(path, NAME) | {schema.RUN_ID: f"{path.stem}/{run}", schema.NAME: name}
    metrics = [column for column in rows.column_names if column not in OWN and is_number(rows, column)]
    numbers = {column: as_numbers(rows[column]) for column in metrics}
    plan = plan_columns(
        metrics, column_map, path.name, {name: int(logged.sum()) for name, (_, logged) in numbers.items()}
    )
    columns = {name: numbers[metrics[place]] for name, place in {**plan.used, **plan.extra}.items()}
    others = [column for column in rows.column_names if column not in OWN and column not in metrics]
    notes = [f"columns that are not numbers are left out: {list_names(others)}"] if others else []
    return build_foreign_run(columns, record | plan.facts, path.name, notes, keeps_nan=True)
