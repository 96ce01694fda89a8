"""The loss of stacked copies of charlm, by hand: windows side by side, attention over the windows of all copies."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from runners.stacked.attention import attend
from runners.stacked.layers import Tensors, add_branch, cross_entropy, layer_norm, linear


def stacked_loss(
    norm: str,
    num_heads: int,
    embedding_scale: float,
    parameters: Tensors,
    buffers: Tensors,
    inputs: Tensor,
    targets: Tensor,
) -> Tensor:
    """Returns the losses of the copies; `norm` says where LayerNorm stands, as in the workload."""
    table, positions = parameters["embedding.weight"], parameters["positions"]
    first_rows = table.shape[1] * torch.arange(len(table)).view(-1, 1, 1)
    x = F.embedding(inputs + first_rows, table.flatten(0, 1))
    x = torch.add(positions.unsqueeze(1), x, alpha=embedding_scale).flatten(1, 2)
    mask, block = buffers["causal_mask"][0], 0
    while (name := f"blocks.{block}") + ".qkv.weight" in parameters:
        x = _add(parameters, name, "norm1", norm, x, lambda y, name=name: _attend(parameters, name, num_heads, mask, y))
        x = _add(parameters, name, "norm2", norm, x, lambda y, name=name: _feed_forward(parameters, name, y))
        block += 1
    x = layer_norm(parameters, "last_norm", x) if norm in ("pre", "res_post") else x
    return cross_entropy(linear(parameters, "head", x), targets.flatten(1))


def _add(
    parameters: Tensors, name: str, layer: str, norm: str, x: Tensor, branch: Callable[[Tensor], Tensor]
) -> Tensor:
    y = branch(layer_norm(parameters, f"{name}.{layer}", x) if norm == "pre" else x)
    if norm == "res_post":
        y = layer_norm(parameters, f"{name}.{layer}", y)
    x = add_branch(parameters, name, x, y)
    return layer_norm(parameters, f"{name}.{layer}", x) if norm == "post" else x


def _feed_forward(parameters: Tensors, name: str, x: Tensor) -> Tensor:
    return linear(parameters, f"{name}.ff_out", F.relu_(linear(parameters, f"{name}.ff_in", x)))


def _attend(parameters: Tensors, name: str, num_heads: int, mask: Tensor, x: Tensor) -> Tensor:
    num_copies, _, width = x.shape
    length, head_width = len(mask), width // num_heads
    qkv = linear(parameters, f"{name}.qkv", x).view(-1, length, 3, num_heads, head_width)
    y = attend(qkv, mask)
    return linear(parameters, f"{name}.attention_out", y.reshape(num_copies, -1, width))
