"""Where a training loss goes up, not down: sudden, sustained, slow and early rises, and divergence.

Source: PLAYBOOK P1 and P2. Thresholds marked "ours" have their evidence in docs/evidence.md.
"""

from dataclasses import dataclass, replace

import numpy as np

from analysis.loss_rise.curve import LossCurve, make_curve
from analysis.loss_rise.measure import Rise, Smoothed, measure_rise
from analysis.loss_rise.ringing import find_ringing
from analysis.loss_rise.rules import find_early, find_slow, find_sudden, find_sustained
from analysis.results import Event
from analysis.runlog import schema

MOST_ROUNDS = 3  # looks at what is left after taking out the recovered rises (ours)
DOUBLED = 2.0  # of the start: no first loss is that far off by chance (ours, docs/evidence.md#early)
NORM_ROSE = 1.5  # of the first gradient norm (ours, docs/evidence.md#early)
PLANNED_POINTS = 10  # logged points after a planned change in which a rise belongs to it (ours)
RESUME_POINTS = 5  # and after a resume (ours, docs/evidence.md#resume)
LEAD_STEPS = 10  # how long before the onset an outlier of a norm counts as preceding (ours)

__all__ = ["LossCurve", "LossRises", "find_loss_rises", "make_curve"]


@dataclass(frozen=True)
class LossRises:
    """Events by onset, and the steps of single high points."""

    events: tuple[Event, ...]
    blips: tuple[int, ...]


def find_loss_rises(
    curve: LossCurve,
    norms: dict[str, tuple[np.ndarray, np.ndarray]] | None = None,
    planned: tuple[int, ...] = (),
    may_ring: bool = True,
    resumed_at: tuple[int, ...] = (),
) -> LossRises:
    """Finds the periods in which the loss went up.

    Args:
        curve: Loss curve, from `make_curve`.
        norms: (steps, values) of grad_norm and update_norm by column name, where logged.
        planned: Steps at which a change was planned (data, batch size, learning-rate restart).
        may_ring: Whether the optimizer has heavy momentum, so that smooth damped swings are no instability.
        resumed_at: Steps at which a later attempt of the run goes on.

    Returns:
        Events and blips; blips inside an event are left out.
    """
    rises, blips, rest = [], [], curve
    for _ in range(MOST_ROUNDS):
        found, blips = find_round(rest)
        fresh = [rise for rise in found if not any(overlap(rise, known) for known in rises)]
        rises += fresh
        if not any(rise.recovery is not None for rise in fresh):
            break
        rest = without(rest, fresh)
    rises.sort(key=lambda rise: rise.onset_step)
    swings = find_ringing(rises) if may_ring else set()
    events = [to_event(curve, rise, norms or {}) for rise in rises]
    events = [explain(event, index in swings, curve.stride, planned, resumed_at) for index, event in enumerate(events)]
    if curve.lost_from is not None:
        events = with_divergence(curve, events)
    inside = [(rise.onset_step, rise.settled_step) for rise in rises]
    alone = [step for step in blips if not any(first <= step <= last for first, last in inside)]
    return LossRises(tuple(events), tuple(alone))


def overlap(rise: Rise, known: Rise) -> bool:
    """Whether two rises share steps: what is left of a rise around its cut is the same rise."""
    return rise.onset_step <= known.settled_step and known.onset_step <= rise.settled_step


def explain(event: Event, swings: bool, stride: float, planned: tuple[int, ...], resumed_at: tuple[int, ...]) -> Event:
    """Adds the note that takes an event out of the verdict.

    It is a planned change, a resume after which optimizer state or data order may be missing, or a swing of a damped
    oscillation.
    """

    def near(steps: tuple[int, ...], points: int) -> list[int]:
        return [step for step in steps if step - 2 * stride <= event.onset_step <= step + points * stride]

    changes, resumes = near(planned, PLANNED_POINTS), near(resumed_at, RESUME_POINTS)
    note = ""
    if changes:
        note = f"starts at the planned change at step {changes[0]:,}"
    elif resumes:
        note = f"at a resume (step {resumes[0]:,}): check that optimizer state and data order were restored"
    elif swings:
        note = "damped oscillation of momentum"
    return replace(event, grade="suspected", note=note) if note else event


