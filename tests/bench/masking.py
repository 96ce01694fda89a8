"""Masks the logs of runs with an early rise that recovers, and counts what is then said of their first steps.

python -m tests.bench.masking PATH...     (files or folders of runs logged every step)
"""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis.findings import diagnose
from analysis.judge import judge_one
from analysis.runlog import Run, Study, read_paths, schema
from analysis.runlog.describe import describe_log

EVERY = (10, 25, 100, 500)
POINTS_AT_LEAST = 3  # that a masked log must keep
MEASURED = (schema.TRAIN_LOSS, schema.GRAD_NORM)


def mask(run: Run, every: int, averaged: bool) -> Run | None:
    """Keeps every k-th row, or the mean of every k; None where too few rows are left."""
    rows = len(run.steps) // every
    if rows < POINTS_AT_LEAST:
        return None
    table = {schema.STEP: run.steps[schema.STEP].to_numpy()[: rows * every].reshape(rows, every)[:, -1]}
    for name in set(MEASURED) & set(run.steps.column_names):
        values = run.steps[name].to_numpy()[: rows * every].reshape(rows, every)
        table[name] = values.mean(axis=1) if averaged else values[:, -1]
    record = dict(run.record) | ({schema.AVERAGED_OVER: every} if averaged else {})
    steps = pa.table({name: np.asarray(values) for name, values in table.items()})
    return Run(record, steps, describe_log(steps, record))


def has_early_recovered(run: Run) -> bool:
    """Whether the whole log shows an early rise that recovers."""
    events = judge_one(run, "").confirmed
    return any((event.kind, event.outcome) == ("early", "recovered") for event in events)


def main() -> None:
    """Prints a Markdown table, one row a mask."""
    runs = [run for run in read_paths([Path(path) for path in sys.argv[1:]]).runs if has_early_recovered(run)]
    print(f"{len(runs)} runs with an early rise that recovers\n")
    print("| mask | logs | seen | cannot tell | of these with the probe named | excluded |\n|---|---|---|---|---|---|")
    for every in EVERY:
        for averaged in (False, True):
            masked = [log for run in runs if (log := mask(run, every, averaged)) is not None]
            said, probes = Counter(), 0
            for log in masked:
                judged = diagnose(Study("masked", (log,), log.run_id))
                said[judged.runs[0].early] += 1
                named = any(fix.fix == "probe" for fix in judged.fixes)
                probes += named and judged.runs[0].early == "cannot-tell"
            name = f"mean of {every}" if averaged else f"every {every}th"
            cells = (len(masked), said["seen"], said["cannot-tell"], probes, said["excluded"])
            print(f"| {name} | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
