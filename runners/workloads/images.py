"""What every workload of images in ten classes shares: batches, evaluation, initialisation, the constant predictor."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from analysis.runlog import schema

NUM_CLASSES = 10


class Images(NamedTuple):
    """Training and evaluation set; images [n, channels, size, size], labels [n] int64."""

    images: Tensor
    labels: Tensor
    eval_images: Tensor
    eval_labels: Tensor


def draw_batches(data: Images, batch_size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yields endless batches, drawn with replacement by a generator of their own."""
    generator = torch.Generator().manual_seed(1000 + seed)  # apart from the seeds of initialisation
    while True:
        chosen = torch.randint(len(data.images), (batch_size,), generator=generator)
        yield data.images[chosen], data.labels[chosen]


def evaluator(data: Images) -> Callable[[nn.Module], Mapping[str, float]]:
    """Returns the function that measures loss and error on the evaluation set, in evaluation mode."""

    @torch.no_grad()
    def evaluate(model: nn.Module) -> Mapping[str, float]:
        model.eval()
        logits = model(data.eval_images)
        model.train()
        wrong = logits.argmax(1) != data.eval_labels
        return {
            schema.EVAL_LOSS: F.cross_entropy(logits, data.eval_labels).item(),
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