def find_round(curve: LossCurve) -> tuple[list[Rise], list[int]]:
    """Asks every rule once; returns the rises in order of time, and the steps of blips."""
    sudden, blips = find_sudden(curve)
    early = find_early(curve)
    spans = [span for span in early if span.sure] + sudden + find_sustained(curve) + find_slow(curve)
    rises = measure_all(curve, spans)
    if not any(rise.onset <= span.alarm for rise in rises for span in early):
        rises = measure_all(curve, [span for span in early if not span.sure][:1]) + rises
    return rises, [int(curve.step[i]) for i in blips]


def without(curve: LossCurve, rises: list[Rise]) -> LossCurve:
    """Returns the curve without the points of recovered rises, so that no event is part of what others are held to."""
    keep = np.ones(len(curve.loss), bool)
    for rise in rises:
        if rise.recovery is not None:
            keep[rise.onset : rise.recovery] = False
    return replace(curve, step=curve.step[keep], loss=curve.loss[keep])


def measure_all(curve: LossCurve, spans: list) -> list[Rise]:
    """Measures spans in order of time; a span that begins within an earlier rise is the same rise."""
    smoothed, rises, covered = Smoothed(curve), [], -1
    for span in sorted(spans, key=lambda span: (span.first, span.block)):
        if span.alarm <= covered + 2 or span.first + span.block <= covered:
            continue
        span = replace(span, first=max(span.first, covered + 1))
        rise = measure_rise(curve, span, covered, smoothed)
        if rise is not None:
            rises.append(rise)
            covered = rise.settled
    return rises


def to_event(curve: LossCurve, rise: Rise, norms: dict) -> Event:
    """Turns a measured rise into an event, in steps."""
    onset, recovered = rise.onset_step, rise.recovery is not None
    end = rise.settled_step if recovered else curve.end_step
    return Event(
        kind="early" if onset <= curve.early_end else "mid-training",
        onset_step=onset,
        peak_step=rise.peak_step,
        recovery_step=end if recovered else None,
        outcome="recovered" if recovered else "not-recovered",
        rise=rise.height,
        level_before=rise.level,
        cost_steps=end - onset,
        grade="confirmed" if is_sure(curve, rise, norms) else "suspected",
        preceded_by=find_precursor(onset, curve.stride, norms),
        rule=rise.span.rule,
    )


def is_sure(curve: LossCurve, rise: Rise, norms: dict) -> bool:
    """Whether a rise counts.

    Without a measured start, an early rise rests on one logged loss. One that never comes back counts only if the
    rule saw twice the start; a lesser one that does counts if a second witness rose with it, the gradient norm.
    """
    if rise.span.rule != "early" or curve.init_mean is not None:
        return rise.span.sure
    if rise.recovery is None:
        seen = np.median(rise.curve.loss[rise.span.first : rise.span.alarm + 1])
        return rise.span.sure and bool(seen >= DOUBLED * rise.level)
    return rise.span.sure or norm_rose(rise, norms)


def norm_rose(rise: Rise, norms: dict) -> bool:
    """Whether the gradient norm at most a step or two around the rise is well above the first one logged."""
    steps, values = norms.get(schema.GRAD_NORM, ((), ()))
    during = (np.asarray(steps) >= rise.onset_step) & (np.asarray(steps) <= rise.settled_step)
    return bool(during.any() and np.nanmax(values[during]) >= NORM_ROSE * values[0])


def find_precursor(onset: int, stride: float, norms: dict) -> str | None:
    """Names the first norm with an outlier from LEAD_STEPS before the onset to two points after it.

    An outlier is above twice the 90th percentile and four times the median of the 200 points before.
    """
    for name, (steps, values) in norms.items():
        lead = int(np.searchsorted(steps, onset - LEAD_STEPS))
        end = int(np.searchsorted(steps, onset + 2 * stride, side="right"))
        before = values[max(0, lead - 200) : lead]
        before = before[np.isfinite(before)]
        now = values[lead:end]
        if len(before) < 5 or not len(now):
            continue
        line = max(2 * np.percentile(before, 90), 4 * np.median(before))
        if (np.nan_to_num(now, nan=np.inf, posinf=np.inf) > line).any():
            return name
    return None


def with_divergence(curve: LossCurve, events: list[Event]) -> list[Event]:
    """Marks the rise that ends non-finite, or adds the divergence as an event of its own."""
    if events and events[-1].outcome == "not-recovered":
        last = events[-1]
        return [*events[:-1], replace(last, outcome="diverged", grade="confirmed")]
    at = curve.lost_from
    level = float(np.median(curve.loss[-5:]))
    kind = "early" if at <= curve.early_end else "mid-training"
    event = Event(kind, at, at, None, "diverged", None, level, curve.end_step - at, "confirmed", None, "non-finite")
    return [*events, event]
