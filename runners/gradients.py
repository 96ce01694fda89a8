"""Flat buffers of parameters and gradients, and the norm of the whole gradient."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from analysis.runlog import RunLogError


def flatten_parameters(model: nn.Module) -> tuple[Tensor, Tensor]:
    """Moves all parameters and gradients of a model into two flat buffers, of which the model's own become views.

    One dot product then gives the norm of the full gradient, and one elementwise rule updates every parameter. Clear
    the gradient with `gradient.zero_()`: setting gradients to None would cut the views.

    Args:
        model: Any model with at least one parameter, all of one floating-point type.

    Returns:
        theta and gradient, both of shape [number of parameters]; the gradient starts at 0.

    Raises:
        RunLogError: Where there are no parameters, or parameters of several types or devices.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    kinds = {f"{parameter.dtype} on {parameter.device}" for parameter in parameters}
    if len(kinds) != 1:
        found = " and ".join(sorted(kinds)) or "no trainable parameters"
        raise RunLogError(f"the model has {found}. The update rules need parameters of one type: convert the model")
    theta = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
    gradient = torch.zeros_like(theta)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = theta[start:end].view(parameter.shape)
        parameter.grad = gradient[start:end].view(parameter.shape)
        start = end
    return theta, gradient


def global_norm(vector: Tensor) -> float:
    """Returns the L2 norm |g| of a flat tensor.

    One dot product in the tensor's own type. Its square overflows above about 1e19 in float32 and loses digits below
    about 1e-16; there, and only there, it is computed again in float64 on the tensor scaled by its largest element.

    Args:
        vector: Shape [n].

    Returns:
        The norm; NaN with a NaN in the tensor, else infinity with an infinity in it, else finite.

    >>> f"{global_norm(torch.tensor([3e20, 4e20])):.6g}"
    '5e+20'
    """
    square = torch.dot(vector, vector).item()
    if is_exact(square, vector.dtype):
        return math.sqrt(square)
    largest = vector.abs().max().item()
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * torch.linalg.vector_norm(vector.double() / largest).item()


def row_norms(vectors: Tensor) -> list[float]:
    """Returns the L2 norm of each row, as `global_norm` gives it.

    Args:
        vectors: Shape [K, n].

    >>> row_norms(torch.tensor([[3.0, 4.0], [3e20, 4e20]]))[0]
    5.0
    """
    return finish_norms(sum_squares(vectors).tolist(), vectors)


def sum_squares(vectors: Tensor) -> Tensor:
    """Returns the sum of squares of each row, shape [K], in the type of the rows, [K, n]."""
    return torch.linalg.vecdot(vectors, vectors)


def finish_norms(squares: Sequence[float], vectors: Tensor) -> list[float]:
    """Returns the roots of `sum_squares`, and the norms of the rows where a sum is not to be trusted."""
    return [
        math.sqrt(square) if is_exact(square, vectors.dtype) else global_norm(vectors[row])
        for row, square in enumerate(squares)
    ]


def is_exact(square: float, dtype: torch.dtype) -> bool:
    """Returns whether a sum of squares in that type has neither overflowed nor lost digits to underflow."""
    limits = torch.finfo(dtype)
    return limits.tiny / limits.eps < square < math.inf


def multiply(vector: Tensor, multiplier: float) -> Tensor:
    """Returns the vector times a number; the vector itself, bit for bit, where the number is 1.

    With min(1, lambda / |g|) this is clipping: g' = lambda g / |g| where |g| > lambda.

    Args:
        vector: Shape [n].
        multiplier: As a clip rule returns it.

    Returns:
        Shape [n].
    """
    return vector if multiplier == 1 else vector * multiplier
