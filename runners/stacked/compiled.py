"""The step of a stack as one compiled program: what `runners.stacked.steps` does, with few tensors on the way."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from analysis.clip_rules import GlobalNorm
from runners.gradients import finish_norms, sum_squares
from runners.stacked.copies import ModelCopies, join
from runners.stacked.steps import StepPlan, Steps, Taken, column, find_multipliers
from runners.update_rules import UpdateRule


class Results(NamedTuple):
    """What the program returns; gradient and delta are [K, number of parameters], multipliers [K, 1], the rest [K]."""

    losses: Tensor
    gradient: Tensor
    squares: Tensor
    multipliers: Tensor
    delta: Tensor
    state: Any
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
        self._state = type(self._state)(*map(_to_tensor, self._state))
        self._program = torch.compile(self._run, dynamic=False, fullgraph=True)

    def take(self, inputs: Tensor, targets: Tensor, plan: StepPlan) -> Taken:
        """Does what `Steps.take` does.

        Raises:
            RuntimeError: Where a clip rule knows its threshold only when it has seen the norm.
        """
        theta = self._copies.theta
        thresholds, rates = column(_read_thresholds(plan), theta), column(plan.lrs, theta)
        got = self._program(theta, self._copies.constants, self._state, rates, thresholds, inputs, targets)
        losses = got.losses.tolist()
        norms = finish_norms(got.squares.tolist(), got.gradient)
        multipliers = find_multipliers(losses, norms, plan)
        clipped_by = got.multipliers.flatten().tolist()
        if not all(math.isclose(*pair, rel_tol=1e-3) for pair in zip(multipliers, clipped_by, strict=False)):
            return Taken(losses, norms, multipliers, self._update(got.gradient, multipliers, plan))
        self._state = got.state
        update_norms = finish_norms(got.delta_squares.tolist(), got.delta)
        return Taken(losses, norms, multipliers, self._limit(got.delta, update_norms, plan.limits))

    def _run(
        self,
        theta: Tensor,
        constants: Mapping[str, Tensor],
        state: Any,
        rates: Tensor,
        thresholds: Tensor,
        inputs: Tensor,
        targets: Tensor,
    ) -> Results:
        def sum_losses(parameters: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
            losses = self._copies.losses(parameters, constants, inputs, targets)
            return losses.sum(), losses

        by_name, losses = torch.func.grad(sum_losses, has_aux=True)(self._copies.split(theta))
        gradient = join(list(by_name.values()))
        squares = sum_squares(gradient)
        multipliers = (thresholds * squares.rsqrt().unsqueeze(1)).clamp(max=1.0)
        delta, state = self._rule.update(gradient * multipliers, state, rates)
        return Results(losses, gradient, squares, multipliers, delta, state, sum_squares(delta))


def _read_thresholds(plan: StepPlan) -> list[float]:
    unknown = [rule for rule in plan.clip_rules if not isinstance(rule, GlobalNorm)]
    if unknown:
        raise RuntimeError(f"its clip rule {type(unknown[0]).__name__} must see a norm before it knows its threshold.")
    return [rule.clip_threshold for rule in plan.clip_rules]


def _to_tensor(value: Tensor | int) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
