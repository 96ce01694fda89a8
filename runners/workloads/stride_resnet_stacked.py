"""The loss of stacked copies of the stride_resnet, by hand: convolutions in groups, one group a copy."""

import torch.nn.functional as F
from torch import Tensor

from runners.stacked.layers import (
    Tensors,
    average_pool,
    batch_norm,
    conv2d,
    cross_entropy,
    from_groups,
    linear,
    to_groups,
)


def stacked_loss(
    strides: tuple[int, ...],
    pool_window: int,
    parameters: Tensors,
    buffers: Tensors,
    inputs: Tensor,
    targets: Tensor,
) -> Tensor:
    """Returns the losses of the copies; `strides` are those of the blocks."""
    x = conv2d(parameters, "stem", to_groups(inputs), padding=1)
    for block, stride in enumerate(strides):
        x = _block(parameters, buffers, f"blocks.{block}", x, stride)
    x = F.relu_(batch_norm(parameters, buffers, "norm", x))
    x = from_groups(average_pool(x, pool_window), len(inputs))
    return cross_entropy(linear(parameters, "head", x), targets)


def _block(parameters: Tensors, buffers: Tensors, name: str, x: Tensor, stride: int) -> Tensor:
    y = F.relu_(batch_norm(parameters, buffers, f"{name}.norm1", x))
    if f"{name}.shortcut.weight" in parameters:
        x = conv2d(parameters, f"{name}.shortcut", y, stride)
    y = conv2d(parameters, f"{name}.conv1", y, stride, padding=1)
    y = F.relu_(batch_norm(parameters, buffers, f"{name}.norm2", y))
    return x + conv2d(parameters, f"{name}.conv2", y, padding=1)
