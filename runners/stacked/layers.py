"""Layers of K copies at once, for the forward passes that are written by hand.

`parameters` holds each parameter of the model by name with the copies in front: [K, ...]. Features are [K, N, width];
images are [N, K channels, height, width], the channels of a copy side by side, so that copies are groups of channels.
"""

from collections.abc import Mapping
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

from runners.stacked.batch_norm import normalize_batch

Tensors = Mapping[str, Tensor]


class _Linear(torch.autograd.Function):
    """W x + b whose gradient of W comes out as W lies in memory: by itself torch gives its transpose, and copies it."""

    @staticmethod
    def forward(ctx: FunctionCtx, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
        ctx.save_for_backward(weight, x)
        ctx.has_bias = bias is not None
        transposed = weight.transpose(1, 2)
        return torch.bmm(x, transposed) if bias is None else torch.baddbmm(bias.unsqueeze(1), x, transposed)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        weight, x = ctx.saved_tensors
        of_bias = gradient.sum(1) if ctx.has_bias else None
        needs_x = ctx.needs_input_grad[2] or torch.compiler.is_compiling()  # a compiler leaves out what is not needed
        return torch.bmm(gradient.transpose(1, 2), x), of_bias, torch.bmm(gradient, weight) if needs_x else None


def linear(parameters: Tensors, name: str, x: Tensor) -> Tensor:
    """Returns W x + b of each copy; x is [K, N, features]. Without a bias among the parameters, W x."""
    return _Linear.apply(parameters[f"{name}.weight"], parameters.get(f"{name}.bias"), x)


def layer_norm(parameters: Tensors, name: str, x: Tensor) -> Tensor:
    """Returns LayerNorm over the last axis; x is [K, N, features]."""
    weight, bias = (parameters[f"{name}.{kind}"].unsqueeze(1) for kind in ("weight", "bias"))
    return torch.addcmul(bias, F.layer_norm(x, x.shape[-1:]), weight)


def add_branch(parameters: Tensors, name: str, x: Tensor, y: Tensor) -> Tensor:
    """Returns x + y, or x + scale y where the block learns a scalar `branch_scale`; x and y are [K, N, features]."""
    scale = parameters.get(f"{name}.branch_scale")
    return x + y if scale is None else torch.addcmul(x, scale.unsqueeze(1), y)


def to_groups(images: Tensor) -> Tensor:
    """Returns [K, N, channels, height, width] as [N, K channels, height, width]."""
    return images.transpose(0, 1).flatten(1, 2)


def from_groups(images: Tensor, num_copies: int) -> Tensor:
    """Returns [N, K channels, height, width] as features [K, N, channels height width]."""
    return images.view(len(images), num_copies, -1).transpose(0, 1)


def conv2d(parameters: Tensors, name: str, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Returns the convolution without bias as a grouped one; x is [N, K channels, height, width]."""
    weight = parameters[f"{name}.weight"]
    if weight.shape[-1] == 1:  # by itself oneDNN is slow at the gradient of a window of one that strides
        x, stride = x[:, :, ::stride, ::stride].contiguous(), 1
    return F.conv2d(x, weight.flatten(0, 1), None, stride, padding, groups=len(weight))


def batch_norm(parameters: Tensors, buffers: Tensors, name: str, x: Tensor) -> Tensor:
    """Returns BatchNorm in training mode and updates its running statistics; x is [N, K channels, height, width]."""
    weight, bias = (parameters[f"{name}.{kind}"].flatten() for kind in ("weight", "bias"))
    mean, var = (buffers[f"{name}.running_{kind}"].view(-1) for kind in ("mean", "var"))
    buffers[f"{name}.num_batches_tracked"].add_(1)
    return normalize_batch(x, weight, bias, mean, var)


def average_pool(x: Tensor, window: int) -> Tensor:
    """Returns the averages over every square window of small images; x is [N, channels, height, width].

    As a product with a matrix: by itself torch goes window by window.
    """
    return x.flatten(2) @ _make_averages(*x.shape[2:], window)


@cache
def _make_averages(height: int, width: int, window: int) -> Tensor:
    """Returns the matrix of averages over windows, shape [height width, number of windows]."""
    positions = torch.eye(height * width).view(-1, 1, height, width)
    return F.avg_pool2d(positions, window, stride=1).flatten(1)


def cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Returns the mean cross-entropy of each copy, [K]; logits are [K, N, classes], targets [K, N]."""
    by_class = logits.transpose(1, 2)  # twice as fast as rows of a few classes
    return F.cross_entropy(by_class, targets, reduction="none", label_smoothing=label_smoothing).mean(1)
