"""The loss of stacked copies of deepres, by hand."""

import torch.nn.functional as F
from torch import Tensor

from runners.stacked.layers import Tensors, add_branch, cross_entropy, layer_norm, linear


def stacked_loss(
    depth: int, norm: str, parameters: Tensors, buffers: Tensors, inputs: Tensor, targets: Tensor
) -> Tensor:
    """Returns the losses of the copies."""
    x = linear(parameters, "stem", inputs.flatten(2))
    for block in range(depth):
        name = f"blocks.{block}"
        y = layer_norm(parameters, f"{name}.norm", x) if norm == "pre" else x
        x = add_branch(parameters, name, x, linear(parameters, f"{name}.linear", F.relu(y)))
    return cross_entropy(linear(parameters, "head", F.relu(x)), targets)
