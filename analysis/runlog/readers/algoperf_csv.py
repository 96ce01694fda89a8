"""measurements.csv of AlgoPerf: training rows and evaluation rows of one run, NaN written as empty cells."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.columns import plan_columns
from analysis.runlog.readers.csv_table import read_header, read_table
from analysis.runlog.readers.foreign_rows import Columns, build_foreign_run, name_run
from analysis.runlog.study import Run

NAME = "algoperf csv"
LOSES = "NaN (empty cells; restored where a row has nothing else to say); whether gradient norms are before clipping"
MARKS = frozenset({"global_step", "preemption_count", "accumulated_submission_time"})
TRAIN_SET, EVALUATED, TESTED, LOSS = "train/", "validation/", "test/", "loss"
NUM_EXAMPLES = "num_examples"
# Names of the file for those of the schema. `loss` is of one batch; `train/loss` evaluates part of the training set.
NAMES = {
    schema.STEP: "global_step",
    schema.TRAIN_LOSS: "loss",
    schema.ELAPSED_SECONDS: "total_duration",
}


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the header has the columns that AlgoPerf's logger always writes."""
    return set(read_header(head)) >= MARKS


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is no table of numbers with a step and a loss.
    """

    def choose(header: list[str]):
        known = {name: column for name, column in NAMES.items() if column in header}
        evaluated = next((name for name in header if name.startswith(EVALUATED) and name.endswith(LOSS)), None)
        known |= {schema.EVAL_LOSS: evaluated} if evaluated else {}
        return plan_columns(header, known | dict(column_map or {}), path.name)

    table = read_table(path, choose)
    notes = [*table.notes]
    for name in table.plan.extra:
        if name.startswith(TRAIN_SET) and name.endswith(LOSS):
            notes.append(f"{name} is an evaluation of the training set, not the loss of a batch; kept as a column")
    columns = _restore_evaluations(table.columns, notes)
    record = name_run(path, NAME) | table.facts
    return (build_foreign_run(columns, record, path.name, notes, keeps_nan=False),)


def _restore_evaluations(columns: Columns, notes: list[str]) -> Columns:
    """Returns the columns with NaN where an evaluation counted its examples but has no loss."""
    restored = dict(columns)
    counts = {schema.EVAL_LOSS: EVALUATED + NUM_EXAMPLES}
    for part, count in ((TESTED, TESTED), (TRAIN_SET, EVALUATED)):  # of the training set it does not write a count
        names = [name for name in columns if name.startswith(part) and name.endswith(LOSS)]
        counts |= dict.fromkeys(names, count + NUM_EXAMPLES)
    for loss, count in counts.items():
        if loss not in columns or count not in columns:
            continue
        values, logged = columns[loss]
        lost = columns[count][1] & ~logged
        if lost.any() and logged.any():
            restored[loss] = (np.where(lost, np.nan, values), logged | lost)
            notes.append(f"{loss}: {lost.sum()} evaluations without a value, read as NaN")
    return restored
