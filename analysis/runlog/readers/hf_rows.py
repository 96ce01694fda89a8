"""What the Trainer of Hugging Face does to its log rows: means over logging_steps, and NaN that becomes 0."""

from collections.abc import Iterable, Mapping

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.gathered_rows import to_number

GRAD_NORM_TAKEN = {schema.GRAD_NORM_TAKEN: "before-clipping"}  # the return value of clip_grad_norm_
NON_FINITE = (
    "the Trainer leaves a loss that is not finite out of its mean, or, with logging_nan_inf_filter off, logs NaN from "
    "there on; a loss of exactly 0 is read as NaN where the norm does not contradict"
)
LOSS, NORM = "loss", "grad_norm"
SUMMARY = "train_runtime"  # the last row: means over the whole run
LARGEST_STEP = 2.0**53
LEAST_BEFORE = 0.01  # ours: a loss does not fall from above this to exactly 0 (4 digits are logged) in one row


def is_summary(row: Mapping[str, object]) -> bool:
    """Returns whether a row sums up the run instead of logging a step."""
    return SUMMARY in row


def restore_lost(rows: Iterable[dict], notes: list[str]) -> list[dict]:
    """Returns the rows with NaN for losses of exactly 0 that the filter made; notes what else the Trainer lost.

    With the filter a NaN loss adds the mean since the last log, which is 0 once a whole window was NaN. It is such a
    zero if the norm of its row is not finite, or no norm is logged and the loss before was not small. A zero with a
    finite norm stays, for some losses are exactly 0; it is noted where losses are not small beside it.
    Without the filter the sum that losses are added to is NaN from then on (`tr_loss -= tr_loss` does not empty it).
    """
    restored, last, lost, doubtful = [], None, [], []
    for row in rows:
        loss, norm = row.get(LOSS), row.get(NORM)
        if isinstance(loss, int | float) and loss == 0 and _is_lost(norm, last):
            row = {**row, LOSS: float("nan")}
            lost.append(row.get("step"))
            last = float("nan")
        elif isinstance(loss, int | float) and loss == 0 and last is not None and last >= LEAST_BEFORE and norm:
            doubtful.append(row.get("step"))
        elif isinstance(loss, int | float):
            last = loss
        restored.append(row)
    if lost:
        notes.append(f"NaN lost by the Trainer: losses of exactly 0 from step {lost[0]} on are read as NaN")
    if doubtful:
        count = "1 loss is" if len(doubtful) == 1 else f"{len(doubtful)} losses are"
        notes.append(f"{count} exactly 0 where norms are not (first at step {doubtful[0]}), as the Trainer writes NaN")
    if (step := _find_stuck_sum(restored)) is not None:
        notes.append(
            f"losses are NaN from step {step} on, norms are not: the sum that the Trainer adds losses to stays NaN"
        )
    return restored


def _find_stuck_sum(rows: Iterable[Mapping[str, object]]) -> object:
    """Returns the step from which on all losses are NaN though a later norm is finite, None where there is none."""
    step, has_norm = None, False
    for row in rows:
        loss, norm = to_number(row.get(LOSS)), to_number(row.get(NORM))
        if loss is None:
            continue
        if not np.isnan(loss):
            step, has_norm = None, False
        elif step is None:
            step = row.get("step")
        elif norm is not None and np.isfinite(norm):
            has_norm = True
    return step if has_norm else None


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
