"""Where a curve is not finite: for good, or for a stretch."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Lost:
    """Where a run stops being finite.

    Attributes:
        run_id: The run.
        label: Label of its line.
        last_step: Last finite step; the first step for a run without one.
        last_value: Value there; NaN for a run without one.
        lost_from: First step that is not finite and after which none is.
        until: Last step that is not finite, of a run that came back.
        at: Where the last finite step stands on the x-axis.
    """

    run_id: str
    label: str
    last_step: int
    last_value: float
    lost_from: int
    until: int | None = None
    at: float | None = None


def find_lost(
    run_id: str, label: str, steps: np.ndarray, values: np.ndarray, at: np.ndarray | None = None
) -> list[Lost]:
    """Returns where the values stop being finite for good, as a list of one or none."""
    if not len(values) or np.isfinite(values[-1]):
        return []
    at = steps if at is None else at
    finite = np.flatnonzero(np.isfinite(values))
    if not len(finite):
        return [Lost(run_id, label, int(steps[0]), float("nan"), int(steps[0]), at=float(at[0]))]
    last = finite[-1]
    return [Lost(run_id, label, int(steps[last]), float(values[last]), int(steps[last + 1]), at=float(at[last]))]


def find_gaps(run_id: str, label: str, steps: np.ndarray, values: np.ndarray, at: np.ndarray) -> list[Lost]:
    """Returns the stretches that are not finite and after which the run came back; arrays of shape (n,)."""
    is_lost = ~np.isfinite(values)
    if not is_lost.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_lost, [False])).astype(np.int8)))
    found = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if end < len(is_lost):
            last = first - 1 if first else end  # a run that begins so is marked where it becomes finite
            stretch = int(steps[first]), int(steps[end - 1])
            found.append(Lost(run_id, label, int(steps[last]), float(values[last]), *stretch, float(at[last])))
    return found
