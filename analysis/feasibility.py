"""Whether a run ended at a usable loss. Source: PLAYBOOK P5 (feasible, infeasible)."""

from dataclasses import dataclass

import numpy as np

from analysis.results import RunDiagnosis
from analysis.runlog import schema

LOST_PROGRESS = 0.2  # of (start - best): an uncharacteristically high final loss (ours, docs/evidence.md#infeasible)
FINAL_POINTS = 20  # training losses that the final level is a mean of (ours)


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        objective: Final loss, NaN or inf where it is not finite.
        start: Loss of the untrained model, NaN where unknown.
        reason: Why the run is infeasible whatever the others did: "not finite from step 7", "stuck at chance", or "".
    """

    objective: float
    start: float
    reason: str


def has_ended(judged: RunDiagnosis) -> bool:
    """Whether a run took all its steps, or was lost: neither running, nor interrupted, nor stopped by the guard."""
    return judged.run.record.get(schema.STATUS) not in ("running", "interrupted", "stopped")


def name_objective(runs: list[RunDiagnosis]) -> str:
    """Names the objective that all runs share: the evaluation loss if every run has one, else the training loss."""
    every = all(len(judged.run.series(schema.EVAL_LOSS)[0]) for judged in runs)
    return "final evaluation loss" if every else "final training loss"


def measure_ending(judged: RunDiagnosis, objective: str) -> Ending:
    """Measures how a run ended, by the objective that `name_objective` gave."""
    run = judged.run
    steps, train = run.loss
    evaluated = run.series(schema.EVAL_LOSS)[1]
    start = run.record.get(schema.INIT_LOSS_MEAN) or (float(train[0]) if len(train) else float("nan"))
    if not len(train):
        return Ending(float("nan"), start, "no loss was logged")
    if not np.isfinite(train[-1]):
        lost = steps[np.flatnonzero(np.isfinite(train))[-1] + 1] if np.isfinite(train).any() else steps[0]
        return Ending(float(train[-1]), start, f"not finite from step {lost:,}")
    final = float(np.mean(train[-min(FINAL_POINTS, max(1, len(train) // 5)) :]))
    if objective == "final evaluation loss":
        final = float(evaluated[-1])
    if any(event.outcome == "diverged" for event in judged.confirmed):
        return Ending(float("inf"), start, "diverged")
    if not has_ended(judged):
        return Ending(final, start, "ended after a rise")
    if any(event.rule == "stuck" for event in judged.confirmed):
        return Ending(final, start, "stuck at chance level")
    return Ending(final, start, "" if np.isfinite(final) else "final evaluation is not finite")


def is_too_high(final: float, best: float, start: float, sd: float) -> bool:
    """Whether a final loss is uncharacteristically high: far above the best, beyond the spread of seeds.

    Args:
        final: Final loss of the run.
        best: Lowest final loss of the series.
        start: Loss of the untrained model; NaN where unknown, then the best's own size is the scale.
        sd: Spread of seeds, 0 where unknown.
    """
    progress = start - best
    scale = LOST_PROGRESS * progress if np.isfinite(progress) and progress > 0 else LOST_PROGRESS * abs(best)
    return final - best >= max(scale, 5 * sd)
