"""Workload deepres: twenty residual layers without normalisation on 8x8 digits, whose first gradients are huge."""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runners.workloads import digits, images
from runners.workloads.deepres_stacked import stacked_loss
from runners.workloads.workload import Workload

WIDTH = 64
DEPTH = 20


def deepres(norm: Literal["none", "pre"] = "none", rezero: bool = False, batch_size: int = 64) -> Workload:
    """Returns the workload.

    Args:
        norm: "pre": LayerNorm before each residual branch.
        rezero: Multiply each residual branch by a learned scalar that starts at 0.
        batch_size: Examples a step.
    """
    data = digits.load(8)
    return Workload(
        make_model=partial(DeepResnet, norm, rezero),
        batches=partial(images.draw_batches, data, batch_size),
        loss=F.cross_entropy,
        evaluate=images.evaluator(data),
        batch_size=batch_size,
        optimizer="momentum",
        max_train_steps=400,
        baseline_loss=images.marginal_entropy(data.labels),
        stacked_loss=partial(stacked_loss, DEPTH, norm),
    )


class Block(nn.Module):
    """x + W relu(x): He initialisation doubles the stream's variance at each block."""

    def __init__(self, norm: str, rezero: bool):
        """Makes the layer."""
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH) if norm == "pre" else nn.Identity()
        self.linear = nn.Linear(WIDTH, WIDTH)
        images.initialize(self.linear, scale=2.0)
        self.branch_scale = nn.Parameter(torch.zeros(1)) if rezero else None

    def forward(self, x: Tensor) -> Tensor:
        """Returns the block's output."""
        y = self.linear(F.relu(self.norm(x)))
        return x + (y if self.branch_scale is None else self.branch_scale * y)


class DeepResnet(nn.Module):
    """An input layer, twenty blocks, ReLU, a head."""

    def __init__(self, norm: str, rezero: bool):
        """Makes the layers."""
        super().__init__()
        self.stem = nn.Linear(64, WIDTH)
        images.initialize(self.stem, scale=2.0)
        self.blocks = nn.Sequential(*(Block(norm, rezero) for _ in range(DEPTH)))
        self.head = nn.Linear(WIDTH, images.NUM_CLASSES)
        images.initialize(self.head, scale=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        return self.head(F.relu(self.blocks(self.stem(x.flatten(1)))))
