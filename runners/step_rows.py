"""The rows of a training loop that is not ours: what a step's loss, gradient and update were."""

import functools
import math
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from analysis.runlog import RunLogError, schema
from runners.train import Writer

LOSS_SCALE = "loss_scale"  # what mixed precision multiplied the loss by; the other columns are without it
SKIPPED = "skipped"  # 1 where mixed precision left a step out because a scaled gradient overflowed, else 0
SAFE_NORM = 1e-15  # ours: above sqrt(tiny / eps) of float32, below which squares lose digits


def norm_of_all(tensors: Sequence[Tensor]) -> float:
    """Returns the L2 norm of several tensors taken together.

    One fused call where that is exact. Squares that overflow or lose digits are computed again in float64, on tensors
    scaled by the largest element: a norm is infinite only where an element is.

    Args:
        tensors: Floating-point tensors of any shapes; sparse ones count with repeated indices summed. At least one.

    Returns:
        The norm; NaN with a NaN in a tensor, else infinity with an infinity in one, else finite.

    >>> norm_of_all([torch.tensor([3.0]), torch.tensor([[4.0]])])
    5.0
    >>> f"{norm_of_all([torch.tensor([3e30]), torch.tensor([4e30])]):.3g}"
    '5e+30'
    """
    dense = [tensor.coalesce().values() if tensor.is_sparse else tensor for tensor in tensors]
    filled = [tensor for tensor in dense if tensor.numel()]
    if not filled:
        return 0.0
    dtype = functools.reduce(torch.promote_types, {tensor.dtype for tensor in filled}, torch.float32)
    norm = _combine(torch._foreach_norm(filled, 2, dtype=dtype), 2)
    if SAFE_NORM < norm < math.inf:
        return norm
    largest = _combine(torch._foreach_norm(filled, math.inf), math.inf)
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = [tensor.double() / largest for tensor in filled]
    return largest * _combine(torch._foreach_norm(scaled, 2), 2)


def _combine(norms: Sequence[Tensor], order: float) -> float:
    device = norms[0].device
    return torch.linalg.vector_norm(torch.stack([norm.to(device) for norm in norms]), order).item()


class NoWriter:
    """Takes no rows: the writer of every process of a distributed training but the first."""

    def step(self, step: int, **metrics: float) -> None:
        """Leaves the row to the first process."""

    def update(self, **fields: object) -> None:
        """Leaves the run record to the first process."""

    def finish(self, status: str) -> None:
        """Leaves the end to the first process."""


class StepRows:
    """Gathers the row of each step of a loop, and writes it once the update is done.

    The order is that of any loop: `loss` and `measure` once a micro-batch, then `before_update` and `after_update`. A
    row that never saw an update, because the loop broke off or mixed precision left the step out, is written without.

    Attributes:
        step: Index of the row that is being gathered.
    """

    def __init__(
        self,
        log: Writer | None,
        parameters: Callable[[], list[Tensor]],
        read_lr: Callable[[], float],
        *,
        scaler: "torch.amp.GradScaler | None" = None,
        first_step: int = 0,
        measures_update: bool = True,
    ):
        """Takes where rows go (None: nowhere) and where parameters, learning rate and loss scale are read."""
        self.step = first_step
        self._log, self._parameters, self._read_lr = log or NoWriter(), parameters, read_lr
        self._scaler = scaler if scaler is not None and scaler.is_enabled() else None
        self._scale = 1.0
        self._measures_update, self._before = measures_update, []
        self._started = time.perf_counter()
        self._begin()

    def _begin(self) -> None:
        self._losses: list[Tensor] = []
        self._norm: float | None = None
        self._columns: dict[str, float] = {}
        self._losses_before_update = 0

    def loss(self, value: Tensor | float) -> None:
        """Takes the loss of a batch, as it is: not scaled, not divided by the number of micro-batches.

        The row holds the mean of the losses that were given since the last update.
        """
        self._write_if_skipped()
        loss = torch.as_tensor(value).detach().clone()  # the loop may change its own in place
        if loss.numel() != 1:
            raise RunLogError(
                f"the loss of step {self.step} has {loss.numel()} elements. A row needs one number: give their mean"
            )
        self._losses.append(loss)

    def add(self, **metrics: float) -> None:
        """Takes further columns of the row that is being gathered, such as eval_loss."""
        self._write_if_skipped()
        self._columns.update(metrics)

    def measure(self) -> None:
        """Measures the gradient as it stands; the last measurement before the update counts."""
        self._write_if_skipped()
        gradients = [parameter.grad for parameter in self._parameters() if parameter.grad is not None]
        self._scale = self._scaler.get_scale() if self._scaler else 1.0
        self._norm = norm_of_all(gradients) / self._scale if gradients else None
        self._columns[schema.LR] = self._read_lr()

    @torch.no_grad()
    def before_update(self) -> None:
        """Keeps the parameters as they are before the update."""
        self._losses_before_update = len(self._losses)
        if not self._measures_update:
            return
        parameters = self._parameters()
        if len(self._before) != len(parameters):
            self._before = [torch.empty_like(parameter) for parameter in parameters]
        torch._foreach_copy_(self._before, parameters)

    @torch.no_grad()
    def after_update(self) -> None:
        """Writes the row.

        Raises:
            RunLogError: Where loss or gradient of the step are not known, or there was more than one.
        """
        self._check()
        self._write({schema.UPDATE_NORM: self._measure_update()} if self._measures_update else {})

    def _measure_update(self) -> float:
        torch._foreach_sub_(self._before, self._parameters())
        return norm_of_all(self._before)

    def close(self) -> None:
        """Writes what is left, a row without its update."""
        self._write_if_skipped()
        if self._losses:
            self._write({})

    def _check(self) -> None:
        if self._norm is None:
            raise RunLogError(
                f"no backward pass filled the gradients of step {self.step}. A row needs their norm: call measure() "
                "once they are there, before they are clipped"
            )
        evaluated = len(self._losses) - self._losses_before_update
        if evaluated > 1:
            raise RunLogError(
                f"the optimizer evaluated its closure {evaluated} times in step {self.step}. A row needs one loss and "
                "one gradient: take an optimizer that evaluates it once"
            )

    def _write_if_skipped(self) -> None:
        """Writes a step that mixed precision has left out: no update came, and the scale went down."""
        if self._scaler and self._norm is not None and self._scaler.get_scale() < self._scale:
            self._write({schema.UPDATE_NORM: 0.0})

    def _write(self, update: dict[str, float]) -> None:
        if not self._losses:
            raise RunLogError(
                f"step {self.step} came without a loss. A row needs one: give every training loss to loss()"
            )
        losses = [loss.item() for loss in self._losses]
        row = {schema.TRAIN_LOSS: sum(losses) / len(losses)} | self._columns | update
        skipped = bool(self._scaler and self._norm is not None and not math.isfinite(self._norm))
        if self._scaler:
            row |= {LOSS_SCALE: self._scale, SKIPPED: float(skipped)}
        if self._norm is not None and not skipped:
            row[schema.GRAD_NORM] = self._norm
        step, self.step = self.step, self.step + 1
        self._begin()
        self._log.step(step, **row, **{schema.ELAPSED_SECONDS: time.perf_counter() - self._started})
