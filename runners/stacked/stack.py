"""The stack: runs that take their steps together."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from analysis.clip_rules import ClipRule
from analysis.runlog import schema
from runners.clip_rules import make_clip_rule, make_update_limit
from runners.config import RunConfig
from runners.schedules import Schedule, make_schedule
from runners.stacked.compiled import CompiledSteps
from runners.stacked.copies import ModelCopies
from runners.stacked.steps import StepPlan, Steps
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
    """Runs that take their steps together: row k of every parameter belongs to the k-th member.

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
        self._copies = ModelCopies(self._workload, [models[member.config.seed] for member in self._padded()])
        rule = UPDATE_RULES[configs[0].optimizer](**configs[0].optimizer_options)
        self._steps = (CompiledSteps if compiles else Steps)(self._copies, rule)

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
        plan = StepPlan(
            [member.schedule(step) for member in self.members],
            [member.clip_rule for member in self.members],
            [member.update_limit for member in self.members],
        )
        taken = self._steps.take(*self._draw_batches(step), plan)
        rows = []
        for row, member in enumerate(self.members):
            finite = taken.is_finite(row)
            metrics = {schema.TRAIN_LOSS: taken.losses[row], schema.GRAD_NORM: taken.norms[row]}
            metrics |= {schema.LR: plan.lrs[row]}
            metrics |= {schema.UPDATE_NORM: taken.update_norms[row]} if finite else {}
            clips = finite and member.config.clips_gradient
            rows.append(metrics | ({schema.CLIP_MULTIPLIER: taken.multipliers[row]} if clips else {}))
        return rows

    def _draw_batches(self, step: int) -> tuple[Tensor, Tensor]:
        drawn = {}
        for config in {member.config.seed: member.config for member in self.members}.values():
            drawn[config.seed] = next(self._batches[config.seed], None)
            if drawn[config.seed] is None:
                raise refuse_batches(config, step)
        inputs, targets = zip(*(drawn[member.config.seed] for member in self._padded()), strict=True)
        return torch.stack(inputs), torch.stack(targets)

    def evaluate(self, row: int, step: int) -> dict[str, float]:
        """Returns the evaluation of the member of that row at theta_t, where it is due at step t."""
        due = is_evaluation_due(step, self.members[row].config.total_steps)
        return dict(self._workload.evaluate(self._copies.load(row))) if due else {}

    def advance(self, kept: Sequence[int]) -> None:
        """Applies the update and keeps the members of these rows."""
        self._steps.apply()
        if len(kept) == len(self.members):
            return
        self.members = [self.members[row] for row in kept]
        rows = torch.tensor(self._pad(kept), dtype=torch.long)
        self._steps.select(rows)


def _make_member(index: int, config: RunConfig) -> Member:
    schedule = make_schedule(config.schedule, config.base_lr, config.max_train_steps, config.warmup_steps)
    return Member(index, config, schedule, make_clip_rule(config), make_update_limit(config))
