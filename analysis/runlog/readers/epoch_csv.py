"""Tables with one row an epoch, of a script of one's own; those of timm and Keras have readers of their names."""

from collections.abc import Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.columns import ALIASES, fold, plan_columns
from analysis.runlog.readers.csv_table import read_header, read_table
from analysis.runlog.readers.foreign_rows import build_foreign_run, name_run
from analysis.runlog.study import Run

NAME = "epoch csv"
LOSES = "everything within an epoch: its losses are means over one, and steps are epochs"
EPOCHS = "epochs"
NOTE = "steps are epochs; each loss is a mean over one"
EPOCH = "epoch"
LOSSES = frozenset(ALIASES[schema.TRAIN_LOSS] + ALIASES[schema.EVAL_LOSS])


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has epochs and a loss but no steps."""
    header = {fold(name) for name in read_header(head)}
    return EPOCH in header and not header.intersection(ALIASES[schema.STEP]) and bool(header & LOSSES)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers with epochs and a loss.
    """
    return read_epochs(path, column_map, NAME)


def read_epochs(path: Path, column_map: Mapping[str, str] | None, reader: str) -> tuple[Run, ...]:
    """Reads the run of a file whose steps are epochs, under the name of a reader.

    Raises:
        RunLogError: The file is no table of numbers with epochs and a loss.
    """

    def choose(header: list[str]):
        epochs = [name for name in header if fold(name) == EPOCH]
        known = {schema.STEP: epochs[0]} if epochs else {}
        return plan_columns(header, known | dict(column_map or {}), path.name)

    table = read_table(path, choose)
    is_mapped = schema.STEP in (column_map or {})
    record = name_run(path, reader) | table.facts | ({} if is_mapped else {schema.STEP_UNIT: EPOCHS})
    notes = [*table.notes] if is_mapped else [*table.notes, NOTE]
    return (build_foreign_run(table.columns, record, path.name, notes, keeps_nan=False),)
