"""What to try, in the playbook's order, each with evidence, numbers, a command, and what must be seen.

No evidence, no advice: where instability does not limit the best learning rate, nothing is suggested.

Source: PLAYBOOK P4, P6, P7 and P8.
"""

import math

from analysis.clipping import EXTREME_FRACTION, START_PERCENTILE, ClipProposal, choose_clip_threshold
from analysis.feasibility import has_ended
from analysis.fix_case import Case, find_case
from analysis.fix_commands import command_for
from analysis.fix_states import MOST_THRESHOLDS, lower_rate, state_of
from analysis.lr_words import number
from analysis.phases import train_steps
from analysis.results import Diagnosis, Fix, RunDiagnosis
from analysis.runlog import schema
from analysis.stuck import POINTS_AT_LEAST
from analysis.warmup import plan_warmup

SEEDS = 3  # of every suggested experiment: fewer are inconclusive (ours)
PROBE_STEPS, PROBE_FACTOR = 500, 2.0  # PLAYBOOK P4: about 500 steps at 2 x the current best, every step
ADAM_RATES = [1e-4, 3.2e-4, 1e-3, 3.2e-3, 1e-2, 3.2e-2, 1e-1]  # ours: half a decade a step
MOST_EXTENSIONS = 2  # ours: steps beyond either end of a sweep whose best lies at that end
MOST_BELOW = 3  # ours: steps below the lowest rate of a sweep
ORDER = ("warmup", "clipping", "optimizer", "architecture", "lower-lr")  # PLAYBOOK P6
ORDER_MID = ("clipping", "warmup", "optimizer", "architecture", "lower-lr")  # warmup is best for the early kind


def suggest_fixes(diagnosis: Diagnosis) -> tuple[Fix, ...]:
    """Suggests the experiments that the evidence asks for, in order.

    Returns:
        Fixes with rank 1, 2, ...; the probe first where the log hides the first steps; empty where nothing is
        found, or where instability is not what limits the learning rate.
    """
    fixes = []
    blind = tuple(judged.run.run_id for judged in diagnosis.runs if is_blind(judged))
    all_blind = blind and diagnosis.finding("early-instability").outcome == "not-checked"
    if all_blind:
        fixes.append(suggest_probe(diagnosis, blind))
    case = find_case(diagnosis)
    if case is not None:
        order = ORDER if breaks_early(case) else ORDER_MID
        extreme = [j for j in case.unstable if j.clipping and j.clipping.clipped_fraction > EXTREME_FRACTION]
        if extreme:  # PLAYBOOK P8: more than half clipped is a lower learning rate in disguise
            order = ("lower-lr", *(fix for fix in order if fix != "lower-lr"))
        fixes += [SUGGEST[fix](case) for fix in order]
    if blind and not all_blind:  # others show the early rise already; the probe would show it in these too
        fixes.append(suggest_probe(diagnosis, blind))
    ranked = [fix for fix in fixes if fix is not None]
    return tuple(Fix(**{**fix.__dict__, "rank": rank}) for rank, fix in enumerate(ranked, 1))


def is_blind(judged: RunDiagnosis) -> bool:
    """Whether a run's log hides its first steps; one that has only begun may show them yet."""
    begun = not has_ended(judged) and len(judged.run.loss[0]) < POINTS_AT_LEAST
    return judged.early == "cannot-tell" and not begun


def breaks_early(case: Case) -> bool:
    """Whether runs at the lowest learning rate with events break early; runs without any event count as early."""
    breaking = [judged for judged in case.unstable if judged.confirmed]
    lowest = [judged for judged in breaking if judged.run.base_lr == breaking[0].run.base_lr]
    return not lowest or any(event.kind == "early" for judged in lowest for event in judged.confirmed)


def make_fix(case: Case, fix: str, sentence: str, numbers: dict, fixed_when: str, cost_steps: int) -> Fix:
    """Builds a fix with its cost at the worst, its command and what the study's own runs already say of it."""
    state = state_of(case.diagnosis, case.sweep, fix)
    numbers["cost_steps"] = cost_steps
    sentence = f"{sentence} At most {cost_steps:,} steps."
    command = command_for(fix, case.diagnosis, case.example.run, numbers)
    return Fix(0, fix, state, case.because, sentence, numbers, command, fixed_when)


def most_steps(case: Case, num_settings: int) -> int:
    """Returns the steps of so many settings of full length, over all seeds."""
    return SEEDS * num_settings * train_steps(case.example.run)


def suggest_probe(diagnosis: Diagnosis, run_ids: tuple[str, ...]) -> Fix:
    """Suggests the 500-step probe at twice the best learning rate."""
    blind = {judged.run.run_id: judged for judged in diagnosis.runs if judged.run.run_id in run_ids}
    judged = next(iter(blind.values()))
    star = next((sweep.lr_star for sweep in diagnosis.sweeps if sweep.lr_star), judged.run.base_lr)
    base_lr = float(f"{PROBE_FACTOR * star:.6g}") if star else None
    numbers = {"max_train_steps": PROBE_STEPS, "base_lr": base_lr, "cost_steps": SEEDS * PROBE_STEPS}
    rate = f"learning rate {number(numbers['base_lr'])}, twice the best" if star else "twice the best learning rate"
    sentence = (
        f"Train {PROBE_STEPS} steps at {rate}, with the loss of every step: this log cannot show the first steps."
    )
    command = command_for("probe", diagnosis, judged.run, numbers)
    fixed_when = "The probe's log has every step; then early instability is seen or excluded."
    return Fix(0, "probe", "suggested", ("early-instability",), sentence, numbers, command, fixed_when)


