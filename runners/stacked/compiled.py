"""The step of a stack as one compiled program: what `runners.stacked.steps` does, with few tensors on the way."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from analysis.clip_rules import GlobalNorm
from runners.gradients import finish_norms, sum_squares
from runners.stacked.copies import ModelCopies
from runners.stacked.steps import StepPlan, Steps, Taken, align, column, find_multipliers
from runners.update_rules import UpdateRule


class Results(NamedTuple):
    """What the program returns; lists hold one tensor a parameter, [K, ...], the rest is [K]."""

    losses: Tensor
    gradient: list[Tensor]
    squares: Tensor
    multipliers: Tensor
    delta: list[Tensor]
    states: list[Any]
    delta_squares: Tensor


class CompiledSteps(Steps):
    """`Steps` in one program, which is compiled once for a number of copies.

    Whatever changes from step to step is a tensor there, the step that a state counts included. The program clips by
    a threshold that is known before the step; the norms that are logged, and so the multipliers, are made from its
    sums as `row_norms` makes them. Where it clipped by others, because a sum of squares had no place in its type, the
    update is made anew.
    """

    def __init__(self, copies: ModelCopies, rule: UpdateRule):
        """Starts from theta_0.

        Raises:
            RuntimeError: Where a compiled pass would lose statistics that the model keeps, as BatchNorm does.
        """
        super().__init__(copies, rule)
        if copies.keeps_statistics:
            raise RuntimeError("its BatchNorm keeps running statistics, which a compiled pass would lose.")
        self._states = [type(state)(*map(_to_tensor, state)) for state in self._states]
        self._program = torch.compile(self._run, dynamic=False, fullgraph=True)

    def take(self, inputs: Tensor, targets: Tensor, plan: StepPlan) -> Taken:
        """Does what `Steps.take` does.

        Raises:
            RuntimeError: Where a clip rule knows its threshold only when it has seen the norm.
        """
        theta = {name: value.detach() for name, value in self._copies.theta.items()}
        like = next(iter(theta.values()))
        thresholds = column(_read_thresholds(plan), like)
        rates = column(plan.lrs, like)
        got = self._program(theta, self._copies.constants, self._states, rates, thresholds, inputs, targets)
        losses = got.losses.tolist()
        norms = finish_norms(got.squares.tolist(), got.gradient)
        multipliers = find_multipliers(losses, norms, plan)
        clipped_by = got.multipliers.tolist()
        if not all(math.isclose(*pair, rel_tol=1e-3) for pair in zip(multipliers, clipped_by, strict=False)):
            return Taken(losses, norms, multipliers, self._update(got.gradient, multipliers, plan))
        self._states = got.states
        update_norms = finish_norms(got.delta_squares.tolist(), got.delta)
        return Taken(losses, norms, multipliers, self._limit(got.delta, update_norms, plan.limits))

    def _run(
        self,
        theta: Mapping[str, Tensor],
        constants: Mapping[str, Tensor],
        states: Sequence[Any],
        rates: Tensor,
        thresholds: Tensor,
        inputs: Tensor,
        targets: Tensor,
    ) -> Results:
        def sum_losses(theta: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
            losses = self._copies.losses(theta, constants, inputs, targets)
            return losses.sum(), losses

        by_name, losses = torch.func.grad(sum_losses, has_aux=True)(theta)
        gradient = [value.contiguous() for value in by_name.values()]  # states laid out anew would be compiled anew
        squares = sum_squares(gradient)
        multipliers = (thresholds * squares.rsqrt()).clamp(max=1.0)
        updates = [
            self._rule.update(g * align(multipliers, g), state, align(rates, g))
            for g, state in zip(gradient, states, strict=True)
        ]
        delta, states = (list(part) for part in zip(*updates, strict=True))
        return Results(losses, gradient, squares, multipliers, delta, states, sum_squares(delta))


def _read_thresholds(plan: StepPlan) -> list[float]:
    unknown = [rule for rule in plan.clip_rules if not isinstance(rule, GlobalNorm)]
    if unknown:
        raise RuntimeError(f"its clip rule {type(unknown[0]).__name__} must see a norm before it knows its threshold.")
    return [rule.clip_threshold for rule in plan.clip_rules]


def _to_tensor(value: Tensor | int) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
