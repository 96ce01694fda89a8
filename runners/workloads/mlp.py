"""Workload mlp: a plain multilayer perceptron on 8x8 digits; under a millisecond a step."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from runners.workloads import digits, images
from runners.workloads.mlp_stacked import stacked_loss
from runners.workloads.workload import Workload


def mlp(
    depth: int = 3,
    width: int = 64,
    norm: Literal["none", "layer"] = "none",
    label_smoothing: float = 0.0,
    bad_batch: int = 0,
    batch_size: int = 64,
) -> Workload:
    """Returns the workload.

    Args:
        depth: Hidden layers after the input layer.
        width: Units of each layer.
        norm: "layer": LayerNorm before each ReLU of the hidden layers.
        label_smoothing: Share of each target spread over all classes.
        bad_batch: Step whose batch is corrupted (pixels x3, labels shuffled); 0 for none.
        batch_size: Examples a step.
    """
    data = digits.load(8)
    return Workload(
        make_model=partial(_make_model, depth, width, norm),
        batches=partial(_draw_batches, data, batch_size, bad_batch),
        loss=partial(F.cross_entropy, label_smoothing=label_smoothing),
        evaluate=images.evaluator(data),
        batch_size=batch_size,
        optimizer="adam",
        max_train_steps=500,
        baseline_loss=images.marginal_entropy(data.labels, label_smoothing),
        stacked_loss=partial(stacked_loss, depth, norm, label_smoothing),
    )


def _make_model(depth: int, width: int, norm: str) -> nn.Module:
    layers = [nn.Flatten(), nn.Linear(64, width)]
    for _ in range(depth):
        layers.append(nn.Linear(width, width))
        if norm == "layer":
            layers.append(nn.LayerNorm(width))
        layers.append(nn.ReLU())
    head = nn.Linear(width, images.NUM_CLASSES)
    for layer in layers:
        if isinstance(layer, nn.Linear):
            images.initialize(layer, scale=2.0)
    images.initialize(head, scale=1.0)
    return nn.Sequential(*layers, head)


def _draw_batches(data: images.Images, batch_size: int, bad_batch: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    shuffle = torch.Generator().manual_seed(2000 + seed)
    for step, (pixels, labels) in enumerate(images.draw_batches(data, batch_size, seed)):
        if bad_batch and step == bad_batch:
            yield pixels * 3, labels[torch.randperm(len(labels), generator=shuffle)]
        else:
            yield pixels, labels
