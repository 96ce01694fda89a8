"""The step of a stack: losses, gradients, norms, clipping and update of all copies."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from analysis.clip_rules import ClipRule
from runners.gradients import row_norms
from runners.stacked.copies import ModelCopies
from runners.update_rules import UpdateRule


class StepPlan(NamedTuple):
    """What each copy is to do in a step: its learning rate, its clipping of gradients and its limit of updates."""

    lrs: Sequence[float]
    clip_rules: Sequence[ClipRule]
    limits: Sequence[ClipRule]


class Taken(NamedTuple):
    """What became of each copy in a step; multipliers are 1 and update norms mean nothing where it is not finite."""

    losses: list[float]
    norms: list[float]
    multipliers: list[float]
    update_norms: list[float]

    def is_finite(self, row: int) -> bool:
        """Returns whether loss and gradient of a copy are."""
        return math.isfinite(self.losses[row]) and math.isfinite(self.norms[row])


class Steps:
    """The steps of copies of a model.

    A rule works elementwise, so the numbers of a copy depend neither on the others nor on the order of parameters.
    A plan that is shorter than the number of copies is continued with its last entry: those copies are doubles.
    """

    def __init__(self, copies: ModelCopies, rule: UpdateRule):
        """Starts from theta_0, that of the copies."""
        self._copies, self._rule = copies, rule
        self._state, self._delta = rule.init(copies.theta), torch.zeros_like(copies.theta)

    def take(self, inputs: Tensor, targets: Tensor, plan: StepPlan) -> Taken:
        """Measures at theta_t, and computes the next state and theta_{t+1} - theta_t, which `apply` adds.

        Args:
            inputs: Batches, shape [K, N, ...].
            targets: Their targets, shape [K, N, ...].
            plan: What each copy is to do.
        """
        losses, gradient = self._copies.differentiate(inputs, targets)
        norms = row_norms(gradient)
        multipliers = find_multipliers(losses, norms, plan)
        return Taken(losses, norms, multipliers, self._update(gradient, multipliers, plan))

    def _update(self, gradient: Tensor, multipliers: Sequence[float], plan: StepPlan) -> list[float]:
        rates = column(plan.lrs, gradient)
        delta, self._state = self._rule.update(_multiply(gradient, multipliers), self._state, rates)
        return self._limit(delta, row_norms(delta), plan.limits)

    def _limit(self, delta: Tensor, norms: Sequence[float], limits: Sequence[ClipRule]) -> list[float]:
        """Keeps the update, scaled down where a limit says so; returns its norms, those of doubles left out."""
        shares = [limit.multiplier(norm) for limit, norm in zip(limits, norms, strict=False)]
        self._delta = _multiply(delta, shares)
        return [norm * share for norm, share in zip(norms, shares, strict=False)]

    def apply(self) -> None:
        """Adds the update."""
        self._copies.theta.add_(self._delta)

    def select(self, rows: Tensor) -> None:
        """Keeps these copies, and their state."""
        self._copies.select(rows)
        self._state = type(self._state)(*(_select(value, rows) for value in self._state))


def _select(value: Tensor | int, rows: Tensor) -> Tensor | int:
    return value[rows] if isinstance(value, Tensor) and value.dim() else value


def find_multipliers(losses: Sequence[float], norms: Sequence[float], plan: StepPlan) -> list[float]:
    """Returns what clipping multiplies the gradient of each copy by; a rule sees finite norms only."""
    return [
        rule.multiplier(norm) if math.isfinite(norm) and math.isfinite(loss) else 1.0
        for rule, norm, loss in zip(plan.clip_rules, norms, losses, strict=False)
    ]


def _multiply(vectors: Tensor, multipliers: Sequence[float]) -> Tensor:
    return vectors if all(number == 1 for number in multipliers) else vectors * column(multipliers, vectors)


def column(values: Sequence[float], like: Tensor) -> Tensor:
    """Returns one number a copy, shape [K, 1]; the last stands for the doubles too."""
    return torch.tensor([*values, *[values[-1]] * (len(like) - len(values))], dtype=like.dtype).unsqueeze(1)
