"""BatchNorm in training mode over channels of many copies, with a forward pass of its own.

By itself torch takes the statistics of a channel image by image, number by number. Here sums over the batch are taken
position by position, through all channels at once, and joined afterwards.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx

EPS = 1e-5  # that of nn.BatchNorm2d, as is the momentum
MOMENTUM = 0.1


class _BatchNorm(torch.autograd.Function):
    """(x - mean) / sqrt(var + eps) weight + bias; x is [N, channels, height, width], the rest [channels]."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor
    ) -> Tensor:
        size = x[:, 0].numel()
        of_position = x.mean(0)
        mean = of_position.mean((1, 2))
        centered = x - of_position
        within = torch.linalg.vecdot(centered, centered, dim=0).sum((1, 2))
        between = len(x) * (of_position - mean.view(-1, 1, 1)).square().sum((1, 2))
        var = (within + between) / size
        running_mean.lerp_(mean, MOMENTUM)
        running_var.lerp_(var * (size / (size - 1)), MOMENTUM)
        ctx.save_for_backward(x, weight, mean, torch.rsqrt(var + EPS))
        return F.batch_norm(x, mean, var, weight, bias, training=False, eps=EPS)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, weight, mean, rstd = ctx.saved_tensors
        needed = [True, True, True]
        of_all = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, None, None, mean, rstd, True, EPS, needed
        )
        return *of_all, None, None


def normalize_batch(x: Tensor, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor) -> Tensor:
    """Returns BatchNorm of x and updates the running statistics.

    Args:
        x: Shape [N, channels, height, width].
        weight: Shape [channels].
        bias: Shape [channels].
        running_mean: Shape [channels].
        running_var: Shape [channels].
    """
    return _BatchNorm.apply(x, weight, bias, running_mean, running_var)
