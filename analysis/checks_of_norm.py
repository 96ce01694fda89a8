"""Checks of the gradient norm: outliers, and clipping that is too aggressive."""

from analysis.grad_norm import OUTLIER_RATIO, find_outliers, find_skipped, may_have_outliers
from analysis.lr_words import say_times
from analysis.results import Diagnosis, Finding

HUGE = 100.0  # largest norm over the median: an outlier that clipping is for (ours, docs/evidence.md#gradient-outliers)


def check_gradient_outliers(diagnosis: Diagnosis) -> Finding:
    """Asks for steps whose gradient norm stands far above the run's median (PLAYBOOK P3)."""
    code = "gradient-outliers"
    known = [judged for judged in diagnosis.runs if judged.grad_norm is not None]
    if known and all(judged.grad_norm.max == 0 for judged in known):
        return Finding(code, "not-checked", (), "Every gradient norm that was logged is 0: that is no measurement.", {})
    if not known:
        return Finding(code, "not-checked", (), "No gradient norm was logged: log it before clipping, every step.", {})
    hit = [(judged, find_outliers(judged.run)) for judged in known if may_have_outliers(judged.grad_norm)]
    hit = [(judged, steps) for judged, steps in hit if len(steps)]
    if not hit:
        ids = tuple(judged.run.run_id for judged in known)
        sentence = (
            f"No step's gradient norm is above {OUTLIER_RATIO:g} times the median of its run, in {len(known)} runs."
        )
        return Finding(code, "clear", ids, sentence, {"runs": len(known)})
    worst = max(hit, key=lambda pair: ratio(pair[0]))
    before = sum(any(event.preceded_by for event in judged.confirmed) for judged, _ in hit)
    size = "not finite" if ratio(worst[0]) == float("inf") else f"{say_times(ratio(worst[0]))} times the median"
    sentence = (
        f"{len(hit)} of {len(known)} runs have steps whose gradient norm is above {OUTLIER_RATIO:g} times the median; "
        f"the largest is {size}."
        + (f" In {before} of them an outlier comes just before the loss rises." if before else "")
    )
    ids = tuple(judged.run.run_id for judged, _ in hit)
    return Finding(
        code, "found", ids, sentence, {"runs": len(hit), "before_a_rise": before, "largest_ratio": ratio(worst[0])}
    )


def ratio(judged) -> float:
    """Returns the largest norm over the median norm; infinite where norms are non-finite or the median is 0."""
    norm = judged.grad_norm
    if norm.num_non_finite > len(find_skipped(judged.run)) or not norm.p50 > 0:
        return float("inf")
    return norm.max / norm.p50


def check_extreme_clipping(diagnosis: Diagnosis) -> Finding:
    """Asks whether more than half of the updates are clipped (PLAYBOOK P8)."""
    code = "extreme-clipping"
    clipped = [judged for judged in diagnosis.runs if judged.clipping is not None]
    if not clipped:
        return Finding(code, "not-checked", (), "No run has both a clip threshold and norms from before clipping.", {})
    extreme = [judged for judged in clipped if judged.clipping.extreme]
    ids = tuple(judged.run.run_id for judged in extreme or clipped)
    if extreme:
        worst = max(extreme, key=lambda judged: judged.clipping.clipped_fraction)
        share, multiplier = worst.clipping.clipped_fraction, worst.clipping.effective_lr_multiplier
        sentence = (
            f"{len(extreme)} of {len(clipped)} runs clip more than half of their updates, up to {share:.0%}: that is a "
            f"lower learning rate in disguise, {multiplier:.2g} times the one set. Lower the learning rate instead."
        )
        evidence = {"runs": len(extreme), "clipped_fraction": share, "effective_lr_multiplier": multiplier}
        return Finding(code, "found", ids, sentence, evidence)
    most = max(judged.clipping.clipped_fraction for judged in clipped)
    return Finding(
        code,
        "clear",
        ids,
        f"At most {most:.0%} of the updates are clipped, in {len(clipped)} runs.",
        {"clipped_fraction": most},
    )
