"""trackio's database of a project: a row of metrics as JSON for each step of each run."""

import json
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.readers.settings import find_settings
from analysis.runlog.readers.sqlite_file import has_tables, list_columns, open_database
from analysis.runlog.readers.tracker_runs import flatten, read_several
from analysis.runlog.study import Run, RunLogError

NAME = "trackio sqlite"
LOSES = "system metrics, media and user names; whether gradient norms are before clipping"
TABLES = {"metrics": {"run_name", "step", "metrics"}, "configs": {"run_name", "config"}}


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file is a database with trackio's tables."""
    return has_tables(path, head, TABLES)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of a database; the run_id is the stem of the file and trackio's id of the run, or its name.

    Raises:
        RunLogError: The database is damaged, or no run of it has a loss.
    """
    with open_database(path) as database:
        key = "run_id" if "run_id" in list_columns(database, "metrics") else "run_name"  # ids came with trackio 0.24
        configs = dict(database.execute(f"SELECT {key}, config FROM configs"))
        runs = groupby(
            database.execute(f"SELECT {key}, run_name, step, metrics FROM metrics ORDER BY {key}, id"), itemgetter(0)
        )
        return read_several(
            path.name,
            ((str(run), partial(_build, path, str(run), rows, configs.get(run), column_map)) for run, rows in runs),
        )


def _build(path: Path, run: str, stored: Iterable, config: object, column_map: Mapping[str, str] | None) -> Run:
    rows, name = GatheredRows(path.name), run
    for _, name, step, metrics in stored:  # noqa: B007  the last name is the one that counts
        rows.add({**_parse(metrics, path.name, run), schema.STEP: step})
    settings = find_settings(flatten(_parse(config or "{}", path.name, run))).fields
    record = name_run(path, NAME) | {schema.RUN_ID: f"{path.stem}/{run}", schema.NAME: str(name)}
    return build_gathered_run(rows, path, Reading({**settings, **record}), column_map)


def _parse(text: object, file: str, run: str) -> dict[str, object]:
    """Returns what trackio wrote as JSON, in which NaN and infinity are texts."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise RunLogError(f"{file} run {run[:60]} has a row that is no JSON. Copy the file again") from error
    if not isinstance(found, dict):
        raise RunLogError(f"{file} run {run[:60]} has a row that is no record. Copy the file again")
    return found
