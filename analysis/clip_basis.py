"""Which run and which of its norms a clip threshold is a percentile of, and what its log cannot say of clipping."""

import numpy as np

from analysis.clipping import ClipProposal, choose_clip_threshold, healthy_norms
from analysis.fix_case import find_case
from analysis.focus import choose_sweep, runs_of
from analysis.results import Diagnosis, RunDiagnosis
from analysis.runlog import Run, schema

AFTER_CLIPPING = (
    "This log holds norms from after clipping: no threshold can be chosen from it. Log the norm before clipping."
)


def runs_with_norms(diagnosis: Diagnosis) -> list[RunDiagnosis]:
    """Returns the runs that logged a norm: those at lr_star first, for the threshold is chosen from a healthy run."""
    logged = [judged for judged in diagnosis.runs if judged.grad_norm is not None]
    sweep = choose_sweep(diagnosis)
    best = {j.run.run_id for j in runs_of(diagnosis, sweep, [sweep.lr_star])} if sweep and sweep.lr_star else set()
    return sorted(logged, key=lambda judged: (judged.run.run_id not in best, judged.verdict != "stable"))


def propose_threshold(diagnosis: Diagnosis) -> ClipProposal | None:
    """Proposes the threshold that the fix of clipping starts from, also where no fix is needed.

    Returns:
        The proposal; None where no run has enough healthy, unclipped norms.
    """
    case = find_case(diagnosis)
    return choose_clip_threshold([*case.healthy, *case.unstable] if case else runs_with_norms(diagnosis))


def find_healthy(diagnosis: Diagnosis, judged: RunDiagnosis) -> RunDiagnosis | None:
    """Finds the healthy run whose norms tell a threshold for a run of the same series.

    Returns:
        The run that the study's threshold comes from where it is of that series, else the stable one with the highest
        learning rate; None without any.
    """
    proposal = propose_threshold(diagnosis)
    first = proposal.run_id if proposal else None
    own = [other for other in runs_with_norms(diagnosis) if other.series == judged.series and other.verdict == "stable"]
    own.sort(key=lambda other: (other.run.run_id != first, -(other.run.base_lr or 0.0), other.run.run_id))
    found = choose_clip_threshold([other for other in own if not why_no_threshold(other.run)])
    return next((other for other in own if found and other.run.run_id == found.run_id), None)


def norms_of(judged: RunDiagnosis) -> np.ndarray:
    """Returns the norms a threshold is a percentile of: those of healthy steps, all finite ones without any."""
    healthy = healthy_norms(judged)
    if len(healthy):
        return healthy
    _, norm = judged.run.series(schema.GRAD_NORM)
    return norm[np.isfinite(norm)]


def norm_stride(run: Run) -> int:
    """Returns the median steps between two logged norms, rounded up; 1 is every step."""
    steps, _ = run.series(schema.GRAD_NORM)
    return int(np.ceil(np.median(np.diff(steps)))) if len(steps) > 1 else 1


def why_no_threshold(run: Run) -> str:
    """Says why no clip threshold can be chosen from the norms of a run; "" where one can."""
    if run.log.grad_norm == "after-clipping":
        return AFTER_CLIPPING
    if run.log.averaged_over is not None and run.log.averaged_over > 1:
        return (
            f"One row of this log is a mean over {run.log.averaged_over:,} steps: a mean hides the large norms that a "
            "threshold would clip, so no share can be counted. Log the norm of every step."
        )
    return ""


def why_no_replay(run: Run) -> str:
    """Says why rules that learn from the norm of every step cannot be replayed on a run; "" where they can."""
    if (stride := norm_stride(run)) > 1:
        return (
            f"The norm was logged every {stride:,} steps: shares and the fixed threshold speak of these steps alone, "
            "and rules that learn from every norm cannot be replayed. Log every step."
        )
    return ""


def doubts_of(run: Run) -> tuple[str, ...]:
    """Says what a reader must know of a log that can be measured.

    Returns:
        One sentence a doubt; empty for a log of unclipped norms from step 0.
    """
    steps, _ = run.series(schema.GRAD_NORM)
    unknown = (
        "This log does not say whether its norm is from before clipping. All of this holds only if it is: "
        "after clipping, the percentile is too low and nothing seems to be clipped."
    )
    said = [unknown] if run.log.grad_norm == "unknown" else []
    if len(steps) and steps[0] > 0:
        said.append(f"The first logged norm is that of step {steps[0]:,}: nothing is known of the steps before.")
    return tuple(said)
