"""results.csv of Ultralytics YOLO: one row an epoch, several losses and no total."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.columns import ColumnPlan
from analysis.runlog.readers.csv_table import read_header, read_table
from analysis.runlog.readers.epoch_csv import EPOCHS, NOTE
from analysis.runlog.readers.foreign_rows import Columns, build_foreign_run, name_run
from analysis.runlog.study import Run, RunLogError

NAME = "yolo csv"
LOSES = "everything within an epoch; the total loss (read as the sum of its parts, as they are weighted already)"
EPOCH = "epoch"
PARTS = {schema.TRAIN_LOSS: "train/", schema.EVAL_LOSS: "val/"}
LOSS = "_loss"
LRS = ("lr/pg0", "x/lr0")


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has epochs and parts of a training loss."""
    header = read_header(head)
    return EPOCH in header and len(_parts(header, PARTS[schema.TRAIN_LOSS])) > 1


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers with epochs and parts of a loss.
    """
    if column_map:
        raise RunLogError(f"{path.name} is a {NAME}, whose losses are sums; nothing can be mapped. Leave the map out")
    table = read_table(path, lambda header: _plan(header, path.name))
    columns, notes = dict(table.columns), [*table.notes, NOTE]
    for loss, prefix in PARTS.items():
        parts = _parts(columns, prefix)
        if parts:
            columns[loss] = _add(columns, parts)
            notes.append(f"{loss} is the sum of {', '.join(parts)}; the file has no total")
    rate = next((name for name in LRS if name in columns), None)
    if rate:
        columns[schema.LR] = columns.pop(rate)
        notes.append(f"lr is {rate}, the first group of parameters")
    record = name_run(path, NAME) | {schema.STEP_UNIT: EPOCHS}
    return (build_foreign_run(columns, record, path.name, notes, keeps_nan=False),)


def _plan(header: list[str], file: str) -> ColumnPlan:
    names = [" ".join(name.split()) for name in header]
    if names.count(EPOCH) != 1 or any(names.count(name) > 1 for name in names):
        raise RunLogError(f"{file} has a column twice, or no {EPOCH} (found: {', '.join(names)[:200]}). Rename one")
    extra = {name: position for position, name in enumerate(names) if name and name != EPOCH}
    return ColumnPlan({schema.STEP: names.index(EPOCH)}, extra, ())


def _parts(names: Mapping | list[str], prefix: str) -> list[str]:
    return [name for name in names if name.startswith(prefix) and name.endswith(LOSS)]


def _add(columns: Columns, parts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sum of columns; a row without one of them has no sum."""
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf and overflow are what the sum is
        values = np.sum([columns[name][0] for name in parts], axis=0)
    return values, np.logical_and.reduce([columns[name][1] for name in parts])
