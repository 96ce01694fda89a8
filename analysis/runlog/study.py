"""Run, Study and LogDescription: what every run log becomes, wherever it came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analysis.runlog import schema

if TYPE_CHECKING:
    import pandas as pd  # two thirds of the start of a process that only reads a file


class RunLogError(ValueError):
    r"""Bad input, said in one line: what was found, what is needed, what to do.

    Names in files may hold line breaks; in what is said of them they are spaces.

    >>> print(RunLogError("column lo\nss has no values. Write it again"))
    column lo ss has no values. Write it again
    """

    def __init__(self, said: str):
        super().__init__(" ".join(said.splitlines()))


@dataclass(frozen=True)
class LogDescription:
    """What a log can show, and what its format or logger took away.

    Attributes:
        stride: Median steps between two logged training losses; 1 is every step.
        first_step: First logged step.
        averaged_over: Steps that one logged loss is a mean of; None where losses are of single steps.
        grad_norm: "before-clipping", "after-clipping", "unknown" or "absent".
        non_finite: What became of NaN and infinity: "kept", "unknown", or a sentence on how they were lost.
        notes: Sentences for the reader of a verdict (duplicates resolved, damaged lines, attempts, ...).
    """

    stride: int
    first_step: int
    averaged_over: int | None
    grad_norm: str
    non_finite: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """One training of one configuration.

    Attributes:
        record: Run record, fields as in schema.RUN_FIELDS plus further metaparameters by their own name.
        steps: One row per logged step, ascending and unique in `step`; float64 columns, where null is "not
            logged" and NaN is "logged, not a number".
        log: What this log can show.
    """

    record: Mapping[str, object]
    steps: pa.Table
    log: LogDescription

    @property
    def run_id(self) -> str:
        """Identity of the run within its study."""
        return str(self.record[schema.RUN_ID])

    @property
    def name(self) -> str:
        """What people call the run."""
        return str(self.record.get(schema.NAME) or self.run_id)

    @property
    def base_lr(self) -> float | None:
        """Plateau of the schedule, or None where neither record nor lr column tells."""
        value = self.record.get(schema.BASE_LR)
        return None if value is None else float(value)

    def series(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns (steps int64, values float64) of the rows in which `column` was logged; NaN and inf kept."""
        if column not in self.steps.column_names:
            return np.empty(0, np.int64), np.empty(0)
        values, steps = self.steps[column], self.steps[schema.STEP].to_numpy()
        if not values.null_count:
            return steps, values.to_numpy()
        logged = values.is_valid().to_numpy()
        return steps[logged], values.to_numpy()[logged]

    @cached_property
    def loss(self) -> tuple[np.ndarray, np.ndarray]:
        """(steps, values) of train_loss, or of eval_loss where no training loss was logged."""
        steps, values = self.series(schema.TRAIN_LOSS)
        return (steps, values) if len(steps) else self.series(schema.EVAL_LOSS)


@dataclass(frozen=True)
class Skipped:
    """A file that was not read, and why, in one line."""

    path: str
    reason: str


@dataclass(frozen=True)
class Study:
    """Runs of one workload that differ in a few metaparameters.

    Attributes:
        name: Name of the study.
        runs: Runs in ascending run_id.
        fingerprint: Changes whenever a run or a row does; caches are keyed by it.
        skipped: Files that were passed over.
    """

    name: str
    runs: tuple[Run, ...]
    fingerprint: str
    skipped: tuple[Skipped, ...] = ()

    def __iter__(self) -> Iterator[Run]:
        """Iterates over the runs."""
        return iter(self.runs)

    def __len__(self) -> int:
        """Number of runs."""
        return len(self.runs)

    @cached_property
    def by_id(self) -> Mapping[str, Run]:
        """Runs by run_id."""
        return {run.run_id: run for run in self.runs}

    @cached_property
    def run_table(self) -> "pd.DataFrame":
        """One row per run, indexed by run_id; the columns are the fields of the run records."""
        import pandas as pd

        rows = [dict(run.record) | {schema.RUN_ID: run.run_id} for run in self.runs]
        return pd.DataFrame(rows).set_index(schema.RUN_ID) if rows else pd.DataFrame()
