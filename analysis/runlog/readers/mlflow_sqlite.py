"""MLflow's database, `mlflow.db`: all runs of all its experiments that were not deleted."""

import math
import sys
from collections.abc import Mapping
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.sqlite_file import has_tables, open_database
from analysis.runlog.readers.tracker_runs import Point, build_points_run, read_several
from analysis.runlog.study import Run, RunLogError

NAME = "mlflow sqlite"
LOSES = (
    "the step where none was given (all are 0); deleted runs, system metrics, tags; whether norms are before clipping"
)
TABLES = {
    "runs": {"run_uuid", "name", "lifecycle_stage"},
    "metrics": {"key", "value", "step", "is_nan", "run_uuid"},
    "params": {"key", "value", "run_uuid"},
}
POINTS = (
    "SELECT run_uuid, step, key, value, is_nan FROM metrics "
    "WHERE run_uuid IN (SELECT run_uuid FROM runs WHERE lifecycle_stage IS NOT 'deleted') ORDER BY run_uuid, rowid"
)
SYSTEM = "system/"  # names of MLflow's measurements of the machine, whose steps count samples
INFINITE = sys.float_info.max  # what MLflow stores for infinity; for NaN it stores 0 and sets is_nan


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file is a database with MLflow's tables."""
    return has_tables(path, head, TABLES)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of a database; the run_id is the stem of the file and MLflow's id of the run.

    Raises:
        RunLogError: The database is damaged, or no run of it has a loss.
    """
    with open_database(path) as database:
        names = dict(database.execute("SELECT run_uuid, name FROM runs"))
        params: dict[str, dict[str, object]] = {}
        for run, key, value in database.execute("SELECT run_uuid, key, value FROM params"):
            params.setdefault(run, {})[str(key)] = value
        runs = groupby(database.execute(POINTS), key=itemgetter(0))
        return read_several(
            path.name,
            (
                (str(run), partial(_build, path, str(run), names.get(run), rows, params.get(run, {}), column_map))
                for run, rows in runs
            ),
        )


def _build(path: Path, run: str, name: object, rows, params: Mapping, column_map: Mapping[str, str] | None) -> Run:
    record = name_run(path, NAME) | {schema.RUN_ID: f"{path.stem}/{run}", schema.NAME: str(name or run)}
    points = [_read_point(path.name, *row[1:]) for row in rows if not str(row[2]).startswith(SYSTEM)]
    if not points:
        raise RunLogError(f"{path.name} run {run} has no metrics. Log a loss")
    return build_points_run(points, path, record, params, column_map)


def _read_point(file: str, step: object, key: object, value: object, is_nan: object) -> Point:
    """Returns a point with the NaN or infinity that was logged."""
    if not isinstance(step, int) or not isinstance(value, int | float):
        raise RunLogError(
            f"{file} has metric {str(key)[:40]!r} at step {str(step)[:40]!r} without a number. Copy it again"
        )
    if is_nan:
        return step, str(key), math.nan
    return step, str(key), math.copysign(math.inf, value) if abs(value) >= INFINITE else value
