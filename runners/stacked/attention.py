"""Causal attention of many small heads at once, with a backward pass of its own."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx


class _Attention(torch.autograd.Function):
    """softmax(q k^T scale + mask) v, heads as [width, length]: rows of a few numbers are slow in products."""

    @staticmethod
    def forward(ctx: FunctionCtx, qkv: Tensor, mask: Tensor) -> Tensor:
        num_windows, length, _, num_heads, width = qkv.shape
        q, k, v = qkv.permute(2, 0, 3, 4, 1).reshape(3, num_windows * num_heads, width, length)
        weights = torch.baddbmm(mask, q.transpose(1, 2), k, alpha=width**-0.5).softmax(-1)
        ctx.save_for_backward(q, k, v, weights)
        y = torch.bmm(v, weights.transpose(1, 2))
        return y.view(num_windows, num_heads, width, length).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        q, k, v, weights = ctx.saved_tensors
        num_windows, length, num_heads, width = gradient.shape
        of_y = gradient.permute(0, 2, 3, 1).reshape(-1, width, length)
        of_weights = torch.bmm(of_y.transpose(1, 2), v)
        along = torch.linalg.vecdot(of_weights, weights).unsqueeze(-1)
        of_scores = of_weights.sub_(along).mul_(weights).mul_(width**-0.5)
        of_q, of_k = torch.bmm(k, of_scores.transpose(1, 2)), torch.bmm(q, of_scores)
        of_qkv = torch.stack((of_q, of_k, torch.bmm(of_y, weights)))
        return of_qkv.view(3, num_windows, num_heads, width, length).permute(1, 4, 0, 2, 3), None


def attend(qkv: Tensor, mask: Tensor) -> Tensor:
    """Returns softmax(q k^T / sqrt(width) + mask) v of every head.

    Args:
        qkv: Shape [windows, length, 3, heads, width].
        mask: Added to the scores, shape [length, length].

    Returns:
        Shape [windows, length, heads, width].
    """
    return _Attention.apply(qkv, mask)
