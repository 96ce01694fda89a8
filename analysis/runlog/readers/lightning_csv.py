"""metrics.csv of Lightning's CSVLogger: rows of steps and rows of epochs, each with its own columns filled."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.columns import ALIASES, ColumnPlan, fold, plan_columns
from analysis.runlog.readers.csv_table import read_header, read_table
from analysis.runlog.readers.foreign_rows import Columns, build_foreign_run, name_run
from analysis.runlog.study import Run

NAME = "lightning csv"
LOSES = "steps between two logged ones (50 by default); whether an empty cell is a NaN; place of the gradient norm"
STEP, EPOCH = "_step", "_epoch"
LR_MONITOR = "lr-"


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has step and epoch, and names with the endings that Lightning gives."""
    header = read_header(head)
    by_both = any(name.endswith(EPOCH) and name[: -len(EPOCH)] + STEP in header for name in header)
    by_one = any(name.startswith(LR_MONITOR) or name.endswith((STEP, EPOCH)) for name in header if name[0:1] != "_")
    return {"step", "epoch"} <= set(header) and (by_both or by_one)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers with a step and a loss.
    """
    endings = []

    def choose(header: list[str]) -> ColumnPlan:
        header = [" ".join(name.split()) for name in header]
        found = _find_columns(header)
        endings.append(found.get(schema.TRAIN_LOSS, "").endswith(EPOCH))
        return plan_columns(header, found | dict(column_map or {}), path.name)

    table = read_table(path, choose)
    record, notes = name_run(path, NAME) | table.facts, [*table.notes]
    if endings[0] and schema.TRAIN_LOSS not in (column_map or {}):
        record[schema.AVERAGED_OVER] = _stride(table.columns)
        notes.append("the training loss is the mean of an epoch; no loss of single steps was logged")
    return (build_foreign_run(table.columns, record, path.name, notes, keeps_nan=False),)


def _find_columns(header: Sequence[str]) -> dict[str, str]:
    """Returns the columns whose names fit without their ending; losses of steps go before those of epochs."""
    found = {}
    for name, endings in ((schema.TRAIN_LOSS, (STEP, "", EPOCH)), (schema.EVAL_LOSS, (EPOCH, "", STEP))):
        for ending in endings:
            for alias in ALIASES[name]:
                column = next((column for column in header if fold(column) == alias + ending), None)
                if column and name not in found:
                    found[name] = column
    rates = [column for column in header if column.startswith(LR_MONITOR)]
    return found | ({schema.LR: rates[0]} if rates else {})


def _stride(columns: Columns) -> int:
    """Returns the steps between two logged training losses, at least 1."""
    steps = columns[schema.STEP][0][columns[schema.TRAIN_LOSS][1]]
    return max(int(np.median(np.diff(steps))), 1) if len(steps) > 1 and np.isfinite(steps).all() else 1
