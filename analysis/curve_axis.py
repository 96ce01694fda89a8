"""Where a step stands on the x-axis of a curve: at its number, its share of the training, or its time."""

from collections.abc import Sequence

import numpy as np

from analysis.phases import planned_steps
from analysis.results import RunDiagnosis
from analysis.runlog import Run, schema

STEP, SHARE, TIME = "step", "share", "time"
TITLES = {STEP: "step", SHARE: "share of the planned steps", TIME: "time since the start, seconds"}
FORMATS = {STEP: ",d", SHARE: ".3~%", TIME: ",.6~g"}


def place(run: Run, steps: np.ndarray, kind: str = STEP) -> np.ndarray:
    """Returns where steps of a run stand.

    Args:
        run: The run.
        steps: Steps, shape (n,).
        kind: STEP, SHARE (of the planned steps, warmup included) or TIME (seconds, between logged ones in proportion).

    Returns:
        Positions, shape (n,); NaN where no time is known.
    """
    steps = np.asarray(steps)
    if kind == STEP:
        return steps
    if kind == SHARE:
        return steps / max(1, planned_steps(run))
    logged, seconds = run.series(schema.ELAPSED_SECONDS)
    is_known = np.isfinite(seconds)
    if not is_known.any():
        return np.full(len(steps), np.nan)
    return np.interp(steps, logged[is_known], seconds[is_known], left=np.nan, right=np.nan)


def has_time(run: Run) -> bool:
    """Whether a run logged the time of a step."""
    return bool(np.isfinite(run.series(schema.ELAPSED_SECONDS)[1]).any())


def span(runs: Sequence[RunDiagnosis], window: tuple[int, int], kind: str) -> tuple[float, float]:
    """Returns the ends of the x-axis that shows a window of steps of every run."""
    if kind == STEP:
        return window
    ends = []
    for judged in runs:
        steps = judged.run.loss[0]
        inside = steps[(steps >= window[0]) & (steps <= window[1])]
        positions = place(judged.run, inside, kind)
        ends += list(positions[np.isfinite(positions)][[0, -1]]) if np.isfinite(positions).any() else []
    low = 0.0 if window[0] == 0 else min(ends, default=0.0)
    high = max([*ends, 1.0] if kind == SHARE and window[0] == 0 and not _is_part(runs, window) else ends, default=1.0)
    return low, high if high > low else low + 1.0


def _is_part(runs: Sequence[RunDiagnosis], window: tuple[int, int]) -> bool:
    """Whether a run goes on after the window."""
    return any(len(judged.run.loss[0]) and judged.run.loss[0][-1] > window[1] for judged in runs)
