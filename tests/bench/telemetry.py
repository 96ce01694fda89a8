"""What logging every step costs: loss, gradient norm and update norm, written, against the same loop without them.

    python -m tests.bench.telemetry

One process, one thread, processor time, the loops in turn, median of nine; start and evaluation are left out. "bare" is
the loop of `runners.train` without norms and rows, "torch" that of a tutorial: torch.optim, gradients set to None.
"""

import statistics
import tempfile

import torch

from runners.config import RunConfig
from runners.engines.memory import keep_freed_memory
from runners.gradients import flatten_parameters
from runners.train import make_reproducible
from runners.update_rules import UPDATE_RULES
from runners.workloads import make_workload
from tests.bench.sweep import time_step
from tests.bench.torch_loop import LR, time_steps, time_torch_loop

LOOPS = (
    ("mlp", "momentum", 400),
    ("deepres", "momentum", 120),
    ("stride_resnet", "momentum", 30),
    ("charlm", "adam", 40),
)
REPEATS = 9


def bare_loop(name: str, optimizer: str, num_steps: int) -> float:
    """Returns milliseconds a step of flat buffers and our update rule, without norms and rows."""
    workload = make_workload(name, {})
    make_reproducible(0)
    model = workload.make_model().train()
    theta, gradient = flatten_parameters(model)
    rule = UPDATE_RULES[optimizer](**RunConfig(name, optimizer, LR, num_steps).optimizer_options)
    state = rule.init(theta)

    def step(inputs: torch.Tensor, targets: torch.Tensor) -> None:
        nonlocal state
        gradient.zero_()
        workload.loss(model(inputs), targets).backward()
        delta, state = rule.update(gradient, state, LR)
        theta.add_(delta)

    return time_steps(step, workload.batches(0), num_steps)


def measure(name: str, optimizer: str, num_steps: int, store: str) -> str:
    """Returns the line of the table."""
    config = RunConfig(name, optimizer, LR, 100_000)
    times = [
        (
            time_step([config], num_steps, False, store),
            bare_loop(name, optimizer, num_steps),
            time_torch_loop(name, optimizer, {}, num_steps, None),
        )
        for _ in range(REPEATS)
    ]
    ratios = [statistics.median(ours / other for ours, *others in times for other in [others[i]]) for i in (0, 1)]
    ours = statistics.median(row[0] for row in times)
    return (
        f"| {name} | {optimizer} | {ours:.2f} | " + " | ".join(f"{100 * (ratio - 1):+.1f} %" for ratio in ratios) + " |"
    )


def main() -> None:
    """Prints the table."""
    keep_freed_memory()
    print(
        "| workload | optimizer | logged, ms a step | against bare | against torch |",
        "|---|---|---|---|---|",
        sep="\n",
    )
    with tempfile.TemporaryDirectory() as store:
        for loop in LOOPS:
            print(measure(*loop, store), flush=True)


if __name__ == "__main__":
    main()
