"""What the Trainer of Hugging Face does to its log rows: means over logging_steps, and NaN that becomes 0."""

from collections.abc import Iterable, Mapping

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import to_number

GRAD_NORM_TAKEN = {schema.GRAD_NORM_TAKEN: "before-clipping"}  # the return value of clip_grad_norm_
NON_FINITE = (
    "the Trainer leaves a NaN loss out of its mean unless logging_nan_inf_filter is off; a loss of exactly 0 after "
    "larger ones is read as NaN"
)
LOSS, NORM = "loss", "grad_norm"
SUMMARY = "train_runtime"  # the last row: means over the whole run
LARGEST_STEP = 2.0**53
LEAST_BEFORE = 0.01  # ours: a loss does not fall from above this to exactly 0 (4 digits are logged) in one row


def is_summary(row: Mapping[str, object]) -> bool:
    """Returns whether a row sums up the run instead of logging a step."""
    return SUMMARY in row


def restore_zeros(rows: Iterable[dict], notes: list[str]) -> list[dict]:
    """Returns the rows with NaN for losses of exactly 0 that the filter made.

    With the filter a NaN loss adds the mean since the last log, which is 0 once a whole window was NaN. It is such a
    zero if the norm of its row is not finite, or no norm is logged and the loss before was not small.
    """
    restored, last, first = [], None, None
    for row in rows:
        loss, norm = row.get(LOSS), row.get(NORM)
        if isinstance(loss, int | float) and loss == 0 and _is_lost(norm, last):
            row = {**row, LOSS: float("nan")}
            first = row.get("step") if first is None else first
            last = float("nan")
        elif isinstance(loss, int | float):
            last = loss
        restored.append(row)
    if first is not None:
        notes.append(f"NaN lost by the Trainer: losses of exactly 0 from step {first} on are read as NaN")
    return restored


def _is_lost(norm: object, last: float | None) -> bool:
    if isinstance(norm, int | float):
        return not np.isfinite(norm)
    return last is not None and not last < LEAST_BEFORE


def find_averaging(rows: Iterable[Mapping[str, object]], logging_steps: int | None) -> tuple[int, str]:
    """Returns the steps of one mean and a sentence on where that is from, or ""."""
    if logging_steps:
        return logging_steps, ""
    steps = np.array([number for row in rows if LOSS in row and (number := to_number(row.get("step"))) is not None])
    gaps = np.diff(steps[np.abs(steps) < LARGEST_STEP])
    seen = max(int(np.median(gaps)), 1) if len(gaps) else 1
    return seen, f"logging_steps is not in the file; losses are {seen} steps apart" if seen > 1 else ""
