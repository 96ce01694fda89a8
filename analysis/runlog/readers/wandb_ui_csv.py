"""CSV exports of a W&B chart: several runs side by side, columns `run - metric`, `__MIN` and `__MAX`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.columns import ColumnPlan, fold, plan_columns
from analysis.runlog.readers.csv_table import read_header, read_table
from analysis.runlog.readers.foreign_rows import Columns, build_foreign_run, name_run
from analysis.runlog.study import Run, RunLogError

NAME = "wandb ui csv"
LOSES = "NaN (empty cells, like the end of a shorter run); points of long runs, of which buckets keep mean, min and max"
BETWEEN = " - "
LOWEST, HIGHEST = "__MIN", "__MAX"
LOG_INDEX = ("step", "_step")


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header is that of a chart export."""
    header = set(read_header(head))
    return any(BETWEEN in name and name + LOWEST in header for name in header)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the runs of a file; the run_id is the stem of the file and the name of the run.

    Raises:
        RunLogError: The file is no table of numbers with a step and a loss.
    """
    names: list[str] = []

    def choose(header: list[str]) -> ColumnPlan:
        names.extend(" ".join(name.split()) for name in header)
        double = next((name for name in names if names.count(name) > 1), None)
        if double is not None:
            raise RunLogError(f"{path.name} has several columns {double}; runs need names of their own. Rename one")
        return ColumnPlan({schema.STEP: 0}, {name: at for at, name in enumerate(names) if at}, ())

    table = read_table(path, choose)
    runs = {}
    for name in names[1:]:
        run, found, metric = name.rpartition(BETWEEN)
        if found:
            runs.setdefault(run, []).append(metric)
    notes = [*table.notes]
    filled = {run: _filled(table.columns, run, metrics) for run, metrics in runs.items()}
    empty = [run for run, rows in filled.items() if not rows.any()]
    if empty:
        notes.append(f"runs without a number are left out: {', '.join(empty)}")
    if len(empty) == len(runs):
        raise RunLogError(f"{path.name} has no run with a number. Export the chart of the loss")
    return tuple(
        _build(path, table.columns, notes, names[0], run, metrics, filled[run], column_map)
        for run, metrics in runs.items()
        if run not in empty
    )


def _filled(columns: Columns, run: str, metrics: Sequence[str]) -> np.ndarray:
    """Returns in which rows a run has a number."""
    logged = [columns[run + BETWEEN + metric][1] for metric in metrics if run + BETWEEN + metric in columns]
    return np.logical_or.reduce(logged) if logged else np.zeros(len(columns[schema.STEP][0]), bool)


def _build(
    path: Path,
    columns: Columns,
    notes: Sequence[str],
    axis: str,
    run: str,
    metrics: Sequence[str],
    filled: np.ndarray,
    column_map: Mapping[str, str] | None,
) -> Run:
    of_run = {metric: columns[run + BETWEEN + metric] for metric in metrics if run + BETWEEN + metric in columns}
    single = [metric for metric in of_run if not metric.endswith((LOWEST, HIGHEST))]
    header = [axis, *single]
    plan = plan_columns(header, column_map, f"{path.name} run {run}")
    source = {**of_run, axis: columns[schema.STEP]}
    chosen = {name: source[header[position]] for name, position in {**plan.used, **plan.extra}.items()}
    record = name_run(path, NAME) | plan.facts | {schema.RUN_ID: f"{path.stem}/{run}", schema.NAME: run}
    notes = [*notes]
    if fold(axis) in LOG_INDEX:
        record[schema.STEP_UNIT] = "log index"
        notes.append(f"steps are W&B's {axis}, which counts log calls; updates may be further apart")
    notes += _keep_ranges(of_run, single, chosen, record)
    chosen = {name: (values[filled], logged[filled]) for name, (values, logged) in chosen.items()}
    lost = "an empty cell may be a NaN, or the end of a run that is shorter than others"
    return build_foreign_run(chosen, record, f"{path.name} run {run}", notes, keeps_nan=True, non_finite=lost)


def _keep_ranges(of_run: Columns, single: list[str], chosen: dict, record: dict[str, object]) -> list[str]:
    """Adds the columns of minima and maxima that differ from their metric, and says so."""
    notes = []
    for metric in single:
        for ending in (LOWEST, HIGHEST):
            values, logged = of_run[metric]
            extreme = of_run.get(metric + ending)
            if extreme is None:
                continue
            same = (extreme[0] == values) | (np.isnan(extreme[0]) & np.isnan(values)) | ~logged | ~extreme[1]
            if (extreme[1] & ~logged).any() or not same.all():
                chosen[metric + ending] = extreme
                notes.append(f"{metric + ending} differs in {(~same).sum()} rows: points are buckets of several steps")
    if notes:
        steps = chosen[schema.STEP][0]
        gaps = np.diff(steps[np.isfinite(steps)])
        record[schema.AVERAGED_OVER] = max(2, int(min(np.median(gaps), 2**31))) if len(gaps) else 2
    return notes
