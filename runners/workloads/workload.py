"""The Workload record, and how a name on the command line becomes one. Imports no torch."""

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from analysis.runlog import RunLogError

if TYPE_CHECKING:
    from torch import Tensor, nn

BUILT_IN = {
    "mlp": "runners.workloads.mlp:mlp",
    "stride_resnet": "runners.workloads.stride_resnet:stride_resnet",
    "charlm": "runners.workloads.charlm:charlm",
    "deepres": "runners.workloads.deepres:deepres",
    "cifar_wrn": "runners.workloads.cifar_wrn:cifar_wrn",
}


@dataclass(frozen=True)
class Workload:
    """Model, data, loss and batch size together.

    Attributes:
        make_model: Returns a model initialised from torch's global generator.
        batches: Seed -> endless batches (inputs, targets); the same seed gives the same batches.
        loss: (model outputs, targets) -> mean loss of the batch, a scalar.
        evaluate: Model -> evaluation metrics of the run log by name (eval_loss, eval_error).
        batch_size: Examples a step.
        optimizer: Default update rule.
        max_train_steps: Default number of steps, without warmup.
        baseline_loss: Training loss of the best constant predictor.
        optimizer_options: Metaparameters of the default update rule, where the rule's own defaults do not suit.
        stacked_loss: Optional, for many runs in one program: (parameters by name [K, ...], buffers by name [K, ...],
            inputs [K, N, ...], targets [K, N, ...]) -> losses of K copies, [K]. Without it the model is mapped.
        most_stacked: Runs in one program at most: more gain little, and what they work on leaves the cache.
    """

    make_model: "Callable[[], nn.Module]"
    batches: "Callable[[int], Iterator[tuple[Tensor, Tensor]]]"
    loss: "Callable[[Tensor, Tensor], Tensor]"
    evaluate: "Callable[[nn.Module], Mapping[str, float]]"
    batch_size: int
    optimizer: str
    max_train_steps: int
    baseline_loss: float
    optimizer_options: Mapping[str, float] = field(default_factory=dict)
    stacked_loss: "Callable[..., Tensor] | None" = None
    most_stacked: int = 16


def find_workload(name: str) -> Callable[..., Workload]:
    """Returns the function behind a workload's name.

    Args:
        name: A built-in name, or `package.module:function` for the user's own.

    Raises:
        RunLogError: Where there is no such workload.
    """
    module_name, colon, function_name = BUILT_IN.get(name, name).partition(":")
    if not colon:
        raise RunLogError(
            f"no workload {name!r}. Take {' or '.join(BUILT_IN)}, or package.module:function for your own"
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise RunLogError(
            f"workload {name}: {error}. Run the command from the folder that holds it, or set PYTHONPATH"
        ) from error
    if not callable(getattr(module, function_name, None)):
        raise RunLogError(f"workload {name}: module {module_name} has no function {function_name}. Correct the name")
    return getattr(module, function_name)


def read_variant(name: str, values: Mapping[str, object]) -> dict[str, object]:
    """Returns every option of a workload: the values given, the defaults for the rest.

    Options are the keyword arguments of the workload's function. Text is converted to the type of the annotation or
    of the default; `Literal[...]` lists the allowed values.

    Args:
        name: Name of the workload.
        values: Options by name, as text or as values.

    Raises:
        RunLogError: For an option the workload does not have, or a value it does not allow.
    """
    options = inspect.signature(find_workload(name)).parameters
    return read_options(f"workload {name}", options, values)


def read_options(
    owner: str, options: Mapping[str, inspect.Parameter], values: Mapping[str, object]
) -> dict[str, object]:
    """Returns all options of a function with their values; `owner` is named in errors."""
    for key in values:
        if key not in options:
            raise RunLogError(f"{owner} has no option {key!r}. It has {', '.join(options) or 'none'}")
    return {
        key: _convert(owner, key, values[key], option) if key in values else option.default
        for key, option in options.items()
    }


def _convert(owner: str, key: str, value: object, option: inspect.Parameter) -> object:
    kind = option.annotation if option.annotation is not inspect.Parameter.empty else type(option.default)
    if kind is bool or get_origin(kind) is Literal:
        allowed = {str(choice).lower(): choice for choice in get_args(kind) or (False, True)}
        if str(value).lower() not in allowed:
            raise RunLogError(f"{owner}: {key}={value} is not allowed. Take {key}={' or '.join(allowed)}")
        return allowed[str(value).lower()]
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        noun = {int: "a whole number", float: "a number"}.get(kind, f"a {kind.__name__}")
        raise RunLogError(f"{owner}: {key}={value} is not {noun}. Give {noun}, such as {option.default}") from error


def make_workload(name: str, variant: Mapping[str, object]) -> Workload:
    """Returns the workload of that name and variant.

    Raises:
        RunLogError: Where name or variant is unknown, or the user's function returns something else.
    """
    workload = find_workload(name)(**read_variant(name, variant))
    if not isinstance(workload, Workload):
        raise RunLogError(f"workload {name} returned {type(workload).__name__}. Return a runners.workloads.Workload")
    return workload
