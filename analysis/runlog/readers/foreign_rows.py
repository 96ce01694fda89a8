"""What loggers do to rows on their way into a file, and how it is seen: lost NaN, resumed runs, steps as text."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis.runlog import row_table, schema
from analysis.runlog.readers.columns import fold
from analysis.runlog.readers.settings import find_settings
from analysis.runlog.run_building import build_run
from analysis.runlog.study import Run, RunLogError

Columns = Mapping[str, tuple[np.ndarray, np.ndarray]]  # by name: (values float64, whether each was logged)


def as_numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Returns (values float64, whether each was logged) of a column of numbers."""
    column = column.cast(pa.float64(), safe=False)
    return column.fill_null(0.0).to_numpy(), column.is_valid().to_numpy()


def name_run(path: Path, reader: str) -> dict[str, object]:
    """Returns the first fields of the record of the only run of a file."""
    stem = Path(path.stem).stem if path.suffix == ".gz" else path.stem
    return {schema.RUN_ID: stem, schema.NAME: stem, schema.SOURCE: f"{reader}: {path.name}"}


def build_foreign_run(
    columns: Columns,
    record: Mapping[str, object],
    file: str,
    notes: Sequence[str],
    keeps_nan: bool,
    non_finite: str = "",
    restarts: Sequence[int] = (),
) -> Run:
    """Returns the run of a foreign table.

    Args:
        columns: Columns by the name of the schema or their own, rows in the order of the file; one that never
            changes and has the name of a setting becomes a field of the record.
        record: Run record.
        file: What an error calls the file.
        notes: Sentences known so far.
        keeps_nan: Whether the format is known to tell NaN from an empty cell; else lost ones are looked for.
        non_finite: What the format is known to do to NaN and infinity.
        restarts: Rows at which a later attempt is known to begin.

    Raises:
        RunLogError: A step is missing or no whole number, or there are no rows.
    """
    settings = find_settings({name: values[0] for name, values in _constants(columns).items()}, record)
    columns = {name: column for name, column in columns.items() if name not in settings.columns}
    record = {**record, **settings.fields}
    arrays = {schema.STEP: pa.array(check_steps(*columns[schema.STEP], file))}
    for name, (values, logged) in columns.items():
        if name != schema.STEP and (logged.any() or name in schema.LOSS_COLUMNS):
            arrays[name] = pa.array(values, pa.float64(), mask=~logged, from_pandas=False)
    table = row_table.order_columns(pa.table(arrays))
    has_non_finite = any(
        (~np.isfinite(columns[name][0][columns[name][1]])).any() for name in schema.LOSS_COLUMNS if name in columns
    )
    non_finite = non_finite or ("kept" if keeps_nan or has_non_finite else "unknown")
    table, lost = (table, "") if keeps_nan else restore_lost_nan(table)
    if lost:
        notes = [*notes, lost]
        non_finite = "NaN was written as an empty cell; read as NaN where all metrics of a logged step are empty"
    return build_run(number_attempts(table, restarts), record, file, notes, non_finite)


def _constants(columns: Columns) -> Mapping[str, np.ndarray]:
    """Returns the logged values of the columns that have one value only."""
    found = {name: values[logged] for name, (values, logged) in columns.items() if name not in schema.STEP_NAMES}
    return {name: values for name, values in found.items() if len(values) and (values == values[0]).all()}


def check_steps(values: np.ndarray, logged: np.ndarray, file: str) -> np.ndarray:
    """Returns steps as int64.

    Raises:
        RunLogError: A step is missing, negative or not whole.
    """
    good = logged & (np.abs(values) < 2.0**53)
    good[good] = (values[good] >= 0) & (values[good] == np.floor(values[good]))
    if not good.all():
        row = int(np.argmin(good))
        what = f"step {values[row]:g}" if logged[row] else "no step"
        raise RunLogError(f"{file} row {row + 1} has {what}; steps are whole numbers from 0. Fix or delete the row")
    return values.astype(np.int64)


def restore_lost_nan(table: pa.Table) -> tuple[pa.Table, str]:
    """Returns the table with NaN where a logger lost it, and a sentence on that or "".

    pandas writes NaN as an empty cell. A row with a step, and an lr where the rows with a loss have one, but with
    every metric empty is such a loss if it follows a row with a loss at the distance at which losses are logged.
    A file that has a NaN loss elsewhere did not lose them.
    """
    logged = {name: table[name].is_valid().to_numpy() for name in table.column_names}
    if schema.TRAIN_LOSS not in logged or not logged[schema.TRAIN_LOSS].any():
        return table, ""
    trained = logged[schema.TRAIN_LOSS]
    if np.isnan(table[schema.TRAIN_LOSS].to_numpy()[trained]).any():
        return table, ""
    candidates = ~trained
    for name, filled in logged.items():
        if name == schema.LR:
            candidates &= filled if filled[trained].mean() > 0.5 else ~filled
        elif name != schema.STEP and fold(name) not in row_table.BOOKKEEPING:
            candidates &= ~filled
    steps = table[schema.STEP].to_numpy()
    lost = _keep_on_cadence(candidates, trained, steps)
    if not lost.any():
        return table, ""
    for name in (schema.TRAIN_LOSS, schema.GRAD_NORM):
        if name in logged and logged[name][trained].mean() > 0.5:
            values = np.where(lost, np.nan, table[name].to_numpy())
            column = pa.array(values, mask=~(logged[name] | lost), from_pandas=False)
            table = table.set_column(table.column_names.index(name), name, column)
    first = int(steps[np.argmax(lost)])
    what = f"{lost.sum()} rows" if lost.sum() > 1 else "1 row"
    return table, f"NaN lost by the logger: {what} from step {first} on with a step but no metric, read as NaN"


def _keep_on_cadence(candidates: np.ndarray, trained: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Returns the candidates that come as far behind the row before as losses are logged apart."""
    kept = np.zeros(len(steps), bool)
    train_rows = np.flatnonzero(trained)
    paced = train_rows if len(train_rows) > 1 else np.flatnonzero(trained | candidates)
    stride = np.median(np.diff(steps[paced])) if len(paced) > 1 else 1
    previous = train_rows[0]
    num_trained = np.cumsum(trained)
    for row in np.flatnonzero(candidates):
        seen = num_trained[row]
        if seen == 0:
            continue
        previous = max(previous, train_rows[seen - 1])
        local = steps[train_rows[seen - 1]] - steps[train_rows[seen - 2]] if seen > 1 else stride
        if steps[row] - steps[previous] >= max(min(stride, local), 1):
            kept[row] = True
            previous = row
    return kept


def number_attempts(table: pa.Table, restarts: Sequence[int] = ()) -> pa.Table:
    """Returns the table with a column `attempt` if logged losses jump back in step, as a resumed run makes them.

    Args:
        table: Rows in the order they were written.
        restarts: Rows at which a later attempt begins, whatever its steps.
    """
    name = next((name for name in schema.LOSS_COLUMNS if name in table.column_names), schema.STEP)
    rows = np.flatnonzero(table[name].is_valid().to_numpy())
    steps = table[schema.STEP].to_numpy()
    jumps = np.zeros(len(steps), np.int64)
    jumps[rows[1:]] = np.diff(steps[rows]) < 0
    starts = [rows[rows >= row][0] for row in restarts if (rows >= row).any()]
    jumps[starts] = 1
    return table.append_column(schema.ATTEMPT, pa.array(1 + np.cumsum(jumps))) if jumps.any() else table
