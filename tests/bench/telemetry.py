"""What logging every step costs: loss, gradient norm and update norm, written, against the same loop without them.

    python -m tests.bench.telemetry

One process, one thread, processor time; start and evaluation are left out. Steps with and without norms and rows take
turns in one training, so both find the same memory: two loops of equal work differ by several percent from process to
process, by where their tensors lie. The cost is the median of the differences of neighboring steps, and "torch" is the
loop of a tutorial, torch.optim with gradients set to None, timed in turn with the loop of `runners.train`.
"""

import statistics
import tempfile
import time
from itertools import islice

from torch import Tensor

from analysis.runlog import RunWriter
from runners.config import RunConfig
from runners.engines.memory import keep_freed_memory
from runners.gradients import flatten_parameters, global_norm
from runners.train import ClippedUpdates, make_reproducible
from runners.update_rules import UPDATE_RULES
from runners.workloads import make_workload
from tests.bench.sweep import time_step
from tests.bench.torch_loop import LR, UNTIMED_STEPS, time_torch_loop

LOOPS = (  # workload, optimizer, steps of a timing against torch
    ("mlp", "momentum", 400),
    ("deepres", "momentum", 120),
    ("stride_resnet", "momentum", 30),
    ("charlm", "adam", 40),
)
REPEATS = 9
PAIRS = 400  # of steps with and without logging


class BareAndLogged:
    """One training whose every other step writes no row and takes no norm."""

    def __init__(self, name: str, optimizer: str, writer: RunWriter):
        """Starts from seed 0."""
        config = RunConfig(name, optimizer, LR, 100_000)
        make_reproducible(config.seed)
        self._workload = make_workload(name, {})
        self._model = self._workload.make_model().train()
        self._theta, self._gradient = flatten_parameters(self._model)
        self._rule = UPDATE_RULES[optimizer](**config.optimizer_options)
        self._state, self._updates = self._rule.init(self._theta), ClippedUpdates(config, self._theta)
        self._writer, self._started = writer, time.perf_counter()

    def bare(self, step: int, inputs: Tensor, targets: Tensor) -> None:
        """Takes a step, and that is all."""
        self._gradient.zero_()
        self._workload.loss(self._model(inputs), targets).backward()
        delta, self._state = self._rule.update(self._gradient, self._state, LR)
        self._theta.add_(delta)

    def logged(self, step: int, inputs: Tensor, targets: Tensor) -> None:
        """Takes a step as `runners.train` does."""
        self._gradient.zero_()
        loss = self._workload.loss(self._model(inputs), targets)
        loss.backward()
        norm = global_norm(self._gradient)
        delta, columns = self._updates.next(self._gradient, norm, LR)
        columns |= {"train_loss": loss.item(), "grad_norm": norm, "lr": LR}
        self._writer.step(step, **columns, elapsed_seconds=time.perf_counter() - self._started)
        self._theta.add_(delta)

    def time_pairs(self) -> list[tuple[float, float]]:
        """Returns milliseconds of processor time of a bare step and of the logged one after it, pair by pair."""
        batches = islice(self._workload.batches(0), UNTIMED_STEPS + 2 * PAIRS)
        times = []
        for step, batch in enumerate(batches):
            started = time.process_time()
            (self.logged if step % 2 else self.bare)(step, *batch)
            times.append(1000 * (time.process_time() - started))
        return list(zip(times[UNTIMED_STEPS - 1 :: 2], times[UNTIMED_STEPS::2], strict=False))


def measure(name: str, optimizer: str, num_steps: int, store: str) -> str:
    """Returns the line of the table."""
    config, ours, torchs = RunConfig(name, optimizer, LR, 100_000), [], []
    for _ in range(REPEATS):
        ours.append(time_step([config], num_steps, False, store))
        torchs.append(time_torch_loop(name, optimizer, {}, num_steps, None))
    against_torch = statistics.median(one / other for one, other in zip(ours, torchs, strict=True)) - 1
    with RunWriter("bench", store=store) as writer:
        pairs = BareAndLogged(name, optimizer, writer).time_pairs()
    cost = statistics.median(logged - bare for bare, logged in pairs)
    bare = statistics.median(bare for bare, _ in pairs)
    cells = (
        name,
        optimizer,
        f"{bare:.2f}",
        f"{cost:.3f}",
        f"{100 * cost / bare:+.1f} %",
        f"{100 * against_torch:+.1f} %",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Prints the table."""
    keep_freed_memory()
    print(
        "| workload | optimizer | bare, ms a step | logging, ms a step | against bare | loop against torch |",
        "|---|---|---|---|---|---|",
        sep="\n",
    )
    with tempfile.TemporaryDirectory() as store:
        for loop in LOOPS:
            print(measure(*loop, store), flush=True)


if __name__ == "__main__":
    main()
