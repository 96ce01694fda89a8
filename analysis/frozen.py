"""What is noted of a study at one moment, so that it can be seen again as it was: analysis/as_it_was.py does that.

Rows of a log are never rewritten, so the number of rows of each run is enough; a digest of those rows tells where that
is not so, as when a file was read in again under the same name.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.published import plain
from analysis.runlog import Run, Study, schema

MAY_CHANGE = (schema.STATUS, schema.BASE_LR, schema.RESUMED_AT)  # what a run's record learns while it is written
DIGEST_BYTES = 16


@dataclass(frozen=True)
class FrozenRun:
    """What is noted of a run at one moment.

    Attributes:
        run_id: The run.
        num_rows: How many rows it had.
        digest: Of these rows; "" where none was taken, and they are believed.
        record: The part of its record that may change later; None where it was not noted.
    """

    run_id: str
    num_rows: int
    digest: str = ""
    record: Mapping[str, object] | None = None


def freeze(study: Study) -> tuple[FrozenRun, ...]:
    """Notes what is needed to see a study again as it is now."""
    return tuple(
        FrozenRun(run.run_id, run.steps.num_rows, digest_rows(run.steps), changing_part(run)) for run in study.runs
    )


def changing_part(run: Run) -> dict[str, object]:
    """Returns the part of a run's record that may change while it is written, as plain JSON values."""
    return plain({name: run.record[name] for name in MAY_CHANGE if run.record.get(name) is not None})


def digest_rows(steps: pa.Table) -> str:
    """Returns a digest of rows: of every value that was logged, whatever the order of the columns.

    A column in which nothing was logged does not count: a run that logs one later has it empty in its first rows.
    """
    found = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in sorted(steps.column_names):
        column = steps[name]
        if column.null_count == len(column):
            continue
        logged = column.is_valid().to_numpy()
        values = np.asarray(column.to_numpy(), float)
        values = np.where(np.isnan(values), np.nan, values)  # one of the many NaN
        found.update(f"{name}\0".encode() + logged.tobytes() + values[logged].tobytes())
    return found.hexdigest()


def freeze_published(runs: Iterable[Mapping[str, object]]) -> tuple[FrozenRun, ...]:
    """Returns what a published diagnosis tells of its runs, for moments of which nothing else was noted."""
    return tuple(FrozenRun(str(run["run_id"]), int(run["num_steps"])) for run in runs)
