"""From raw rows and a record to a Run: one effective row per step, and what the log can show."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.runlog import row_table, schema
from analysis.runlog.describe import describe_log
from analysis.runlog.study import Run, RunLogError


def build_run(
    table: pa.Table,
    record: Mapping[str, object],
    name: str,
    notes: Sequence[str] = (),
    non_finite: str = "kept",
) -> Run:
    """Returns the run of a table of raw rows.

    Args:
        table: Rows in the order they were written, with `attempt` where there was more than one.
        record: Run record; a missing base_lr is taken from the lr column, and noted; resumed_at from `attempt`.
        name: What an error calls the log.
        notes: Sentences known so far.
        non_finite: What became of NaN and infinity.

    Raises:
        RunLogError: There are no rows, or none with a loss.
    """
    if not len(table):
        raise RunLogError(f"{name} holds no rows yet. Read it again once a step is logged")
    if not any(
        column in table.column_names and table[column].null_count < len(table) for column in schema.LOSS_COLUMNS
    ):
        found = (
            ", ".join(column for column in table.column_names if column not in (schema.STEP, schema.ATTEMPT)) or "none"
        )
        raise RunLogError(f"{name} has no {' or '.join(schema.LOSS_COLUMNS)} (found: {found}). Log one of them")
    steps, resolved, resumed_at = row_table.effective_curve(table)
    steps = row_table.order_columns(steps.replace_schema_metadata(None))
    notes = [*notes, *resolved]
    record = dict(record) | ({schema.RESUMED_AT: resumed_at} if resumed_at else {})
    if schema.BASE_LR not in record and (base_lr := _largest_lr(steps)) is not None:
        record[schema.BASE_LR] = base_lr
        notes.append("base_lr taken from the lr column")
    return Run(record, steps, describe_log(steps, record, notes, non_finite))


def _largest_lr(steps: pa.Table) -> float | None:
    """Returns the largest finite lr to 6 digits (ours: schedules in float32 have no more), None without any above 0."""
    if schema.LR not in steps.column_names:
        return None
    values = pc.drop_null(steps[schema.LR]).to_numpy()
    values = values[np.isfinite(values) & (values > 0)]
    return float(f"{values.max():.6g}") if len(values) else None
