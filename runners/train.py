"""The training loop: measure at theta_t, write row t, then act."""

import copy
import math
import time
from collections.abc import Callable
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor, nn

from analysis.runlog import RunLogError, schema
from runners.clip_rules import make_clip_rule, make_update_limit
from runners.config import RunConfig
from runners.gradients import flatten_parameters, global_norm, multiply
from runners.schedules import make_schedule
from runners.update_rules import UPDATE_RULES
from runners.workloads import Workload, make_workload

INIT_BATCHES = 8  # ours: enough for a mean and a spread of the loss at initialisation
EVALUATIONS = 10  # ours: evaluations a run, besides the last


class Writer(Protocol):
    """What `train` needs of a run writer."""

    def step(self, step: int, **metrics: float) -> None:
        """Writes row `step`."""

    def update(self, **fields: object) -> None:
        """Adds fields to the run record."""

    def finish(self, status: str) -> None:
        """Ends the run."""


def train(config: RunConfig, writer: Writer, on_step: Callable[[int], None] | None = None) -> str:
    """Trains one configuration and logs every step.

    Row t holds loss, gradient norm (before clipping) and evaluation at theta_t, and the learning rate and norm of the
    update to theta_{t+1}. It is written before that update is applied, so the step that diverges is on record, as the
    last row and without an update.

    Args:
        config: What to train.
        writer: Where rows and facts go.
        on_step: Called with each step after its row is written; an exception from it interrupts the run.

    Returns:
        "finished", or "diverged" after a non-finite loss or gradient.

    Raises:
        RunLogError: Where the workload's batches end early.
    """
    make_reproducible(config.seed)
    workload = make_workload(config.workload, config.variant)
    model = workload.make_model().train()
    writer.update(**describe_start(model, workload, config.seed))
    status = _take_steps(config, workload, model, writer, on_step or (lambda step: None))
    writer.finish(status)
    return status


def make_reproducible(seed: int) -> None:
    """Seeds torch and pins what makes the same program give other numbers: the number of threads."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # a dead network's momentum decays into denormals, which are slow
    torch.manual_seed(seed)


def describe_start(model: nn.Module, workload: Workload, seed: int) -> dict[str, float]:
    """Returns the facts of the run record that are known before step 0."""
    facts = {schema.BATCH_SIZE: workload.batch_size, schema.BASELINE_LOSS: workload.baseline_loss}
    return facts | measure_initial_loss(model, workload, seed)


@torch.no_grad()
def measure_initial_loss(model: nn.Module, workload: Workload, seed: int) -> dict[str, float]:
    """Returns mean and standard deviation of the training loss at theta_0 over the first batches.

    In training mode, on a copy: running statistics, random numbers and data order of the training stay untouched.
    """
    with torch.random.fork_rng(devices=[]):
        probe = copy.deepcopy(model)
        batches = islice(workload.batches(seed), INIT_BATCHES)
        losses = torch.stack([workload.loss(probe(inputs), targets) for inputs, targets in batches]).double()
    return {schema.INIT_LOSS_MEAN: losses.mean().item(), schema.INIT_LOSS_SD: losses.std().item()}


def _take_steps(
    config: RunConfig, workload: Workload, model: nn.Module, writer: Writer, on_step: Callable[[int], None]
) -> str:
    total, started = config.total_steps, time.perf_counter()
    theta, gradient = flatten_parameters(model)
    updates = ClippedUpdates(config, theta)
    schedule = make_schedule(config.schedule, config.base_lr, config.max_train_steps, config.warmup_steps)
    step = -1
    for step, (inputs, targets) in zip(range(total), workload.batches(config.seed), strict=False):
        gradient.zero_()
        loss = workload.loss(model(inputs), targets)
        loss.backward()
        lr, norm = schedule(step), global_norm(gradient)
        row = {schema.TRAIN_LOSS: loss.item(), schema.GRAD_NORM: norm, schema.LR: lr}
        row |= workload.evaluate(model) if is_evaluation_due(step, total) else {}
        finite = math.isfinite(row[schema.TRAIN_LOSS]) and math.isfinite(norm)
        if finite:
            delta, columns = updates.next(gradient, norm, lr)
            row |= columns
        writer.step(step, **row, **{schema.ELAPSED_SECONDS: time.perf_counter() - started})
        on_step(step)
        if not finite:
            return "diverged"
        theta.add_(delta)
    if step + 1 < total:
        raise refuse_batches(config, step + 1)
    return "finished"


def refuse_batches(config: RunConfig, num_batches: int) -> RunLogError:
    """Returns the error of a workload whose batches ended early."""
    return RunLogError(
        f"workload {config.workload} gave {num_batches} batches, {config.total_steps} are needed. Make batches endless"
    )


class ClippedUpdates:
    """The update rule of one training, with clipping before and after it."""

    def __init__(self, config: RunConfig, theta: Tensor):
        """Starts from theta_0."""
        self._rule = UPDATE_RULES[config.optimizer](**config.optimizer_options)
        self._state = self._rule.init(theta)
        self._clip_rule, self._limit = make_clip_rule(config), make_update_limit(config)
        self._clips_gradient = config.clips_gradient

    def next(self, gradient: Tensor, norm: float, lr: float) -> tuple[Tensor, dict[str, float]]:
        """Returns theta_{t+1} - theta_t, and the columns of row t that say how it came about.

        A step that the clip rule skips leaves parameters and state of the update rule as they are.
        """
        multiplier = self._clip_rule.multiplier(norm)
        if multiplier == 0:
            delta = torch.zeros_like(gradient)
        else:
            delta, self._state = self._rule.update(multiply(gradient, multiplier), self._state, lr)
        update_norm = global_norm(delta)
        limit = self._limit.multiplier(update_norm)
        columns = {schema.CLIP_MULTIPLIER: multiplier} if self._clips_gradient else {}
        return multiply(delta, limit), {schema.UPDATE_NORM: update_norm * limit} | columns


def is_evaluation_due(step: int, total: int) -> bool:
    """Returns whether step t of a run is one of those at which it is evaluated."""
    return step % max(1, total // EVALUATIONS) == 0 or step == total - 1
