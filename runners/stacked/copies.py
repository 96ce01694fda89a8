"""Copies of a model whose parameters are the rows of one matrix."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value

from runners.gradients import flatten_parameters
from runners.stacked.layers import Tensors
from runners.workloads import Workload


class ModelCopies:
    """K copies of one model.

    Attributes:
        theta: Parameters, shape [K, n], row k as `flatten_parameters` lays out those of copy k.
    """

    def __init__(self, workload: Workload, models: Sequence[nn.Module], compiles: bool = False):
        """Takes the models of the rows; one model may stand for several, and the first is kept for evaluations.

        Args:
            workload: What the models are trained on.
            models: The models.
            compiles: Compile the forward and backward pass of all copies into one program, for this number of copies.

        Raises:
            RuntimeError: Where a compiled pass would lose statistics that the model keeps, as BatchNorm does.
        """
        self._template = models[0]
        states = {id(model): _constants(model) for model in models}
        rows = {id(model): flatten_parameters(model)[0] for model in dict.fromkeys(models)}
        self._template_theta = rows[id(models[0])]
        self.theta = torch.stack([rows[id(model)] for model in models])
        self._constants = {
            name: torch.stack([states[id(model)][name] for model in models]) for name in _constants(self._template)
        }
        trained = [(name, value) for name, value in self._template.named_parameters() if value.requires_grad]
        self._names = [name for name, _ in trained]
        self._shapes = [value.shape for _, value in trained]
        self._sizes = [value.numel() for _, value in trained]
        self._losses = workload.stacked_loss or _map_loss(self._template, workload.loss)
        self._compiled = self._compile(workload.loss) if compiles else None

    def differentiate(self, inputs: Tensor, targets: Tensor) -> tuple[list[float], Tensor]:
        """Returns the loss of each copy on its batch, and the gradients, shape [K, n]; buffers are updated.

        Args:
            inputs: Batches, shape [K, N, ...].
            targets: Their targets, shape [K, N, ...].
        """
        if self._compiled is not None:
            gradient, losses = self._compiled(self.theta, self._constants, inputs, targets)
            return losses.tolist(), gradient
        theta = self.theta.detach().requires_grad_()
        blocks = zip(self._names, self._shapes, theta.split(self._sizes, dim=1), strict=True)
        parameters = {name: block.view(len(theta), *shape) for name, shape, block in blocks}
        losses = self._losses(parameters, self._constants, inputs, targets)
        (gradient,) = torch.autograd.grad(losses.sum(), theta)  # no copy's loss depends on another's row
        return losses.tolist(), gradient

    def _compile(self, loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
        if any(getattr(module, "track_running_stats", False) for module in self._template.modules()):
            raise RuntimeError("its BatchNorm keeps running statistics, which a compiled pass would lose.")

        def loss_of_copy(theta: Tensor, constants: Tensors, inputs: Tensor, targets: Tensor) -> Tensor:
            blocks = zip(self._names, self._shapes, theta.split(self._sizes), strict=True)
            parameters = {name: block.view(shape) for name, shape, block in blocks}
            return loss(functional_call(self._template, {**parameters, **constants}, (inputs,)), targets)

        return torch.compile(torch.vmap(grad_and_value(loss_of_copy)), dynamic=False, fullgraph=True)

    def select(self, rows: Tensor) -> None:
        """Keeps these rows."""
        self.theta = self.theta[rows]
        self._constants = {name: value[rows] for name, value in self._constants.items()}

    def load(self, row: int) -> nn.Module:
        """Returns the one model, with parameters and buffers of that row."""
        self._template_theta.copy_(self.theta[row])
        for name, value in _constants(self._template).items():
            value.copy_(self._constants[name][row])
        return self._template


def _constants(model: nn.Module) -> dict[str, Tensor]:
    """Returns what the model holds besides trained parameters: buffers and frozen parameters."""
    frozen = {name: value.detach() for name, value in model.named_parameters() if not value.requires_grad}
    return frozen | dict(model.named_buffers())


def _map_loss(model: nn.Module, loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    def loss_of_copy(parameters: Tensors, constants: Tensors, inputs: Tensor, targets: Tensor) -> Tensor:
        return loss(functional_call(model, {**parameters, **constants}, (inputs,)), targets)

    return torch.vmap(loss_of_copy)
