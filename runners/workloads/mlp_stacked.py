"""The loss of stacked copies of the mlp, by hand."""

import torch.nn.functional as F
from torch import Tensor

from runners.stacked.layers import Tensors, cross_entropy, layer_norm, linear


def stacked_loss(
    depth: int,
    norm: str,
    label_smoothing: float,
    parameters: Tensors,
    buffers: Tensors,
    inputs: Tensor,
    targets: Tensor,
) -> Tensor:
    """Returns the losses of the copies; layers are numbered as in the model's `nn.Sequential`."""
    x = linear(parameters, "1", inputs.flatten(2))
    layers_a_block = 3 if norm == "layer" else 2
    for block in range(depth):
        first = 2 + block * layers_a_block
        x = linear(parameters, f"{first}", x)
        if norm == "layer":
            x = layer_norm(parameters, f"{first + 1}", x)
        x = F.relu_(x)
    logits = linear(parameters, f"{2 + depth * layers_a_block}", x)
    return cross_entropy(logits, targets, label_smoothing)
