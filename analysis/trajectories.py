"""The paths of the update rules on a quadratic bowl that is steep one way and flat the other."""

from dataclasses import dataclass

import numpy as np

from analysis.lr_words import number
from analysis.update_rules import UPDATE_RULES

START = (-1.0, 0.8)  # ours: where every path begins; flat direction, steep direction
STEEP = 1.0  # lambda_max; lambda_min is STEEP over the condition number
NUM_STEPS = 100  # ours: short enough to follow by eye
LOST_AT = 1e6  # ours: times the first loss; below its limit, momentum of at most 0.99 stays under 1e4 times (measured)
WITH_GAMMA = ("momentum", "nesterov", "rmsprop")


@dataclass(frozen=True)
class Trajectory:
    """The path of one rule.

    Attributes:
        rule: Name of the rule.
        lr: Learning rate.
        limit: Learning rate from which the path leaves the bowl; None for a rule without such a limit.
        theta: Points of the path, shape (n, 2): flat direction, steep direction; cut before the path is lost.
        loss: Loss at each point, shape (n,).
        lost_step: Step at which the loss is more than a million times the first, or not finite; None if never.
    """

    rule: str
    lr: float
    limit: float | None
    theta: np.ndarray
    loss: np.ndarray
    lost_step: int | None

    @property
    def is_unstable(self) -> bool:
        """Whether the learning rate is above the limit."""
        return self.limit is not None and self.lr > self.limit


def stability_limit(rule: str, gamma: float = 0.9, steepest: float = STEEP) -> float | None:
    """Returns the learning rate at which a rule stops coming closer on a quadratic.

    2 / lambda_max for SGD, 2 (1 + gamma) / lambda_max for momentum, 2 (1 + gamma) / ((1 + 2 gamma) lambda_max) for
    Nesterov. They follow from the two-by-two matrix that takes (theta, v) to the next step: its eigenvalues must lie
    inside the unit circle, and at the limit one of them is -1.

    Args:
        rule: Name of the rule.
        gamma: Share of the velocity that is kept each step, in [0, 1).
        steepest: lambda_max, the largest curvature.

    Returns:
        The limit; None for rules that divide by the size of the gradient, which have none of this kind.

    >>> [round(stability_limit(rule), 3) for rule in ("sgd", "momentum", "nesterov")]
    [2.0, 3.8, 1.357]
    """
    factors = {"sgd": 2.0, "momentum": 2 * (1 + gamma), "nesterov": 2 * (1 + gamma) / (1 + 2 * gamma)}
    return factors[rule] / steepest if rule in factors else None


def follow(rule: str, lr: float, condition_number: float, gamma: float = 0.9, num_steps: int = NUM_STEPS) -> Trajectory:
    """Follows a rule down the bowl (theta_1^2 / condition_number + theta_2^2) / 2 from START.

    Args:
        rule: Name of the rule.
        lr: Learning rate of every step.
        condition_number: Largest over smallest curvature, at least 1.
        gamma: Share of the velocity that is kept, for the rules that have one.
        num_steps: Steps to take.

    Returns:
        The path; one that is lost ends before `lost_step`.
    """
    curvature = np.array([STEEP / condition_number, STEEP])
    made = UPDATE_RULES[rule](**({"gamma": gamma} if rule in WITH_GAMMA else {}))
    theta = np.array(START)
    state, path, losses, lost_step = made.init(theta), [theta], [loss_at(theta, curvature)], None
    for step in range(num_steps):
        delta, state = made.update(curvature * theta, state, lr)
        theta = theta + delta
        loss = loss_at(theta, curvature)
        if not loss <= LOST_AT * losses[0]:
            lost_step = step + 1
            break
        path.append(theta)
        losses.append(loss)
    return Trajectory(rule, lr, stability_limit(rule, gamma), np.array(path), np.array(losses), lost_step)


def loss_at(theta: np.ndarray, curvature: np.ndarray) -> float:
    """Returns the height of the bowl."""
    with np.errstate(over="ignore"):  # an infinite loss is lost
        return float(np.sum(curvature * theta**2) / 2)


def describe_trajectory(path: Trajectory) -> str:
    """Says how a path ends."""
    if path.lost_step is not None:
        return f"Cut at step {path.lost_step:,}: the loss passed a million times its start."
    end = f"After {len(path.loss) - 1:,} steps the loss is {number(path.loss[-1] / path.loss[0])} times its start."
    return f"Above its limit. {end}" if path.is_unstable else end
