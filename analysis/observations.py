"""What the probe and the double check showed. Source: PLAYBOOK P4 and P5."""

from collections.abc import Sequence

from analysis.checks_of_lr import is_sudden_after_decline
from analysis.fix_outcomes import SEEDS_AT_LEAST, Outcome, Setting
from analysis.lr_words import number
from analysis.results import Event, RunDiagnosis


def judge_probe(settings: Sequence[Setting]) -> Outcome:
    """Says whether the first steps of training are unstable.

    Args:
        settings: Runs logged every step, one setting a learning rate.

    Returns:
        "seen" where a seed rose early, "excluded" where 3 or more seeds show that none did, else "inconclusive".
    """
    runs = [judged for setting in settings for judged in setting.runs]
    seen = [judged for judged in runs if judged.early == "seen"]
    where = " and ".join(number(setting.base_lr) for setting in settings)
    if seen:
        onset = min(event.onset_step for judged in seen for event in judged.confirmed if event.kind == "early")
        verdict = "seen"
        said = f"is seen in {len(seen)} of {len(runs)} runs, first at step {onset:,}"
    elif len(runs) < SEEDS_AT_LEAST * len(settings) or any(judged.early != "excluded" for judged in runs):
        verdict = "inconclusive"
        said = f"is not seen, but {len(runs)} runs are too few to exclude it: give each 3 seeds"
    else:
        verdict, said = "excluded", f"is excluded: none of {len(runs)} runs rises in its first steps"
    return Outcome("probe", verdict, f"Early instability at learning rate {where} {said}.", tuple(settings))


def judge_check(settings: Sequence[Setting], lr_star: float) -> Outcome:
    """Says whether runs far above the best learning rate rise suddenly after a steady decline.

    Args:
        settings: Runs at 5 and perhaps 10 times lr_star.
        lr_star: The best learning rate.

    Returns:
        "seen" where a run did, "excluded" where 3 or more seeds did not, else "inconclusive".
    """
    last = settings[-1]
    where = f"learning rate {number(last.base_lr)}, {last.base_lr / lr_star:.0f} times the best"
    rises = [sudden_rises(judged)[0] for judged in last.runs if sudden_rises(judged)]
    if rises:
        onset = min(event.onset_step for event in rises)
        verdict = "seen"
        said = (
            f"{len(rises)} of {len(last.runs)} runs decline steadily, then rise suddenly, first at step {onset:,}: "
            "it is instability that limits the learning rate"
        )
    elif len(last.runs) < SEEDS_AT_LEAST:
        verdict, said = (
            "inconclusive",
            f"no run declines and then rises, but {len(last.runs)} are too few: give 3 seeds",
        )
    else:
        early = sum(judged.verdict == "unstable" for judged in last.runs)
        other = f"; {early} break without a decline before" if early else ", and none breaks"
        verdict, said = "excluded", f"none of {len(last.runs)} runs declines steadily and then rises{other}"
    return Outcome("check", verdict, f"At {where}, {said}.", tuple(settings))


def sudden_rises(judged: RunDiagnosis) -> list[Event]:
    """Returns the rises of a run that followed a steady decline."""
    return [event for event in judged.confirmed if is_sudden_after_decline(judged, event)]
