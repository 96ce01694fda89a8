"""Gradient clipping: what a threshold does, and which one to try first. Source: PLAYBOOK P8."""

from dataclasses import dataclass

import numpy as np

from analysis.results import Clipping, RunDiagnosis
from analysis.runlog import Run, schema

START_PERCENTILE = 90.0  # PLAYBOOK P8: start lambda at the 90th percentile of the unclipped norms
EXTREME_FRACTION = 0.5  # PLAYBOOK P8: more than 50 % of updates clipped is extremely aggressive
HEALTHY_STEPS = 50  # fewer steps outside events are no basis for a percentile (ours, docs/evidence.md#clipping)


@dataclass(frozen=True)
class ClipProposal:
    """A first clip threshold and where it comes from.

    Attributes:
        clip_threshold: The threshold, in units of the gradient norm.
        percentile: Percentile of the healthy norms that it is.
        run_id: Run whose norms were taken.
        num_steps: Healthy steps that the percentile is over.
    """

    clip_threshold: float
    percentile: float
    run_id: str
    num_steps: int


def measure_clipping(norm: np.ndarray, clip_threshold: float) -> Clipping | None:
    """Measures what clipping at a threshold does to the updates.

    clipped_fraction = share of steps with |g| > lambda; effective_lr_multiplier = mean of min(1, lambda / |g|).

    Args:
        norm: Unclipped gradient norms, shape (n,); non-finite norms count as clipped, to nothing.
        clip_threshold: lambda, positive.

    Returns:
        The measures; None for an empty norm.

    >>> measure_clipping(np.array([1.0, 2.0, 4.0, 1.0]), 2.0)
    Clipping(clip_threshold=2.0, clipped_fraction=0.25, effective_lr_multiplier=0.875, extreme=False)
    """
    if not len(norm):
        return None
    size = np.where(np.isfinite(norm), norm, np.inf)
    fraction = float((size > clip_threshold).mean())
    with np.errstate(divide="ignore"):
        multiplier = float(np.minimum(1.0, clip_threshold / size).mean())
    return Clipping(float(clip_threshold), fraction, multiplier, fraction > EXTREME_FRACTION)


def measure_run_clipping(run: Run) -> Clipping | None:
    """Measures the clipping of a run; None where threshold or unclipped norms are not known."""
    threshold = run.record.get(schema.CLIP_THRESHOLD)
    _, norm = run.series(schema.GRAD_NORM)
    if not threshold or run.log.grad_norm == "after-clipping":
        return None
    return measure_clipping(norm, float(threshold))


def healthy_norms(judged: RunDiagnosis) -> np.ndarray:
    """Returns the finite norms of the steps outside events; none of a run that does not learn any more.

    The percentile of a failed run is useless: a run that collapsed to chance has norms near zero, a diverging
    one has norms of 1e15.
    """
    steps, norm = judged.run.series(schema.GRAD_NORM)
    if any(event.outcome != "recovered" for event in judged.confirmed):
        return np.empty(0)
    keep = np.isfinite(norm)
    for event in judged.confirmed:
        end = event.recovery_step if event.recovery_step is not None else np.inf
        keep &= (steps < event.onset_step) | (steps > end)
    return norm[keep]


def choose_clip_threshold(runs: list[RunDiagnosis], percentile: float = START_PERCENTILE) -> ClipProposal | None:
    """Chooses a first threshold: a percentile of the norms of a healthy run.

    Args:
        runs: Candidates, best first (lr_star, then lower learning rates).
        percentile: In percent.

    Returns:
        The proposal from the first run with enough healthy, unclipped norms; None where there is none.
    """
    for judged in runs:
        if judged.run.log.grad_norm in ("after-clipping", "absent"):
            continue
        norm = healthy_norms(judged)
        if len(norm) >= HEALTHY_STEPS:
            return ClipProposal(float(np.percentile(norm, percentile)), percentile, judged.run.run_id, len(norm))
    return None
