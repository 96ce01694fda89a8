"""Damped oscillation: rises that momentum makes on a smooth loss, which settle by themselves and are no instability.

A swing of a damped oscillation is smooth, takes about as long to rise as to fall, before and after, and stays below
the swing before it. A break is sudden, or noisy: it rises in a small part of the time that the loss took to decline.
"""

import numpy as np

from analysis import noise
from analysis.loss_rise.measure import Rise

SWING = 0.2  # least share of the fall before, and of the recovery after, that the rise takes in time (ours)
DAMPED = 0.9  # largest share of the fall before that the rise takes back in loss (ours)
SMOOTH = 0.15  # largest share of the first rise that the noise from point to point may have (ours)
RISEN = 0.9  # of the height: a break that stays high has its highest point anywhere on its plateau (ours)
POINTS_AT_LEAST = 3  # of the rise (ours)


def find_ringing(rises: list[Rise]) -> set[int]:
    """Returns the indices of the rises that are swings of one damped oscillation from the start of the run on.

    Args:
        rises: Rises of one curve, by onset.
    """
    swings, since = set(), 0
    for index, rise in enumerate(rises):
        if not is_swing(rise, since):
            break
        swings.add(index)
        since = rise.peak_step
    return swings


def is_swing(rise: Rise, since: int) -> bool:
    """Whether a rise is one swing, when the fall before it began at or after step `since`, the last swing's peak."""
    step, loss = rise.curve.step, rise.curve.loss
    if rise.recovery is None or rise.peak - rise.onset < POINTS_AT_LEAST:
        return False
    first = int(np.searchsorted(step, since))
    top = first + int(np.argmax(loss[first : rise.onset + 1])) if first <= rise.onset else rise.onset
    risen = rise.onset + int(np.argmax(loss[rise.onset : rise.peak + 1] >= rise.level + RISEN * rise.height))
    falling, rising, recovering = np.diff(step[[top, rise.onset, risen, rise.recovery]])
    part = loss[max(0, rise.onset - POINTS_AT_LEAST) : rise.peak + POINTS_AT_LEAST]
    smooth = since > 0 or noise.curvature_sd(part) <= SMOOTH * rise.height
    even = rising >= SWING * falling and rising >= SWING * recovering and falling > 0
    return bool(smooth and even and rise.height <= DAMPED * (loss[top] - rise.level))
