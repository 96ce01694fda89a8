"""Figure 9: the gradient norm of every step with two clip thresholds, one too aggressive and a better one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.clipping import START_PERCENTILE, choose_clip_threshold, healthy_norms, measure_clipping
from analysis.figures.commands import example_of, probe_command
from analysis.figures.figure import Figure, Missing, make_figure
from analysis.fix_case import make_case
from analysis.focus import choose_sweep
from analysis.lr_words import number, say_share
from analysis.results import Clipping, Diagnosis, RunDiagnosis
from analysis.runlog import schema

NUMBER = "9"
TOO_LOW_PERCENTILE = 25.0  # ours: clips three quarters of the healthy steps, beyond PLAYBOOK P8's half


@dataclass(frozen=True)
class TwoThresholds:
    """Gradient norms and what two thresholds would do to them.

    Attributes:
        judged: The run whose norms are drawn; the better threshold is a percentile of its healthy steps.
        better: What the 90th percentile clips.
        aggressive: What the lower threshold clips: more than half.
        from_study: Whether a run of the study was trained with that lower threshold.
        shares: Lowest and highest share that each clips over the seeds: of the lower threshold, then of the better.
    """

    judged: RunDiagnosis
    better: Clipping
    aggressive: Clipping
    from_study: bool
    shares: tuple[tuple[float, float], tuple[float, float]]


def find_two_thresholds(diagnosis: Diagnosis) -> Figure:
    """Finds a healthy run with unclipped norms, at the best learning rate or below, and the two thresholds."""
    candidates = _candidates(diagnosis)
    proposal = choose_clip_threshold(candidates)
    if proposal is None or not proposal.clip_threshold > 0:
        return Figure(NUMBER, _missing(diagnosis, candidates))
    judged = next(each for each in candidates if each.run.run_id == proposal.run_id)
    aggressive = _too_low(diagnosis, judged)
    if aggressive is None:
        return Figure(NUMBER, _missing(diagnosis, []))
    lower, from_study = aggressive
    _, norm = judged.run.series(schema.GRAD_NORM)
    seeds = _seeds(diagnosis, judged)
    shares = tuple(_spread(seeds, threshold) for threshold in (lower, proposal.clip_threshold))
    better = measure_clipping(norm, proposal.clip_threshold)
    result = TwoThresholds(judged, better, measure_clipping(norm, lower), from_study, shares)
    return make_figure(NUMBER, result, _say(result), seeds)


def _candidates(diagnosis: Diagnosis) -> list[RunDiagnosis]:
    """Returns runs in the order in which a threshold is taken from them: healthy ones of the first series first."""
    sweep = choose_sweep(diagnosis)
    logged = [judged for judged in diagnosis.runs if judged.grad_norm is not None]
    if sweep is None:
        return sorted(logged, key=lambda judged: judged.verdict != "stable")
    case = make_case(diagnosis, sweep, [judged for judged in logged if judged.series == sweep.series], ())
    first = [*case.healthy, *case.unstable]
    ids = {judged.run.run_id for judged in first}
    rest = [judged for judged in logged if judged.run.run_id not in ids]
    return first + sorted(rest, key=lambda judged: judged.verdict != "stable")


def _too_low(diagnosis: Diagnosis, judged: RunDiagnosis) -> tuple[float, bool] | None:
    """Returns a threshold that clips more than half of a run's norms: the highest a run was trained with, else ours."""
    _, norm = judged.run.series(schema.GRAD_NORM)
    used = {float(each.run.record.get(schema.CLIP_THRESHOLD) or 0) for each in diagnosis.runs} - {0.0}
    extreme = [threshold for threshold in used if measure_clipping(norm, threshold).extreme]
    if extreme:
        return max(extreme), True
    for percentile in (TOO_LOW_PERCENTILE, TOO_LOW_PERCENTILE / 10):
        threshold = float(np.percentile(healthy_norms(judged), percentile))
        if threshold > 0 and measure_clipping(norm, threshold).extreme:
            return threshold, False
    return None


def _seeds(diagnosis: Diagnosis, judged: RunDiagnosis) -> list[RunDiagnosis]:
    """Returns the runs of the same setting that logged norms from before clipping, the drawn one first."""
    others = [
        each
        for each in diagnosis.runs
        if (each.series, each.run.base_lr) == (judged.series, judged.run.base_lr)
        and each is not judged
        and each.run.log.grad_norm == judged.run.log.grad_norm
        and each.grad_norm is not None
    ]
    return [judged, *others]


def _spread(runs: Sequence[RunDiagnosis], threshold: float) -> tuple[float, float]:
    shares = [measure_clipping(each.run.series(schema.GRAD_NORM)[1], threshold).clipped_fraction for each in runs]
    return min(shares), max(shares)


def _say(result: TwoThresholds) -> str:
    aggressive, better = result.aggressive, result.better
    lower, upper = (say_shares(*shares) for shares in result.shares)
    origin = ", which a run was trained with," if result.from_study else ""
    judgment = "is too aggressive" if not better.extreme else "clips more than half, and so does the better one"
    return (
        f"A clip threshold of {number(aggressive.clip_threshold)}{origin} would clip {lower} of the updates "
        f"and {judgment}; "
        f"{number(better.clip_threshold)}, percentile {START_PERCENTILE:.0f} of the healthy steps, clips {upper}"
    )


def say_shares(low: float, high: float) -> str:
    """Returns a range of shares in percent.

    >>> say_shares(0.75, 0.75), say_shares(0.09, 0.12), say_shares(0.004, 0.004)
    ('75%', '9% to 12%', '0.4%')
    """
    said = say_share(low), say_share(high)
    return said[0] if said[0] == said[1] else f"{said[0]} to {said[1]}"


def _missing(diagnosis: Diagnosis, candidates: Sequence[RunDiagnosis]) -> Missing:
    sweep = choose_sweep(diagnosis)
    run = example_of(diagnosis, sweep)
    command = probe_command(diagnosis, run, sweep.lr_star if sweep else None)
    if all(judged.grad_norm is None for judged in diagnosis.runs):
        return Missing("No gradient norm was logged; the runs of this command log it at every step.", command)
    if all(judged.run.log.grad_norm in ("after-clipping", "absent") for judged in candidates):
        return Missing("The logged gradient norms are from after clipping, and it needs them from before.", command)
    return Missing("No run has 50 healthy steps whose gradient norm was logged and is above 0.", command)
