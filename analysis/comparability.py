"""Whether runs may be compared, and what for. Source: PLAYBOOK P10 and P7."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from analysis.runlog import Run, schema

CLIP_PREFIX = "clip_"  # of the threshold, the rule and the options of gradient clipping
NOT_A_FACTOR = (schema.SEED,)  # seeds are replicates


@dataclass(frozen=True)
class Comparability:
    """What differs between runs, and what follows.

    Attributes:
        verdict: "replicates" (seeds only), "one-factor", or "confounded".
        differences: Metaparameter to its value in each run, in the order of the runs; None where absent.
        reasons: Why it is confounded, or what to keep in mind, as sentences.
    """

    verdict: str
    differences: dict[str, tuple[object, ...]]
    reasons: tuple[str, ...]


def compare_runs(*runs: Run, tuned: Collection[str] = ()) -> Comparability:
    """Compares the metaparameters and budgets of runs.

    Confounded are runs that differ in more than one factor, or in batch size: a difference between batch sizes
    usually disappears once the optimizer's metaparameters are tuned for each.

    Args:
        *runs: At least one run.
        tuned: Metaparameters that were tuned for each of the runs by itself: they differ because they must.

    Returns:
        The differences and the verdict.
    """
    names = sorted(set().union(*(run.record for run in runs)) - schema.FACTS)
    values = {name: tuple(run.record.get(name) for run in runs) for name in names}
    differences = {name: each for name, each in values.items() if any(value != each[0] for value in each)}
    factors = [name for name in merge_clipping(differences) if name not in NOT_A_FACTOR and name not in tuned]
    reasons = [batch_size_reason(tuned)] if schema.BATCH_SIZE in differences else []
    if len(factors) > 1:
        reasons.append(f"{len(factors)} factors differ: {', '.join(factors)}. Change one at a time.")
    confounded = bool(reasons)
    reasons += [
        f"{name} differs because it was tuned for each: that is as it should be."
        for name in differences
        if name in tuned
    ]
    reasons += budget_reasons(runs)
    verdict = "confounded" if confounded else "one-factor" if factors else "replicates"
    return Comparability(verdict, differences, tuple(reasons))


def merge_clipping(names: Collection[str]) -> list[str]:
    """Returns the names without what another clip rule brings along: its options, and a threshold or none.

    >>> merge_clipping(["base_lr", "clip_percentile", "clip_rule", "clip_threshold"])
    ['base_lr', 'clip_rule']
    """
    if schema.CLIP_RULE not in names:
        return list(names)
    return [name for name in names if name == schema.CLIP_RULE or not name.startswith(CLIP_PREFIX)]


def batch_size_reason(tuned: Collection[str]) -> str:
    """Says why a difference between batch sizes is none yet (PLAYBOOK P10)."""
    missing = (
        "regularisation and the number of steps" if schema.BASE_LR in tuned else "learning rate and regularisation"
    )
    return (
        f"The batch size differs: tune {missing} for each size before comparing. "
        "A difference between batch sizes usually disappears then; batch size is no fix for instability."
    )


def budget_reasons(runs: Sequence[Run]) -> list[str]:
    """Says what differs in steps, seeds and evaluations."""
    reasons = []
    lengths = [run.record.get(schema.MAX_TRAIN_STEPS) for run in runs]
    if None not in lengths and len(set(lengths)) > 1:
        reasons.append(f"They train {listed(lengths)} steps without warmup.")
    evaluations = [len(run.series(schema.EVAL_LOSS)[0]) for run in runs]
    if all(evaluations) and len(set(evaluations)) > 1:
        reasons.append(f"They have {listed(evaluations)} evaluations: the best of more is lower by chance.")
    seeds = {run.record.get(schema.SEED) for run in runs}
    if None not in seeds and len(seeds) > 1:
        reasons.append("Their seeds differ: compare means over seeds.")
    return reasons


def listed(numbers: Sequence[int]) -> str:
    """Returns the different numbers as people list them.

    >>> listed([200, 1000, 200])
    '200 and 1,000'
    """
    return " and ".join(f"{number:,}" for number in dict.fromkeys(numbers))
