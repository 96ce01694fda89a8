"""CSV of W&B's run.history() or scan_history(): one run, columns `_step`, `_runtime`, `_timestamp` and its metrics."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.columns import RUN_NAMES, plan_columns
from analysis.runlog.readers.csv_table import read_header, read_table
from analysis.runlog.readers.foreign_rows import build_foreign_run, name_run
from analysis.runlog.study import Run

NAME = "wandb history csv"
LOSES = "all points but 500 where it is run.history(), whose sample may miss a spike; NaN where pandas wrote it empty"
STEP, STAMPS = "_step", frozenset({"_runtime", "_timestamp"})
SAMPLES = 500  # default of run.history(samples=...) in wandb's public API


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has the step and a time stamp that W&B adds to every row, and no column of runs."""
    header = set(read_header(head))
    return STEP in header and bool(header & STAMPS) and not header.intersection(RUN_NAMES)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers with a loss.
    """
    table = read_table(
        path, lambda header: plan_columns(header, {schema.STEP: STEP} | dict(column_map or {}), path.name)
    )
    record, notes = name_run(path, NAME) | table.facts, [*table.notes]
    if schema.STEP not in (column_map or {}):
        record[schema.STEP_UNIT] = "log index"
        notes.append(f"steps are W&B's {STEP}, which counts log calls; map another column if updates were logged")
    num_rows = len(table.columns[schema.STEP][0])
    if num_rows == SAMPLES:
        notes.append(f"{SAMPLES} rows are what run.history() samples of a longer run; scan_history() gives all of them")
    return (build_foreign_run(table.columns, record, path.name, notes, keeps_nan=False),)
