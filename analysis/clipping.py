"""Gradient clipping: what a threshold does, and which one to try first. Source: PLAYBOOK P8."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.phases import Phases, planned_steps, share_by_phase, split_phases
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


def measure_clipping(norm: np.ndarray, clip_threshold: float, phases: Phases | None = None) -> Clipping | None:
    """Measures what clipping at a threshold does to the updates.

    clipped_fraction = share of steps with |g| > lambda; effective_lr_multiplier = mean of min(1, lambda / |g|).

    Args:
        norm: Unclipped gradient norms, shape (n,); non-finite norms count as clipped, to nothing.
        clip_threshold: lambda, positive.
        phases: Phases of the steps; without them there are no shares by phase.

    Returns:
        The measures; None for an empty norm.

    >>> measured = measure_clipping(np.array([1.0, 2.0, 4.0, 1.0]), 2.0)
    >>> measured.clipped_fraction, measured.effective_lr_multiplier
    (0.25, 0.875)
    """
    size = np.where(np.isfinite(norm), norm, np.inf)
    with np.errstate(divide="ignore"):
        return summarize_clipping(np.minimum(1.0, clip_threshold / size), float(clip_threshold), phases)


def summarize_clipping(
    multiplier: np.ndarray, clip_threshold: float | None, phases: Phases | None = None
) -> Clipping | None:
    """Summarizes what clipping multiplied the gradients by.

    Args:
        multiplier: 1 unclipped, 0 for a skipped step, shape (n,); one that is not finite counts as 0.
        clip_threshold: lambda; None where a rule chose one at every step.
        phases: Phases of the steps; without them there are no shares by phase.

    Returns:
        The measures; None without steps.
    """
    if not len(multiplier):
        return None
    multiplier = np.where(np.isfinite(multiplier), multiplier, 0.0)
    is_clipped = multiplier < 1
    fraction = float(is_clipped.mean())
    shares = None if phases is None else share_by_phase(is_clipped, phases)
    return Clipping(clip_threshold, fraction, float(multiplier.mean()), fraction > EXTREME_FRACTION, shares)


def find_extreme_below(norm: np.ndarray) -> float:
    """Returns the norm below which a threshold clips more than EXTREME_FRACTION of the updates.

    Args:
        norm: Unclipped gradient norms, shape (n,), n at least 1; non-finite norms count as clipped.

    Returns:
        The limit, which itself clips no more than that; infinite where too many norms are not finite.

    >>> find_extreme_below(np.array([1.0, 2.0, 3.0, 4.0])), find_extreme_below(np.array([1.0, 2.0, 3.0]))
    (2.0, 2.0)
    """
    size = np.sort(np.where(np.isfinite(norm), norm, np.inf))
    return float(size[len(size) - int(EXTREME_FRACTION * len(size)) - 1])


def share_clipped(norm: np.ndarray, clip_threshold: float, phases: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Returns the share of the steps of each phase that a threshold clips, without phases that have no step.

    Args:
        norm: Unclipped gradient norms, shape (n,); non-finite norms count as clipped.
        clip_threshold: lambda, positive.
        phases: Mask of each phase by its name, each of shape (n,).
    """
    is_clipped = ~(np.where(np.isfinite(norm), norm, np.inf) <= clip_threshold)
    return {name: float(is_clipped[mask].mean()) for name, mask in phases.items() if mask.any()}


def measure_run_clipping(run: Run) -> Clipping | None:
    """Measures the clipping of a run by the multipliers it logged, else by its threshold and its unclipped norms.

    Returns:
        The measures; None where neither is known.
    """
    threshold = run.record.get(schema.CLIP_THRESHOLD)
    threshold = float(threshold) if threshold else None
    steps, multiplier = run.series(schema.CLIP_MULTIPLIER)
    if len(multiplier):
        return summarize_clipping(multiplier, threshold, split_phases(steps, planned_steps(run)))
    if threshold is None or run.log.grad_norm == "after-clipping":
        return None
    steps, norm = run.series(schema.GRAD_NORM)
    return measure_clipping(norm, threshold, split_phases(steps, planned_steps(run)))


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
