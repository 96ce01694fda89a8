"""What a running loss that rises is reported as: the alarm, and its words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Alarm:
    """A rise of a running loss.

    Attributes:
        step: Step at which it was noticed.
        kind: "early" or "mid-training".
        onset_step: First step of the rise, never after `step`.
        level_before: Level of the loss just before.
        height: Rise so far, in units of loss; None for a non-finite loss.
        rule: "sustained", "sudden", "early" or "non-finite".
        preceded_by: "grad_norm" where that norm had an outlier just before the onset.
    """

    step: int
    kind: str
    onset_step: int
    level_before: float | None
    height: float | None
    rule: str
    preceded_by: str | None


def describe_alarm(alarm: Alarm) -> str:
    """Says an alarm in one clause.

    >>> describe_alarm(Alarm(12, "early", 9, 2.0, 3.5, "sudden", None))
    'early rise at step 9, loss 2 to 5.5 by step 12'
    """
    if alarm.height is None:
        return f"the loss is not finite at step {alarm.step:,} ({alarm.kind})"
    first = f", after an outlier of {alarm.preceded_by}" if alarm.preceded_by else ""
    return (
        f"{alarm.kind} rise at step {alarm.onset_step:,}, "
        f"loss {alarm.level_before:.3g} to {alarm.level_before + alarm.height:.3g} by step {alarm.step:,}{first}"
    )
