"""Rows as a table: one row per logged step, where null is "not logged" and NaN is "logged, not a number"."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analysis.runlog import line_log, schema

# Columns that say when a row was written, not what was measured (ours, from the public logs we know).
BOOKKEEPING = frozenset(
    {
        *("epoch", "time", "timestamp", "_timestamp", "_runtime", "elapsed", "wall_time", "tokens"),
        *(schema.ELAPSED_SECONDS, "global_step", "trainer/global_step"),
    }
)
_KNOWN = [column.name for column in schema.STEP_COLUMNS]


def build_table(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Returns rows of a live log as a table in the order they were written, with the column `attempt`."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {
        schema.STEP: pa.array([row[schema.STEP] for row in rows], pa.int64()),
        schema.ATTEMPT: pa.array([row[line_log.ATTEMPT] for row in rows], pa.int64()),
    }
    for name in names:
        if name not in line_log.RESERVED and name != schema.STEP:
            columns[name] = pa.array([row.get(name) for row in rows], pa.float64())
    return pa.table(columns)


def join_tables(tables: Iterable[pa.Table]) -> pa.Table:
    """Returns tables of consecutive rows as one; a column that one of them lacks is null there."""
    return order_columns(pa.concat_tables(tables, promote_options="default").combine_chunks())


def order_columns(table: pa.Table) -> pa.Table:
    """Returns the columns of the schema first and in its order, then the others as they came."""
    names = [name for name in _KNOWN if name in table.column_names]
    return table.select(names + [name for name in table.column_names if name not in names])


def drop_single_attempt(table: pa.Table) -> pa.Table:
    """Returns the table without the column `attempt` where there was only one."""
    several = schema.ATTEMPT in table.column_names and pc.count_distinct(table[schema.ATTEMPT]).as_py() > 1
    return table if several or schema.ATTEMPT not in table.column_names else table.drop_columns([schema.ATTEMPT])


def effective_curve(table: pa.Table) -> tuple[pa.Table, tuple[str, ...], tuple[int, ...]]:
    """Returns one row per step, sentences on what was resolved, and the steps at which a later attempt goes on.

    For each step the rows of the highest attempt that reaches it count; rows of one attempt at one step are put
    together column by column, and of two values of one column the later counts.

    Args:
        table: Rows in the order they were written, with `attempt` where there was more than one.

    Returns:
        The table, ascending and unique in `step`, without `attempt`; the notes; the steps.
    """
    table = drop_single_attempt(table)
    steps = table[schema.STEP].to_numpy()
    has_attempts = schema.ATTEMPT in table.column_names
    if not has_attempts and (len(steps) < 2 or (np.diff(steps) > 0).all()):
        return table, (), ()
    attempts = table[schema.ATTEMPT].to_numpy() if has_attempts else np.ones(len(steps), np.int64)
    order = np.lexsort((np.arange(len(steps)), attempts, steps))
    _, first, group = np.unique(steps[order], return_index=True, return_inverse=True)
    last_of_step = np.append(first[1:], len(steps)) - 1
    current = attempts[order] == attempts[order][last_of_step][group]
    notes = _attempt_notes(steps, attempts, int((~current).sum()))
    kept = order[current]
    goes_on = np.flatnonzero(np.diff(attempts[kept]) > 0) + 1
    resumed_at = tuple(steps[kept][goes_on].tolist())
    table = table.take(pa.array(kept))
    if has_attempts:
        table = table.drop_columns([schema.ATTEMPT])
    merged, num_overridden = _merge_steps(table)
    if num_overridden:
        notes.append(f"{num_overridden} times a value was logged again at the same step; the later value counts")
    return merged, tuple(notes), resumed_at


def _attempt_notes(steps: np.ndarray, attempts: np.ndarray, num_superseded: int) -> list[str]:
    starts = [f"attempt {number} starts at step {steps[attempts == number][0]}" for number in np.unique(attempts)[1:]]
    if not starts:
        return []
    return [f"{', '.join(starts)}; rows of earlier attempts that are superseded: {num_superseded}"]


def _merge_steps(table: pa.Table) -> tuple[pa.Table, int]:
    """Returns the last logged value of every column at every step, and how many measured values it overrode."""
    steps = table[schema.STEP].to_numpy()
    if len(steps) < 2 or (np.diff(steps) > 0).all():
        return table, 0
    names = [name for name in table.column_names if name != schema.STEP]
    places = [f"c{number}" for number in range(len(names))]  # Arrow takes a name such as ".x" for a path
    grouped = table.select([schema.STEP, *names]).rename_columns([schema.STEP, *places])
    grouped = grouped.group_by(schema.STEP, use_threads=False)
    merged = grouped.aggregate([(place, kind) for place in places for kind in ("last", "count")])
    counts = [
        merged[f"{place}_count"].to_numpy()
        for name, place in zip(names, places, strict=True)
        if name not in BOOKKEEPING
    ]
    num_overridden = sum(int(np.maximum(count - 1, 0).sum()) for count in counts)
    columns = {schema.STEP: merged[schema.STEP]}
    columns |= {name: merged[f"{place}_last"] for name, place in zip(names, places, strict=True)}
    return pa.table(columns).sort_by(schema.STEP).combine_chunks(), num_overridden
