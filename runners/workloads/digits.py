"""Handwritten digits from scikit-learn, and what every digits workload shares."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from analysis.runlog import schema

NUM_CLASSES = 10
NUM_TRAIN = 1437  # of 1797 images; the other 360 are the evaluation set


class Digits(NamedTuple):
    """Training and evaluation set; images [n, 1, size, size] float32, labels [n] int64."""

    images: Tensor
    labels: Tensor
    eval_images: Tensor
    eval_labels: Tensor


@cache
def load(size: int) -> Digits:
    """Returns the digits at `size` x `size` (8, or a multiple: bilinear), standardised, in a fixed order."""
    data = load_digits()
    images = torch.tensor(data.data, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    if size != 8:
        images = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
    images = (images - images.mean()) / images.std()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    images, labels = images[order], torch.tensor(data.target)[order]
    return Digits(images[:NUM_TRAIN], labels[:NUM_TRAIN], images[NUM_TRAIN:], labels[NUM_TRAIN:])


def draw_batches(digits: Digits, batch_size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields endless batches, drawn with replacement by a generator of their own."""
    generator = torch.Generator().manual_seed(1000 + seed)  # apart from the seeds of initialisation
    while True:
        chosen = torch.randint(len(digits.images), (batch_size,), generator=generator)
        yield digits.images[chosen], digits.labels[chosen]


def evaluator(digits: Digits) -> Callable[[nn.Module], Mapping[str, float]]:
    """Returns the function that measures loss and error on the evaluation set, in evaluation mode."""

    @torch.no_grad()
    def evaluate(model: nn.Module) -> Mapping[str, float]:
        model.eval()
        logits = model(digits.eval_images)
        model.train()
        wrong = logits.argmax(1) != digits.eval_labels
        return {
            schema.EVAL_LOSS: F.cross_entropy(logits, digits.eval_labels).item(),
            schema.EVAL_ERROR: wrong.double().mean().item(),
        }

    return evaluate


def marginal_entropy(labels: Tensor, label_smoothing: float = 0.0) -> float:
    """Returns the cross-entropy of the best constant predictor: the entropy of the (smoothed) label frequencies."""
    share = torch.bincount(labels, minlength=NUM_CLASSES).double() / len(labels)
    share = (1 - label_smoothing) * share + label_smoothing / NUM_CLASSES
    return -torch.special.xlogy(share, share).sum().item()


def initialize(layer: nn.Linear | nn.Conv2d, scale: float) -> None:
    """Draws the weights from N(0, scale / fan_in) and sets the bias to 0; scale 2 is He, 1 is LeCun."""
    nn.init.normal_(layer.weight, std=math.sqrt(scale / layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
