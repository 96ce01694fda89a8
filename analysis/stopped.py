"""Runs that the guard stopped at a rise: what was seen while they trained is part of what is known of them."""

from analysis.loss_rise.curve import LossCurve
from analysis.results import Event
from analysis.runlog import Run, schema


def find_stop(run: Run, curve: LossCurve) -> Event | None:
    """Returns the rise at which the guard stopped a run; None of a run that was not stopped.

    The log ends where the rise was noticed, and the rules that look at a whole curve need more of it to be sure. The
    guard was sure, or it would not have stopped: its alarm stands on the record.

    Args:
        run: The run.
        curve: Its loss curve.
    """
    alarm = run.record.get(schema.STOPPED_AT_RISE)
    if alarm is None:
        return None
    onset = int(alarm["onset_step"])
    steps, loss = curve.step, curve.loss
    rising = steps >= onset
    return Event(
        kind=str(alarm["kind"]),
        onset_step=onset,
        peak_step=int(steps[rising][loss[rising].argmax()]),
        recovery_step=None,
        outcome="not-recovered",
        rise=alarm["height"],
        level_before=alarm["level_before"],
        cost_steps=curve.end_step - onset,
        grade="confirmed",
        preceded_by=alarm["preceded_by"],
        rule=str(alarm["rule"]),
    )