def suggest_warmup(case: Case) -> Fix | None:
    """Suggests the search for the shortest warmup that reaches 10 x unstable_base_lr."""
    if case.unstable_base_lr is None:
        return None
    plan = plan_warmup(case.unstable_base_lr, train_steps(case.example.run))
    sentence = (
        f"Warm the learning rate up to {number(plan.base_lr)}, ten times {number(case.unstable_base_lr)}: search the "
        f"shortest warmup that holds, up to {plan.warmup_steps[-1]:,} steps, and put it in front of the schedule."
    )
    numbers = {
        "base_lr": plan.base_lr,
        "unstable_base_lr": case.unstable_base_lr,
        "warmup_steps": list(plan.warmup_steps),
        "post_warmup_steps": list(plan.post_warmup_steps),
        "total_steps": [plan.max_train_steps + steps for steps in plan.warmup_steps],
    }
    fixed_when = (
        "A length holds without a rise in 3 of 3 seeds, and with it in front of full training the best learning rate "
        "moves up or ends better."
    )
    return make_fix(case, "warmup", sentence, numbers, fixed_when, SEEDS * plan.most_steps)


def suggest_clipping(case: Case) -> Fix | None:
    """Suggests clipping at the 90th percentile of a healthy run's norms; None where no such norms were logged."""
    proposal: ClipProposal | None = choose_clip_threshold([*case.healthy, *case.unstable])
    if proposal is None:
        return None
    threshold = float(f"{proposal.clip_threshold:.2g}")
    numbers = {
        "clip_threshold": threshold,
        "percentile": START_PERCENTILE,
        "num_steps": proposal.num_steps,
        "base_lr": case.unstable_base_lr,
    }
    source = next(judged.run for judged in case.diagnosis.runs if judged.run.run_id == proposal.run_id)
    where = "" if source.base_lr is None else f" at learning rate {number(source.base_lr)}"
    sentence = (
        f"Clip gradients at norm {number(threshold)}, the 90th percentile of {proposal.num_steps:,} "
        f"healthy steps{where}; while it still breaks, halve the threshold, but stop when more than half of the "
        "updates are clipped."
    )
    fixed_when = "No rise in 3 of 3 seeds where it rose before, with at most 50% of the updates clipped."
    return make_fix(case, "clipping", sentence, numbers, fixed_when, most_steps(case, MOST_THRESHOLDS))


def suggest_optimizer(case: Case) -> Fix | None:
    """Suggests Adam with its own learning-rate sweep, unless the runs use it already."""
    current = str(case.example.run.record.get(schema.OPTIMIZER) or "")
    if "adam" in current.lower():
        return None
    sentence = (
        f"Try Adam instead of {current or 'this optimizer'}, with a learning-rate sweep of its own "
        "and the same number of steps: one seed at every rate, the others at the best."
    )
    numbers = {"optimizer": "adam", "base_lr": ADAM_RATES}
    fixed_when = (
        "3 of 3 seeds are steady at its best learning rate, which lies inside its stable range, and the best "
        "checkpoint is no worse than that of the worst seed before."
    )
    return make_fix(case, "optimizer", sentence, numbers, fixed_when, most_sweep_steps(case, ADAM_RATES))


def suggest_architecture(case: Case) -> Fix:
    """Suggests residual connections and normalisation where they are missing."""
    sentence = (
        "Check the architecture: residual connections and normalisation where missing; x + Norm(f(x)) "
        "or x + f(Norm(x)), not Norm(x + f(x)); residual branches that start at 0."
    )
    numbers = {"base_lr": sorted({judged.run.base_lr for judged in case.members if judged.run.base_lr})}
    where = number(case.unstable_base_lr) if case.unstable_base_lr else "the learning rate"
    fixed_when = f"No rise in 3 of 3 seeds at {where} or above, where it rose before."
    return make_fix(case, "architecture", sentence, numbers, fixed_when, most_sweep_steps(case, numbers["base_lr"]))


def most_sweep_steps(case: Case, rates: list[float]) -> int:
    """Returns the steps of a sweep that grows at both ends, with every seed at every rate."""
    return most_steps(case, len(rates) + 2 * MOST_EXTENSIONS)


def suggest_lower_lr(case: Case) -> Fix | None:
    """Suggests the highest stable learning rate, the last resort."""
    if case.unstable_base_lr is None:
        return None
    base_lr = lower_rate(case.sweep) if case.sweep else case.unstable_base_lr / 2
    sentence = f"Last resort: stay at learning rate {number(base_lr)}, lower while a seed rises; training gets slower."
    fixed_when = "No rise in 3 of 3 seeds at the highest rate that holds."
    below = {judged.run.base_lr for judged in case.members if (judged.run.base_lr or math.inf) <= base_lr}
    cost_steps = most_steps(case, len(below) + MOST_BELOW)
    return make_fix(case, "lower-lr", sentence, {"base_lr": base_lr}, fixed_when, cost_steps)


SUGGEST = {
    "warmup": suggest_warmup,
    "clipping": suggest_clipping,
    "optimizer": suggest_optimizer,
    "architecture": suggest_architecture,
    "lower-lr": suggest_lower_lr,
}
