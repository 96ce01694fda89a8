"""Watches a training loop that is not ours: hooks measure each gradient and update, and every step becomes a row."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.utils.hooks import RemovableHandle

from analysis.runlog import RunLogError, schema
from runners.step_rows import StepRows
from runners.train import Writer

ENGINE = torch.autograd.Variable._execution_engine


class Watch(StepRows):
    """The rows of a loop with a torch optimizer, gathered by hooks until the block ends."""

    def __init__(self, optimizer: torch.optim.Optimizer, log: Writer | None, **options: object):
        """Hooks backward passes and updates; options as in StepRows."""
        check_optimizer(optimizer)
        super().__init__(log, lambda: parameters_of(optimizer), lambda: float(read_group(optimizer)["lr"]), **options)
        self._handles = [
            *call_after_backward(parameters_of(optimizer), self.measure),
            optimizer.register_step_pre_hook(lambda *_: self.before_update()),
            optimizer.register_step_post_hook(lambda *_: self.after_update()),
        ]

    def take_loss_from(self, module: nn.Module) -> None:
        """Takes the loss from a module's output, or its `.loss`; what is computed without a gradient does not count."""

        def take(module: nn.Module, inputs: object, output: object) -> None:
            value = getattr(output, "loss", output)
            if value.requires_grad:
                self.loss(value)

        self._handles.append(module.register_forward_hook(take))

    def close(self) -> None:
        """Takes the hooks away, and writes a row that has not seen its update."""
        for handle in self._handles:
            handle.remove()
        super().close()

    def __enter__(self) -> Self:
        """Returns the watch."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the watch."""
        self.close()


def watch(
    optimizer: torch.optim.Optimizer,
    log: Writer | None,
    *,
    loss_from: nn.Module | None = None,
    scaler: "torch.amp.GradScaler | None" = None,
    first_step: int = 0,
    measures_update: bool = True,
) -> Watch:
    """Watches a training loop: every optimizer.step() becomes a row of the log.

    The gradient norm is measured at the end of each backward pass, so before clipping; in a distributed training after
    the processes have averaged their gradients. The row is written when the update is done.

    Args:
        optimizer: The torch optimizer whose step() the loop calls.
        log: A RunWriter, or one under runners.guard.watch_for_rises; None to write nothing, as every process of a
            distributed training but the first must.
        loss_from: Module whose output is the training loss, or has it as `.loss`. Without one, give each loss to
            `loss` of the result.
        scaler: The loop's GradScaler. Norms are divided by its scale, steps that it leaves out are marked.
        first_step: Index of the first row, for a loop that continues an earlier one.
        measures_update: Whether to log update_norm, which takes a second copy of the parameters.

    Returns:
        The watch; use it in a with statement, within the block of the log.

    Raises:
        RunLogError: The optimizer evaluates closures several times a step, or its parameters are sharded.

    >>> from runners.plan import MemoryWriter
    >>> weight, log = torch.ones(1, requires_grad=True), MemoryWriter()
    >>> optimizer = torch.optim.SGD([weight], lr=0.5)
    >>> with watch(optimizer, log) as watched:
    ...     loss = (3 * weight).sum()
    ...     watched.loss(loss)
    ...     loss.backward()
    ...     optimizer.step()
    >>> [log.rows[0][name] for name in ("train_loss", "grad_norm", "update_norm", "lr")]
    [3.0, 3.0, 1.5, 0.5]
    """
    watched = Watch(optimizer, log, scaler=scaler, first_step=first_step, measures_update=measures_update)
    if loss_from is not None:
        watched.take_loss_from(loss_from)
    return watched


def check_optimizer(optimizer: torch.optim.Optimizer) -> None:
    """Refuses an optimizer whose steps have no one gradient, or one that this process cannot see whole.

    Raises:
        RunLogError: For LBFGS, for sharded parameters, and for a wrapper, whose hooks nobody calls.
    """
    if isinstance(getattr(optimizer, "optimizer", None), torch.optim.Optimizer):
        raise RunLogError(
            f"{type(optimizer).__name__} wraps the optimizer that takes the steps. Hooks need that one: "
            "watch(optimizer.optimizer, log)"
        )
    if isinstance(optimizer, torch.optim.LBFGS):
        raise RunLogError(
            "LBFGS evaluates loss and gradient several times in one step. A row needs one of each: watch another "
            "optimizer, or log rows of your own with RunWriter"
        )
    if any(isinstance(parameter, DTensor) for parameter in parameters_of(optimizer)):
        raise RunLogError(
            "the parameters are sharded (DTensor), and this process holds a part of each gradient. The norm needs all "
            "of it: log the norm that clip_grad_norm_ returns, with RunWriter"
        )


def parameters_of(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """Returns the parameters that an optimizer updates."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def read_group(optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """Returns the parameter group whose settings stand for the run: the first."""
    return optimizer.param_groups[0]


def call_after_backward(parameters: Iterable[Tensor], act: Callable[[], None]) -> list[RemovableHandle]:
    """Calls a function at the end of every backward pass that reaches one of the parameters.

    The call queues itself a second time at that end: DistributedDataParallel queues the averaging of gradients late in
    the pass, and the norm is that of the average.
    """
    queued_for = -1

    def queue(parameter: Tensor) -> None:
        nonlocal queued_for
        task = torch._C._current_graph_task_id()
        if task != queued_for:
            queued_for = task
            ENGINE.queue_callback(lambda: ENGINE.queue_callback(act))

    return [parameter.register_post_accumulate_grad_hook(queue) for parameter in parameters if parameter.requires_grad]


def describe_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, object]:
    """Returns the fields of the run record that a torch optimizer tells.

    Args:
        optimizer: Any; settings are those of its first parameter group. base_lr is the rate before a scheduler of
            torch has changed it.

    >>> describe_optimizer(torch.optim.SGD([torch.ones(1)], lr=0.1, momentum=0.9))
    {'optimizer': 'momentum', 'base_lr': 0.1, 'gamma': 0.9}
    """
    group, name = read_group(optimizer), type(optimizer).__name__.lower()
    if name == "sgd" and group["momentum"]:
        name = "nesterov" if group["nesterov"] else "momentum"
    options = {"gamma": group.get("momentum"), "weight_decay": group.get("weight_decay"), "eps": group.get("eps")}
    options |= {f"beta{i}": beta for i, beta in enumerate(group.get("betas", ()), 1)}
    fields = {schema.OPTIMIZER: name, schema.BASE_LR: float(group.get("initial_lr", group["lr"]))}
    return fields | {option: value for option, value in options.items() if value}
