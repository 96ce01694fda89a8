"""The training loop: measure at theta_t, write row t, then act."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Protocol

import torch
from torch import nn

from analysis.runlog import RunLogError, schema
from runners.config import RunConfig
from runners.gradients import clip_by_global_norm, flatten_parameters, global_norm
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
    facts = {schema.BATCH_SIZE: workload.batch_size, schema.BASELINE_LOSS: workload.baseline_loss}
    writer.update(**facts | measure_initial_loss(model, workload, config.seed))
    status = _take_steps(config, workload, model, writer, on_step or (lambda step: None))
    writer.finish(status)
    return status


def make_reproducible(seed: int) -> None:
    """Seeds torch and pins what makes the same program give other numbers: the number of threads."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # a dead network's momentum decays into denormals, which are slow
    torch.manual_seed(seed)


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
    rule = UPDATE_RULES[config.optimizer](**config.optimizer_options)
    state = rule.init(theta)
    schedule = make_schedule(config.schedule, config.base_lr, config.max_train_steps, config.warmup_steps)
    step = -1
    for step, (inputs, targets) in zip(range(total), workload.batches(config.seed), strict=False):
        gradient.zero_()
        loss = workload.loss(model(inputs), targets)
        loss.backward()
        lr, norm = schedule(step), global_norm(gradient)
        row = {schema.TRAIN_LOSS: loss.item(), schema.GRAD_NORM: norm, schema.LR: lr}
        row |= _evaluate(workload, model, step, total)
        finite = math.isfinite(row[schema.TRAIN_LOSS]) and math.isfinite(norm)
        if finite:
            delta, state = rule.update(clip_by_global_norm(gradient, norm, config.clip_threshold), state, lr)
            row[schema.UPDATE_NORM] = global_norm(delta)
        writer.step(step, **row, **{schema.ELAPSED_SECONDS: time.perf_counter() - started})
        on_step(step)
        if not finite:
            return "diverged"
        theta.add_(delta)
    if step + 1 < total:
        raise RunLogError(
            f"workload {config.workload} gave {step + 1} batches, {total} are needed. Make batches endless"
        )
    return "finished"


def _evaluate(workload: Workload, model: nn.Module, step: int, total: int) -> Mapping[str, float]:
    due = step % max(1, total // EVALUATIONS) == 0 or step == total - 1
    return workload.evaluate(model) if due else {}
