"""Long tables: one row a value, columns `step`, `metric` and `value`, and `run` where there are several."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.columns import ALIASES, RUN_NAMES, fold
from analysis.runlog.readers.csv_rows import open_rows
from analysis.runlog.readers.csv_table import read_header
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.readers.numbers import to_number
from analysis.runlog.readers.tracker_runs import Point, join_points
from analysis.runlog.study import Run, RunLogError

NAME = "long csv"
LOSES = "whether a metric without a value was NaN; columns beside step, metric, value and run; place of the norm"
METRICS, VALUES = ("metric", "metric_name", "key", "tag", "variable", "name"), ("value", "metric_value")
LOSSES = frozenset(alias for name in schema.LOSS_COLUMNS for alias in ALIASES[name])


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has a step, a metric and a value, but no loss."""
    header = [fold(name) for name in read_header(head)]
    return None not in _find_roles(header)[:3] and not LOSSES & set(header)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of a file; with a column of runs the run_id is the stem of the file and the name of the run.

    Raises:
        RunLogError: A row has no step or metric, or a value is no number; a run has no loss.
    """
    with open_rows(path) as rows:
        roles = _find_roles([fold(name) for name in rows.header])
        if None in roles[:3]:
            raise RunLogError(
                f"{path.name} is no {NAME}: it needs columns step, metric and value. Choose another format"
            )
        runs: dict[str, list[Point]] = {}
        for line, row in rows:
            name = row[roles[3]].strip() if roles[3] is not None else ""
            runs.setdefault(name, []).append(_read_point(path.name, line, [row[place] for place in roles[:3]]))
        others = [name for place, name in enumerate(rows.header) if place not in roles]
        notes = [*rows.notes, *([f"columns that are left out: {', '.join(others)}"] if others else [])]
    if not runs:
        raise RunLogError(f"{path.name} has a header but no rows. Log at least one step")
    return tuple(_build(path, name, points, notes, column_map) for name, points in runs.items())


def _find_roles(header: Sequence[str]) -> list[int | None]:
    """Returns the places of step, metric, value and run; None for what is not there."""
    aliases = (ALIASES[schema.STEP], METRICS, VALUES, RUN_NAMES)
    return [next((header.index(name) for name in names if name in header), None) for names in aliases]


def _read_point(file: str, line: int, cells: Sequence[str]) -> Point:
    step, metric, value = (cell.strip() for cell in cells)
    if to_number(step) is None or not metric or (value and to_number(value) is None):
        raise RunLogError(
            f"{file} line {line}: step {step[:40]!r}, metric {metric[:40]!r}, value {value[:40]!r}; a row needs "
            "a step, a metric and a number. Fix or delete the line"
        )
    return to_number(step), metric, value or None


def _build(
    path: Path, name: str, points: Sequence[Point], notes: Sequence[str], column_map: Mapping[str, str] | None
) -> Run:
    rows = GatheredRows(path.name)
    for row in join_points(points):
        rows.add(row)
    record = name_run(path, NAME)
    if name:
        record |= {schema.RUN_ID: f"{path.stem}/{name}", schema.NAME: name}
    return build_gathered_run(rows, path, Reading(record, tuple(notes), keeps_nan=False), column_map)
