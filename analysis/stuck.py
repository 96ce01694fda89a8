"""Runs that never leave chance level, without any rise. Source: PLAYBOOK P5 (uncharacteristically high loss)."""

import numpy as np

from analysis import noise
from analysis.loss_rise.curve import LossCurve
from analysis.results import Event
from analysis.runlog import Run, schema

CHANCE_BAND = 0.02  # of the baseline loss (ours, docs/evidence.md#stuck)
FLAT_BAND = 0.02  # change of the level over the last half, of the level (ours, docs/evidence.md#stuck)
POINTS_AT_LEAST = 20
END_SHARE, END_POINTS = 0.1, 10  # of the log, at least so many losses: what the level at its end is a median of (ours)


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


def has_learned(run: Run) -> bool:
    """Whether a run ends below chance level: below its first loss, where the constant predictor's is not on record."""
    loss = run.loss[1]
    if not len(loss):
        return False
    end = float(np.median(loss[-max(END_POINTS, int(END_SHARE * len(loss))) :]))
    return end < (1 - CHANCE_BAND) * (run.record.get(schema.BASELINE_LOSS) or float(loss[0]))
