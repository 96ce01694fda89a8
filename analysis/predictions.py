"""What each fix should change, said before its experiment is run. Source: PLAYBOOK P6, P7 and P8."""

from dataclasses import dataclass

from analysis.clipping import EXTREME_FRACTION
from analysis.fix_case import Case
from analysis.fixes import breaks_early
from analysis.lr_words import number
from analysis.warmup import PEAK_FACTOR


@dataclass(frozen=True)
class Prediction:
    """A statement that the experiment of a fix can refute.

    Attributes:
        fix: "warmup", "clipping", "optimizer", "architecture" or "lower-lr".
        sentence: What should be seen, and why, with its numbers.
        unstable_base_lr: Where training becomes unstable before the fix.
        lr_star: Best learning rate before the fix.
    """

    fix: str
    sentence: str
    unstable_base_lr: float
    lr_star: float


def predict(fix: str, case: Case) -> Prediction:
    """Predicts what a fix changes for a series at the edge of instability.

    Args:
        fix: Name of the fix.
        case: The series, with a judged sweep that is at the edge.

    Returns:
        The prediction. It follows the playbook's claims: warmup is best for the early kind, clipping serves both.
    """
    unstable, star = case.sweep.unstable_base_lr, case.sweep.lr_star
    return Prediction(fix, SENTENCES[fix](case, number(unstable), number(star)), unstable, star)


def of_warmup(case: Case, unstable: str, star: str) -> str:
    """Predicts a higher edge for the early kind, and a mere delay for the other."""
    if not breaks_early(case):
        return (
            f"Training breaks at {unstable} in mid-training, where warmup delays a rise at most: it should still break."
        )
    return (
        f"Training breaks at {unstable} in its first steps, where warmup helps most: with it, {unstable} and up to "
        f"{PEAK_FACTOR:g} times that should hold, and the best learning rate should move up from {star} or end better."
    )


def of_clipping(case: Case, unstable: str, star: str) -> str:
    """Predicts a hold at the unstable rate without extreme clipping."""
    return (
        f"Outliers of the gradient norm drive the rise: clipped at the typical norm, {unstable} should hold, with at "
        f"most {EXTREME_FRACTION:.0%} of the updates clipped."
    )


def of_optimizer(case: Case, unstable: str, star: str) -> str:
    """Predicts a best learning rate inside the stable range."""
    return (
        "Scaled step by step, other rates are stable: its own best learning rate should lie inside its stable range, "
        f"with a best checkpoint no worse than at {star} now."
    )


def of_architecture(case: Case, unstable: str, star: str) -> str:
    """Predicts a higher edge."""
    return f"The cause is in the network: repaired, {unstable} should hold in every seed, and the edge should move up."


def of_lower_lr(case: Case, unstable: str, star: str) -> str:
    """Predicts a hold that gains nothing."""
    return f"Below {unstable} every seed should hold, and nothing is gained: the best stays at {star} or lower."


SENTENCES = {
    "warmup": of_warmup,
    "clipping": of_clipping,
    "optimizer": of_optimizer,
    "architecture": of_architecture,
    "lower-lr": of_lower_lr,
}
