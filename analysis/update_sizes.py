"""How large each rule's updates are on the gradient norms of a logged run.

A log holds the size of the gradient, not its direction. So each rule is given a gradient of one dimension of that size,
always of the same sign: momentum adds up in full, as it does along a steady slope and not around a minimum.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.runlog import Run, schema
from analysis.update_rules import UPDATE_RULES

MOST_NORMS = 20_000  # ours: norms that are replayed


@dataclass(frozen=True)
class UpdateSizes:
    """Updates on the norms of one run.

    Attributes:
        steps: Steps of the norms that were replayed, shape (n,).
        norm: The norms, finite, shape (n,).
        sizes: Size of the update over the learning rate by rule, each of shape (n,).
        num_not_finite: Norms left out because they are not finite.
        num_later: Norms left out because they come after the first MOST_NORMS.
    """

    steps: np.ndarray
    norm: np.ndarray
    sizes: Mapping[str, np.ndarray]
    num_not_finite: int
    num_later: int


def replay_update_sizes(run: Run) -> UpdateSizes:
    """Replays the logged gradient norms of a run through every rule, at a learning rate of 1.

    Args:
        run: The run; every logged norm counts as one step.

    Returns:
        The sizes of the updates in units of the learning rate; empty arrays without a finite norm.
    """
    steps, norm = run.series(schema.GRAD_NORM)
    is_finite = np.isfinite(norm)
    steps, norm = steps[is_finite], norm[is_finite].astype(float)
    first = slice(0, MOST_NORMS)
    sizes = {rule: replay(rule, norm[first]) for rule in UPDATE_RULES}
    num_later = max(0, len(norm) - MOST_NORMS)
    return UpdateSizes(steps[first], norm[first], sizes, int(np.sum(~is_finite)), num_later)


def replay(rule: str, norm: np.ndarray) -> np.ndarray:
    """Returns the size of every update of a rule on gradients of one dimension, at a learning rate of 1.

    >>> replay("momentum", np.array([1.0, 1.0])).tolist()
    [1.0, 1.9]
    """
    made = UPDATE_RULES[rule]()
    state, sizes = made.init(np.zeros(())), np.empty(len(norm))
    with np.errstate(over="ignore", invalid="ignore"):  # the square of a norm of 1e200 is infinite, its step 0
        for step, g in enumerate(norm):
            delta, state = made.update(g, state, 1.0)
            sizes[step] = abs(delta)
    return sizes
