"""What another optimizer or architecture, with a learning-rate sweep of its own, showed. Source: PLAYBOOK P6."""

import math
from collections.abc import Sequence
from dataclasses import replace

from analysis.checkpoints import find_best_checkpoints
from analysis.fix_outcomes import SEEDS_AT_LEAST, Outcome, Setting, compare_checkpoints, judge_fix, say_losses
from analysis.lr_words import number
from analysis.results import LrSweep


def judge_optimizer(sweep: LrSweep, settings: Sequence[Setting], baseline: Setting) -> Outcome:
    """Judges another optimizer at its own best learning rate.

    Args:
        sweep: Its learning-rate axis.
        settings: Its runs, one setting a learning rate.
        baseline: Runs at the best learning rate of the optimizer before.

    Returns:
        "held" where 3 or more seeds are steady at its best learning rate, which lies inside its stable range, and
        the best checkpoint is no worse than that of the worst seed before.
    """
    baseline, *settings = compare_checkpoints(baseline, settings)
    name = "optimizer_swap"
    if sweep.lr_star is None:
        said = f"Failed: {sweep.series} ends at a usable loss at none of {len(settings)} learning rates."
        return Outcome(name, "failed", said, tuple(settings), baseline)
    best = next(setting for setting in settings if setting.base_lr == sweep.lr_star)
    where = f"{sweep.series} at its best learning rate, {number(best.base_lr)}"
    losses = say_losses(best, baseline)
    steady = f"steady in {len(best.steady)} of {len(best.runs)} seeds"
    if len(best.runs) < SEEDS_AT_LEAST:
        verdict, said = "inconclusive", f"{where} is {steady}; at least {SEEDS_AT_LEAST} decide{losses}"
    elif best.verdict != "held":
        verdict, said = "failed", f"{where} is {steady}{losses}"
    elif sweep.at_edge:
        unstable = number(sweep.unstable_base_lr)
        verdict, said = "failed", f"{where} is right at the edge again, {unstable} is unstable{losses}"
    elif best.best_loss > worst_seed(baseline):
        verdict, said = "failed", f"{where} is {steady}, but ends worse{losses}"
    else:
        verdict, said = "held", f"{where} is {steady} and inside its stable range{losses}"
    return Outcome(name, verdict, f"{verdict.capitalize()}: {said}.", tuple(settings), baseline)


def worst_seed(baseline: Setting) -> float:
    """Returns the best checkpoint of the worst seed; NaN, which no loss exceeds, without evaluations."""
    return max(
        (checkpoint.eval_loss for checkpoint in find_best_checkpoints([judged.run for judged in baseline.runs])),
        default=math.nan,
    )


def judge_architecture(
    sweep: LrSweep, settings: Sequence[Setting], baseline: Setting, unstable_base_lr: float
) -> Outcome:
    """Judges another architecture where training was unstable before.

    Args:
        sweep: Its learning-rate axis.
        settings: Its runs, one setting a learning rate.
        baseline: Runs at the best learning rate of the architecture before.
        unstable_base_lr: Where that became unstable.

    Returns:
        The outcome of its settings at unstable_base_lr and above; the sentence tells where it becomes unstable now.
    """
    above = [setting for setting in settings if setting.base_lr >= unstable_base_lr]
    outcome = judge_fix("architecture_swap", above, baseline)
    now = (
        f"no instability up to {number(settings[-1].base_lr)}"
        if sweep.unstable_base_lr is None
        else f"unstable from {number(sweep.unstable_base_lr)}"
    )
    moved = f" {sweep.series}: {now}; before, unstable from {number(unstable_base_lr)}."
    return replace(
        outcome, settings=tuple(compare_checkpoints(baseline, settings)[1:]), sentence=outcome.sentence + moved
    )
