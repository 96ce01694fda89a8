"""Titles of cards and names of checks: fixed words, chosen by what was found."""

from collections.abc import Sequence

from analysis.focus import Band
from analysis.results import LrSweep

SWEEP_TITLES = {
    "edge": "The best learning rate sits at the edge",
    "plateau": "Many learning rates do equally well",
    "interior": "The best learning rate lies well inside",
    "no-instability-seen": "No edge inside the searched range",
    "not-enough-runs": "Too few learning rates to see an edge",
}
OUTCOMES = {
    "found": ("Found", "orange", ":material/error:"),
    "clear": ("Clear", "green", ":material/check_circle:"),
    "not-checked": ("Not checked", "gray", ":material/remove_circle_outline:"),
}
CHIPS = {"found": ("orange", ":material/trending_up:"), "unseen": ("violet", ":material/visibility_off:")}
FIX_NAMES = {
    "probe": "The 500-step probe at twice the best learning rate",
    "warmup": "Learning-rate warmup",
    "clipping": "Gradient clipping",
    "optimizer": "Another optimizer",
    "architecture": "A steadier architecture",
    "lower-lr": "A lower learning rate, the last resort",
}
FIX_STATES = {
    "suggested": ("To try", "blue", ":material/experiment:"),
    "tried": ("Tried", "gray", ":material/history:"),
    "failed": ("Did not hold", "orange", ":material/error:"),
    "confirmed": ("Verified by experiment", "green", ":material/check_circle:"),
}
SAMPLE_COMMANDS = "First `make demo`: it trains this sweep into your store, as study demo."
PAGE_OF_CHECK = {
    "edge-of-instability": "lr_sweep",
    "range-end": "lr_sweep",
    "double-check": "lr_sweep",
    "batch-size": "lr_sweep",
    "warmup-budget": "loss",
    "gradient-outliers": "grad_norm",
    "extreme-clipping": "grad_norm",
}  # every other check is shown by the loss


def check_name(code: str) -> str:
    """Returns the name of a check as people read it."""
    return code.replace("non-", "not ").replace("-", " ").capitalize()


def sweep_title(sweep: LrSweep) -> str:
    """Returns the title of the picture of a sweep."""
    return SWEEP_TITLES[sweep.verdict]


def loss_title(bands: Sequence[Band], evaluations: Sequence[int]) -> str:
    """Returns the title of the picture of losses."""
    if not bands:
        return "No lasting rise of the loss"
    if any(band.kind != "early" for band in bands):
        return "The loss climbs after a decline"
    hidden = evaluations and max(band.last_step for band in bands) < evaluations[0]
    return "The loss rises at once, before any evaluation" if hidden else "The loss rises at once"
