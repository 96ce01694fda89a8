"""The stack: runs that take their steps together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analysis.clip_rules import ClipRule
from analysis.runlog import schema
from runners.clip_rules import make_clip_rule, make_update_limit
from runners.config import RunConfig
from runners.gradients import row_norms
from runners.schedules import Schedule, make_schedule
from runners.stacked.copies import ModelCopies
from runners.train import describe_start, is_evaluation_due, make_reproducible, refuse_batches
from runners.update_rules import UPDATE_RULES
from runners.workloads import make_workload


@dataclass(frozen=True)
class Member:
    """A run of the stack.

    Attributes:
        index: Its place among the runs that the stack began with.
        config: What it trains.
        schedule: Its learning rate.
        clip_rule: Its clipping of gradients.
        update_limit: Its limit of updates.
    """

    index: int
    config: RunConfig
    schedule: Schedule
    clip_rule: ClipRule
    update_limit: ClipRule


class Stack:
    """Runs that take their steps together: row k of every matrix belongs to the k-th member.

    A member's numbers depend neither on the others nor on how many there are, so members may leave at any step. There
    are always two rows at least, because a convolution of one copy is another program, and in a compiled stack as many
    as there were: the last member has doubles.

    Attributes:
        members: The runs that are left.
    """

    def __init__(self, configs: Sequence[RunConfig], compiles: bool = False):
        """Takes configurations of one `stack_key`, and whether their passes are compiled."""
        self.members = [_make_member(index, config) for index, config in enumerate(configs)]
        self._least_rows = max(2, len(configs) if compiles else 2)  # another number of rows would be compiled anew
        self._workload = make_workload(configs[0].workload, configs[0].variant)
        models, self._batches = {}, {}
        for seed in dict.fromkeys(config.seed for config in configs):
            make_reproducible(seed)
            models[seed] = self._workload.make_model().train()
            self._batches[seed] = self._workload.batches(seed)
        self._copies = ModelCopies(self._workload, [models[member.config.seed] for member in self._padded()], compiles)
        self._rule = UPDATE_RULES[configs[0].optimizer](**configs[0].optimizer_options)
        self._state = self._rule.init(self._copies.theta)
        self._delta = torch.zeros_like(self._copies.theta)

    def _padded(self) -> list[Member]:
        return self._pad(self.members)

    def _pad(self, rows: Sequence) -> list:
        """Returns the rows with as many doubles of the last as are missing."""
        return [*rows, *[rows[-1]] * (self._least_rows - len(rows))]

    def describe(self) -> list[dict[str, float]]:
        """Returns for each member the facts that are known before step 0; runs of one seed start alike."""
        rows = {member.config.seed: row for row, member in enumerate(self.members)}
        facts = {seed: describe_start(self._copies.load(row), self._workload, seed) for seed, row in rows.items()}
        return [facts[member.config.seed] for member in self.members]

    def measure(self, step: int) -> list[dict[str, float]]:
        """Returns row t of each member, all but the evaluation, and prepares the update to theta_{t+1}.

        A row without `update_norm` is that of a step whose loss or gradient is not finite.
        """
        losses, gradient = self._copies.differentiate(*self._draw_batches(step))
        norms, members = row_norms(gradient), self._padded()
        lrs = [member.schedule(step) for member in members]
        finite = [math.isfinite(loss) and math.isfinite(norm) for loss, norm in zip(losses, norms, strict=True)]
        multipliers = [
            member.clip_rule.multiplier(norm) if is_finite else 1.0
            for member, norm, is_finite in zip(members, norms, finite, strict=True)
        ]
        update_norms = self._prepare_update(self._multiply(gradient, multipliers), lrs)
        rows = []
        for row, member in enumerate(self.members):
            metrics = {schema.TRAIN_LOSS: losses[row], schema.GRAD_NORM: norms[row], schema.LR: lrs[row]}
            metrics |= {schema.UPDATE_NORM: update_norms[row]} if finite[row] else {}
            clips = finite[row] and member.config.clips_gradient
            rows.append(metrics | ({schema.CLIP_MULTIPLIER: multipliers[row]} if clips else {}))
        return rows

    def _prepare_update(self, gradient: Tensor, lrs: Sequence[float]) -> list[float]:
        """Computes theta_{t+1} - theta_t and the next state; returns the norms of the rows."""
        delta, self._state = self._rule.update(gradient, self._state, self._column(lrs))
        norms = row_norms(delta)
        limits = [member.update_limit.multiplier(norm) for member, norm in zip(self._padded(), norms, strict=True)]
        self._delta = self._multiply(delta, limits)
        return [norm * limit for norm, limit in zip(norms, limits, strict=True)]

    def _multiply(self, matrix: Tensor, multipliers: Sequence[float]) -> Tensor:
        return matrix if all(number == 1 for number in multipliers) else matrix * self._column(multipliers)

    def _draw_batches(self, step: int) -> tuple[Tensor, Tensor]:
        drawn = {}
        for config in {member.config.seed: member.config for member in self.members}.values():
            drawn[config.seed] = next(self._batches[config.seed], None)
            if drawn[config.seed] is None:
                raise refuse_batches(config, step)
        inputs, targets = zip(*(drawn[member.config.seed] for member in self._padded()), strict=True)
        return torch.stack(inputs), torch.stack(targets)

    def _column(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=self._copies.theta.dtype).unsqueeze(1)

    def evaluate(self, row: int, step: int) -> dict[str, float]:
        """Returns the evaluation of the member of that row at theta_t, where it is due at step t."""
        due = is_evaluation_due(step, self.members[row].config.total_steps)
        return dict(self._workload.evaluate(self._copies.load(row))) if due else {}

    def advance(self, kept: Sequence[int]) -> None:
        """Applies the update and keeps the members of these rows."""
        self._copies.theta += self._delta
        if len(kept) == len(self.members):
            return
        self.members = [self.members[row] for row in kept]
        rows = torch.tensor(self._pad(kept), dtype=torch.long)
        self._copies.select(rows)
        state = (value[rows] if isinstance(value, Tensor) else value for value in self._state)
        self._state = type(self._state)(*state)


def _make_member(index: int, config: RunConfig) -> Member:
    schedule = make_schedule(config.schedule, config.base_lr, config.max_train_steps, config.warmup_steps)
    return Member(index, config, schedule, make_clip_rule(config), make_update_limit(config))
