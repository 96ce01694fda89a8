"""The retrospective best checkpoint, fairly compared. Source: PLAYBOOK P7 (retrospective best checkpoint)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.runlog import Run, schema


@dataclass(frozen=True)
class Checkpoint:
    """The best evaluation of a run, among as many as every compared run has.

    Attributes:
        run_id: The run.
        step: Step of the best evaluation.
        eval_loss: Its loss.
        final_loss: Loss of the last evaluation.
        num_considered: Evaluations that were considered.
        num_evaluations: Evaluations that the run has.
    """

    run_id: str
    step: int
    eval_loss: float
    final_loss: float
    num_considered: int
    num_evaluations: int


def find_best_checkpoints(runs: Sequence[Run]) -> tuple[Checkpoint, ...]:
    """Finds the best checkpoint of each run.

    The minimum over more evaluations is lower by chance alone, so each run offers the same number: as many as the
    run with the fewest has, evenly spaced, the last one included.

    Args:
        runs: Runs with evaluations; one without any is left out.

    Returns:
        One checkpoint a run, in the order given. A run without a finite evaluation has NaN losses.
    """
    series = {run.run_id: run.series(schema.EVAL_LOSS) for run in runs}
    counts = [len(steps) for steps, _ in series.values() if len(steps)]
    if not counts:
        return ()
    return tuple(best_of(run_id, *series[run_id], min(counts)) for run_id in series if len(series[run_id][0]))


def best_of(run_id: str, steps: np.ndarray, losses: np.ndarray, count: int) -> Checkpoint:
    """Returns the best of `count` evenly spaced evaluations, the last included."""
    chosen = np.unique(np.round(np.linspace(len(steps), 0, count, endpoint=False)).astype(int) - 1)
    values = np.where(np.isfinite(losses[chosen]), losses[chosen], np.inf)
    best = chosen[int(np.argmin(values))]
    loss = float(losses[best]) if np.isfinite(losses[best]) else float("nan")
    return Checkpoint(run_id, int(steps[best]), loss, float(losses[-1]), len(chosen), len(steps))
