"""Copies of a model whose parameters lie side by side."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from runners.stacked.layers import Tensors
from runners.workloads import Workload


class ModelCopies:
    """K copies of one model.

    Attributes:
        theta: The trained parameters of each copy one after another, shape [K, number of parameters].
        parameters: Each of them by name, shape [K, ...]: views of theta that gradients are asked of.
        constants: Buffers and frozen parameters of the model, shape [K, ...], by name.
        losses: (parameters, constants, inputs [K, N, ...], targets [K, N, ...]) -> losses of the copies, shape [K].
    """

    def __init__(self, workload: Workload, models: Sequence[nn.Module]):
        """Takes the models of the rows; one model may stand for several, and the first is kept for evaluations.

        Args:
            workload: What the models are trained on.
            models: The models.

        Raises:
            RuntimeError: Where the trained parameters are not of one type.
        """
        self._template = models[0]
        trained = _stack(models, _trained)
        if len({value.dtype for value in trained.values()}) != 1:
            raise RuntimeError("its trained parameters are not of one type.")
        self._shapes = {name: value.shape[1:] for name, value in trained.items()}
        self._hold(join(list(trained.values())))
        self.constants = _stack(models, _constants)
        self.losses = workload.stacked_loss or _map_loss(self._template, workload.loss)

    @property
    def keeps_statistics(self) -> bool:
        """Whether the model changes its buffers as it trains."""
        return any(getattr(module, "track_running_stats", False) for module in self._template.modules())

    def split(self, theta: Tensor) -> dict[str, Tensor]:
        """Returns views of each parameter by name; theta is as the attribute."""
        views, start = {}, 0
        for name, shape in self._shapes.items():
            end = start + shape.numel()
            views[name] = theta[:, start:end].view(-1, *shape)
            start = end
        return views

    def _hold(self, theta: Tensor) -> None:
        self.theta = theta
        self.parameters = {name: view.requires_grad_() for name, view in self.split(theta).items()}

    def differentiate(self, inputs: Tensor, targets: Tensor) -> tuple[list[float], Tensor]:
        """Returns the loss of each copy on its batch, and its gradient, shape as theta; updates buffers.

        Args:
            inputs: Batches, shape [K, N, ...].
            targets: Their targets, shape [K, N, ...].
        """
        losses = self.losses(self.parameters, self.constants, inputs, targets)
        # No copy's loss depends on another's parameters: the gradient of the sum is that of each.
        gradient = torch.autograd.grad(losses.sum(), list(self.parameters.values()))
        return losses.tolist(), join(gradient)

    def select(self, rows: Tensor) -> None:
        """Keeps these rows."""
        self._hold(self.theta[rows])
        self.constants = {name: value[rows] for name, value in self.constants.items()}

    @torch.no_grad()
    def load(self, row: int) -> nn.Module:
        """Returns the one model, with parameters and buffers of that row."""
        for values, of_template in ((self.parameters, _trained), (self.constants, _constants)):
            for name, value in of_template(self._template).items():
                value.copy_(values[name][row])
        return self._template


def join(parts: Sequence[Tensor]) -> Tensor:
    """Returns tensors [K, ...] side by side, shape [K, n]."""
    return torch.cat([part.reshape(len(part), -1) for part in parts], 1)


def _trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}


def _constants(model: nn.Module) -> dict[str, Tensor]:
    """Returns what the model holds besides trained parameters: buffers and frozen parameters."""
    frozen = {name: value.detach() for name, value in model.named_parameters() if not value.requires_grad}
    return frozen | dict(model.named_buffers())


def _stack(models: Sequence[nn.Module], part: Callable[[nn.Module], dict[str, Tensor]]) -> dict[str, Tensor]:
    parts = {id(model): part(model) for model in models}
    return {name: torch.stack([parts[id(model)][name] for model in models]) for name in part(models[0])}


def _map_loss(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def loss_of_copy(parameters: Tensors, constants: Tensors, inputs: Tensor, targets: Tensor) -> Tensor:
        return loss(functional_call(model, {**parameters, **constants}, (inputs,)), targets)

    return torch.vmap(loss_of_copy)
