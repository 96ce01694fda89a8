"""Parquet of neptune-exporter: one row a value, with the path and the kind of its attribute; in parts where long."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.parquet_table import read_columns, read_names, split_runs
from analysis.runlog.readers.tracker_runs import build_points_run, read_several
from analysis.runlog.study import Run, RunLogError

NAME = "neptune parquet"
LOSES = "series of texts, files and histograms, tags; whether gradient norms are before clipping"
RUN, PATH, KIND, VALUES = "run_id", "attribute_path", "attribute_type", ("float_value", "int_value", "string_value")
COLUMNS = (RUN, PATH, KIND, schema.STEP, *VALUES)
SERIES, SETTINGS = "float_series", ("float", "int", "string")  # what neptune-exporter calls the kinds
OWN = ("sys/", "monitoring/")  # what Neptune itself adds: names of people and hosts, measurements of the machine
TEXTS = ("texts", pa.types.is_string)
NUMBERS = ("numbers", lambda kind: pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
KINDS = {PATH: TEXTS, KIND: TEXTS, schema.STEP: NUMBERS, VALUES[0]: NUMBERS}
PART = re.compile(r"(.*part_)(\d+)(\.parquet)")


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file has the columns of neptune-exporter."""
    return set(COLUMNS) <= read_names(path, head)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of a file and its further parts; the run_id is the stem of the file and Neptune's id of the run.

    Raises:
        RunLogError: The file is damaged or a further part, or no run of it has a loss.
    """
    table = pa.concat_tables([read_columns(part, COLUMNS, only=True) for part in _list_parts(path)])
    wrong = next((name for name, (_, fits) in KINDS.items() if not fits(table.schema.field(name).type)), None)
    if wrong:
        raise RunLogError(f"{path.name} column {wrong} holds no {KINDS[wrong][0]}. Export the run again")
    runs = ((run, partial(_build, path, run, rows, column_map)) for run, rows in split_runs(table, RUN))
    return read_several(path.name, runs)


def _list_parts(path: Path) -> list[Path]:
    """Returns the parts that belong to a first one, in their order."""
    found = PART.fullmatch(path.name)
    if not found:
        return [path]
    first = path.with_name(f"{found[1]}0{found[3]}")
    if path != first and first.is_file():
        raise RunLogError(f"{path.name} is a further part of {first.name}, and read with it. Give that one")
    parts = [(int(match[2]), part) for part in path.parent.iterdir() if (match := PART.fullmatch(part.name))]
    return [part for _, part in sorted(parts) if part.name.startswith(found[1])] if path == first else [path]


def _build(path: Path, run: str, rows: pa.Table, column_map: Mapping[str, str] | None) -> Run:
    names = {name for name in pc.unique(rows[PATH]).to_pylist() if name and not name.startswith(OWN)}
    rows = rows.filter(pc.is_in(rows[PATH], pa.array(sorted(names), pa.string())))
    series = rows.filter(pc.equal(rows[KIND], SERIES))
    if not len(series):
        raise RunLogError(f"{path.name} run {run} has no metrics. Export the series of the run")
    steps = series[schema.STEP].cast(pa.float64()).to_pylist()
    points = list(zip(steps, series[PATH].to_pylist(), series[VALUES[0]].to_pylist(), strict=True))
    if None in steps:
        raise RunLogError(f"{path.name} run {run} has a value without a step. Export the series of the run again")
    told = rows.filter(pc.is_in(rows[KIND], pa.array(SETTINGS))).select([PATH, *VALUES]).to_pylist()
    config = {row[PATH]: next((row[name] for name in VALUES if row[name] is not None), None) for row in told}
    record = name_run(path, NAME) | {schema.RUN_ID: f"{path.stem}/{run}", schema.NAME: run}
    return build_points_run(points, path, record, {_bare(name): value for name, value in config.items()}, column_map)


def _bare(name: str) -> str:
    """Returns the last part of the path of a setting, as in parameters/lr."""
    return name.rpartition("/")[2]
