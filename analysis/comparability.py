"""Whether two runs may be compared, and what for. Source: PLAYBOOK P10 and P7."""

from dataclasses import dataclass

from analysis.runlog import Run, schema

TUNED_WITH_BATCH_SIZE = (schema.BATCH_SIZE,)  # PLAYBOOK P10: must not be tuned for validation performance directly
NOT_A_FACTOR = (schema.SEED, schema.MAX_TRAIN_STEPS)


@dataclass(frozen=True)
class Comparability:
    """What differs between two runs, and what follows.

    Attributes:
        verdict: "replicates" (seeds only), "one-factor", or "confounded".
        differences: Metaparameter to (value of the first, value of the second); None where absent.
        reasons: Why it is confounded, or what to keep in mind, as sentences.
    """

    verdict: str
    differences: dict[str, tuple[object, object]]
    reasons: tuple[str, ...]


def compare_runs(first: Run, second: Run) -> Comparability:
    """Compares the metaparameters and budgets of two runs.

    Confounded are runs that differ in more than one factor, or in batch size: a difference between batch sizes
    usually disappears once the optimizer's metaparameters are tuned for each.

    Args:
        first: A run.
        second: Another run.

    Returns:
        The differences and the verdict.
    """
    names = sorted((set(first.record) | set(second.record)) - schema.FACTS)
    pairs = {name: (first.record.get(name), second.record.get(name)) for name in names}
    differences = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    factors = [name for name in differences if name not in NOT_A_FACTOR]
    reasons = []
    if schema.BATCH_SIZE in differences:
        reasons.append("The batch size differs: tune learning rate and regularisation for each size before comparing.")
    if len(factors) > 1:
        reasons.append(f"{len(factors)} factors differ: {', '.join(factors)}. Change one at a time.")
    confounded = bool(reasons)
    reasons += budget_reasons(first, second)
    verdict = "confounded" if confounded else "one-factor" if factors else "replicates"
    return Comparability(verdict, differences, tuple(reasons))


def budget_reasons(first: Run, second: Run) -> list[str]:
    """Says what differs in steps, seeds and evaluations."""
    reasons = []
    lengths = [run.record.get(schema.MAX_TRAIN_STEPS) for run in (first, second)]
    if None not in lengths and lengths[0] != lengths[1]:
        reasons.append(f"They train {lengths[0]:,} and {lengths[1]:,} steps without warmup.")
    evaluations = [len(run.series(schema.EVAL_LOSS)[0]) for run in (first, second)]
    if all(evaluations) and evaluations[0] != evaluations[1]:
        reasons.append(
            f"They have {evaluations[0]:,} and {evaluations[1]:,} evaluations: the best of more is lower by chance."
        )
    if first.record.get(schema.SEED) is not None and first.record.get(schema.SEED) != second.record.get(schema.SEED):
        reasons.append("Their seeds differ: compare means over seeds.")
    return reasons
