"""Runs that never leave chance level, without any rise. Source: PLAYBOOK P5 (uncharacteristically high loss)."""

import numpy as np

from analysis import noise
from analysis.loss_rise.curve import LossCurve
from analysis.results import Event

CHANCE_BAND = 0.02  # of the baseline loss (ours, docs/evidence.md#stuck)
FLAT_BAND = 0.02  # change of the level over the last half, of the level (ours, docs/evidence.md#stuck)
POINTS_AT_LEAST = 20


def find_stuck(curve: LossCurve, baseline_loss: float | None) -> Event | None:
    """Finds a run that is flat at the constant predictor's loss over its last half.

    Args:
        curve: Loss curve.
        baseline_loss: Loss of the constant predictor; None: cannot be told, None is returned.

    Returns:
        An event without a rise, outcome "not-recovered", or None.
    """
    n = len(curve.loss)
    if n < POINTS_AT_LEAST or baseline_loss is None or curve.lost_from is not None:
        return None
    half = curve.loss[n // 2 :]
    third, fourth = np.median(half[: len(half) // 2]), np.median(half[len(half) // 2 :])
    end = float(np.median(curve.loss[-max(3, min(50, n // 20)) :]))
    if abs(third - fourth) >= FLAT_BAND * abs(fourth) or abs(end / baseline_loss - 1) >= CHANCE_BAND:
        return None
    at_chance = noise.centred_median(curve.loss, 5) <= baseline_loss * (1 + CHANCE_BAND)
    onset = int(curve.step[int(np.argmax(at_chance))])
    kind = "early" if onset <= curve.early_end else "mid-training"
    cost = curve.end_step - onset
    return Event(kind, onset, None, None, "not-recovered", None, None, cost, "confirmed", None, "stuck")
