"""The loop that a tutorial of PyTorch shows, to time ours against: torch.optim, gradients set to None."""

import time
from collections.abc import Callable, Iterable
from itertools import islice

import torch
from torch import Tensor

from analysis.runlog import RunWriter
from runners.train import make_reproducible
from runners.workloads import Workload, make_workload

UNTIMED_STEPS = 5
LR = 1e-6


def time_steps(step: Callable[[Tensor, Tensor], None], batches: Iterable[tuple[Tensor, Tensor]], num: int) -> float:
    """Returns milliseconds of processor time of one step."""
    for index, batch in enumerate(islice(batches, UNTIMED_STEPS + num)):
        if index == UNTIMED_STEPS:
            started = time.process_time()
        step(*batch)
    return 1000 * (time.process_time() - started) / num


def time_torch_loop(name: str, optimizer: str, variant: dict[str, str], num: int, log: RunWriter | None) -> float:
    """Returns milliseconds of processor time of one step; with a log, of one that writes loss and gradient norm."""
    workload = make_workload(name, variant)
    make_reproducible(0)
    return time_steps(_make_step(workload, optimizer, log), workload.batches(0), num)


def _make_step(workload: Workload, optimizer: str, log: RunWriter | None) -> Callable[[Tensor, Tensor], None]:
    model = workload.make_model().train()
    parameters = list(model.parameters())
    kinds = {
        "adam": torch.optim.Adam,
        "momentum": lambda *args, **options: torch.optim.SGD(*args, momentum=0.9, **options),
    }
    updates, steps = kinds[optimizer](parameters, lr=LR), iter(range(10**9))

    def step(inputs: Tensor, targets: Tensor) -> None:
        updates.zero_grad()
        loss = workload.loss(model(inputs), targets)
        loss.backward()
        if log is not None:
            norm = torch.nn.utils.get_total_norm(parameter.grad for parameter in parameters)
            log.step(next(steps), train_loss=loss.item(), grad_norm=norm.item(), lr=LR)
        updates.step()

    return step
