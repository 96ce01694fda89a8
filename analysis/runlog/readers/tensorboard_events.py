"""TensorBoard event files: every scalar, from PyTorch (simple values) and TF2 (tensors)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.event_parts import FILE_NAME, Part, list_parts
from analysis.runlog.readers.event_records import LENGTH
from analysis.runlog.readers.event_scalars import Scalars, read_scalars, read_start
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import Column, GatheredRows, Reading, build_gathered_run
from analysis.runlog.study import Run, RunLogError

NAME = "tensorboard events"
LOSES = "metaparameters; whether gradient norms are before clipping"
VERSION = b"brain.Event:"


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the first record is the version that every event file starts with."""
    return len(head) > 12 and LENGTH.unpack(head[:8])[0] < 256 and VERSION in head[12:64]


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run that begins in a file, with the files of its folder in which it goes on.

    Raises:
        RunLogError: The file goes on with another run, is damaged before the first scalar, has no step or loss, or
            tensorboard is not installed.
    """
    parts = list_parts(path)
    rows, notes, restarts = _gather(parts, path.name)
    if not rows.num_rows:
        cause = f" ({notes[0]})" if notes else ""
        raise RunLogError(f"{path.name} has no scalars{cause}. Give the event file of the training run")
    if len(parts) > 1:
        notes.append(f"event files of its folder that are read as this run: {len(parts)}")
    return (build_gathered_run(rows, path, Reading(_name(path), tuple(notes), restarts=restarts), column_map),)


def _gather(parts: Sequence[Part], file: str) -> tuple[GatheredRows, list[str], tuple[int, ...]]:
    """Returns the rows of all parts, notes on them, and at which rows a restart begins."""
    rows, notes, restarts, start = GatheredRows(file), [], [], None
    for part in parts:
        restarts += [rows.num_rows] * part.is_attempt
        told: list[str] = []
        scalars = read_scalars(part.path, told)
        start = read_start(part.path) if start is None else start
        rows.extend(*_join_steps(scalars, start))
        notes += told if len(parts) == 1 else [f"{FILE_NAME.match(part.path.name)[0]}: {note}" for note in told]
    return rows, notes, tuple(restarts)


def _join_steps(scalars: Scalars, start: float) -> tuple[int, dict[str, Column]]:
    """Returns how many rows there are, and the columns by name.

    A row holds neighboring scalars of one step, each tag once; one that comes again begins a further row.
    """
    if not len(scalars.steps):
        return 0, {}
    visits = np.concatenate(([0], np.cumsum(np.diff(scalars.steps) != 0)))
    keys = visits * len(scalars.names) + scalars.tags
    order = np.argsort(keys, kind="stable")
    is_new = np.concatenate(([True], np.diff(keys[order]) != 0))
    place = np.arange(len(keys))
    again = np.empty(len(keys), np.int64)
    again[order] = place - np.maximum.accumulate(np.where(is_new, place, 0))
    _, first, rows = np.unique(visits * (again.max() + 1) + again, return_index=True, return_inverse=True)
    everywhere = np.arange(len(first))
    columns = {
        schema.STEP: (everywhere, scalars.steps[first].astype(float)),
        schema.ELAPSED_SECONDS: (everywhere, scalars.times[first] - start),
    }
    for number, name in enumerate(scalars.names):
        if name not in columns:
            mine = scalars.tags == number
            columns[name] = (rows[mine], scalars.values[mine])
    return len(first), columns


def _name(path: Path) -> dict[str, object]:
    """Returns the first fields of the record: named by the folder, for the file's name is a time and a host."""
    record = name_run(path, NAME)
    if match := FILE_NAME.match(path.name):
        record |= {schema.NAME: path.resolve().parent.name or match[0], schema.SOURCE: f"{NAME}: {match[0]}"}
    return record
