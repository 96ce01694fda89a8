"""Titles of pictures: fixed words, chosen by what was found."""

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
