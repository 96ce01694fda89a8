"""A workload as a user writes it."""

import itertools
from dataclasses import replace

import torch
from torch import nn

from runners.workloads import Workload


def tiny(width: int = 2, num_batches: int = 0) -> Workload:
    """Returns a linear regression; its batches end after `num_batches` where that is not 0."""

    def batches(seed):
        generator = torch.Generator().manual_seed(seed)
        endless = ((x, x.sum(1, keepdim=True)) for x in iter(lambda: torch.randn(4, width, generator=generator), None))
        return itertools.islice(endless, num_batches or None)

    return Workload(
        make_model=lambda: nn.Linear(width, 1),
        batches=batches,
        loss=nn.functional.mse_loss,
        evaluate=lambda model: {"eval_loss": model.weight.detach().sub(1).square().sum().item()},
        batch_size=4,
        optimizer="sgd",
        max_train_steps=30,
        baseline_loss=float(width),
    )


def not_a_workload():
    """Returns something else."""
    return "a model"


def normalized(dropout: float = 0.0) -> Workload:
    """Returns a network with BatchNorm, whose evaluation shows the running statistics, and maybe with dropout."""

    def make_model():
        return nn.Sequential(
            nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(dropout) if dropout else nn.ReLU(), nn.Linear(4, 1)
        )

    def evaluate(model):
        return {"running_mean": model[1].running_mean[0].item(), "num_tracked": model[1].num_batches_tracked.item()}

    return replace(tiny(width=3), make_model=make_model, evaluate=evaluate)


class Scaled(nn.Module):
    """A line whose scale is a number of its own, not a tensor of one."""

    def __init__(self):
        """Starts at a scale of 2."""
        super().__init__()
        self.line, self.scale = nn.Linear(2, 1), nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        """Returns the scaled line."""
        return self.scale * self.line(x)


def scaled() -> Workload:
    """Returns a linear regression with a scale."""
    return replace(tiny(), make_model=Scaled, evaluate=lambda model: {"scale": model.scale.item()})


def of_two_types() -> Workload:
    """Returns a linear regression that is half in double precision, which no flat buffer holds."""
    return replace(tiny(), make_model=lambda: nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1).double()))
