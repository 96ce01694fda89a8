"""What a log can show of the first steps: early instability seen, excluded, or cannot tell. Source: PLAYBOOK P4."""

import numpy as np

from analysis.loss_rise.curve import EARLY_AT_MOST, LossCurve
from analysis.results import Event
from analysis.runlog import Run, schema

COVERAGE = 0.95  # share of the first steps that must be logged one by one (ours, docs/evidence.md#observability)
LARGEST_GAP = 3  # steps; a gap of 3 hides two points, too few for a sustained rise (ours)
SMOOTHED_R = 0.85  # lag-1 correlation above which a loss looks smoothed (ours, docs/evidence.md#observability)
POINTS_AT_LEAST = 14  # fewer logged losses say nothing (ours)
POINTS_FOR_STABLE = 100  # a log that is not of every step needs as many to be called stable (ours)


def judge_early(run: Run, curve: LossCurve, events: tuple[Event, ...]) -> tuple[str, str]:
    """Says what the log shows of early instability.

    Returns:
        ("seen" | "excluded" | "cannot-tell", why it cannot be told, "" otherwise).
    """
    early = [event for event in events if event.kind == "early" and not event.note]
    if any(event.grade == "confirmed" for event in early):
        return "seen", ""
    reason = blind_reason(run, curve)
    if not reason and early:
        reason = f"a rise at step {early[0].onset_step:,} is too small to be sure of"
    return ("cannot-tell", reason) if reason else ("excluded", "")


def blind_reason(run: Run, curve: LossCurve) -> str:
    """Returns why the first steps cannot be seen in this log, or "" where they can."""
    steps = curve.step
    end = min(curve.end_step, EARLY_AT_MOST)
    if unit := run.record.get(schema.STEP_UNIT):
        return f"its steps are {unit}, not updates"
    if run.log.averaged_over and run.log.averaged_over > 1:
        over = run.log.averaged_over
        return (
            f"each logged loss is a mean over {over:,} steps, where a step at {over + 1:,} times the loss is a doubling"
        )
    if steps[0] > 1:
        return f"the first logged step is {steps[0]:,}"
    if len(steps) < POINTS_AT_LEAST and curve.lost_from is None:
        return f"only {len(steps)} losses were logged"
    seen = steps[steps <= end]
    gaps = np.diff(seen)
    if len(seen) < COVERAGE * (end - steps[0] + 1) or (len(gaps) and gaps.max() > LARGEST_GAP):
        every = int(np.median(gaps)) if len(gaps) else end
        return (
            f"the loss was logged every {every:,} steps, and a rise of up to {every - 1:,} steps leaves no trace"
            if every > 1
            else f"{end - len(seen):,} of the first {end:,} steps were not logged"
        )
    if curve.correlation[1] > SMOOTHED_R:
        return f"the logged loss looks smoothed (correlation of neighbors {curve.correlation[1]:.2f})"
    return ""


def judge_run(early: str, curve: LossCurve | None, events: tuple[Event, ...]) -> str:
    """Returns the verdict of a run: confirmed events only; never "stable" beyond what the log can show."""
    if any(event.grade == "confirmed" for event in events):
        return "unstable"
    if curve is None or len(curve.loss) < POINTS_AT_LEAST:
        return "cannot-tell"
    if early == "cannot-tell" and len(curve.loss) < POINTS_FOR_STABLE:
        return "cannot-tell"
    return "stable"


def first_evaluation(run: Run) -> int | None:
    """Returns the first step with an evaluation after step 0, or None without one."""
    steps, _ = run.series(schema.EVAL_LOSS)
    later = steps[steps > 0]
    return int(later[0]) if len(later) else None
