"""How much processor time runs save by training in one program instead of one after another.

Run by `make bench-sweep`, or python -m tests.bench.sweep. One process, one thread; both kinds are timed in turn, five
times, without start and evaluation; ratios are medians. Runs are divided into programs as one job would divide them.
"auto" is what `--stack auto` saves in runs of the workload's own length, the timing that it decides by included; "usual
loop" is the ratio to PyTorch's usual loop, which writes loss and gradient norm of every step to a store, too.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from analysis.runlog import RunWriter
from runners.config import RunConfig
from runners.engines.memory import keep_freed_memory
from runners.stacked.choice import LEAST_SPEEDUP, measure_speedup
from runners.stacked.grouping import group_runs
from runners.stacked.train import train_stack
from runners.train import train
from runners.workloads import make_workload
from tests.bench.torch_loop import UNTIMED_STEPS, time_torch_loop

WORKLOADS = (
    ("mlp", "momentum", {}),
    ("mlp", "adam", {}),
    ("stride_resnet", "momentum", {"stride": "2x2"}),
    ("stride_resnet", "momentum", {"stride": "1x1"}),
    ("deepres", "momentum", {}),
    ("charlm", "adam", {}),
)
TIMED_STEPS = {"mlp": 100, "stride_resnet": 4, "deepres": 30, "charlm": 8}
REPEATS = 5
DECISIONS = 3


class _TimedEnoughError(Exception):
    pass


def time_step(configs: Sequence[RunConfig], steps: int, stacked: bool, store: str, compiles: bool = False) -> float:
    """Returns milliseconds of processor time of one step of all the runs, rows written to a store."""
    times = []

    def on_step(index: int, step: int) -> None:
        if index == len(configs) - 1:
            times.append(time.process_time())
            if step == UNTIMED_STEPS + steps:
                raise _TimedEnoughError

    try:
        with ExitStack() as stack:
            writers = [stack.enter_context(RunWriter("bench", store=store)) for _ in configs]
            if stacked:
                train_stack(configs, writers, on_step, compiles=compiles)
            else:
                train(configs[0], writers[0], lambda step: on_step(0, step))
    except _TimedEnoughError:
        pass
    return 1000 * (times[-1] - times[UNTIMED_STEPS]) / steps


def time_programs(configs: Sequence[RunConfig], steps: int, store: str, compiles: bool = False) -> float:
    """Returns milliseconds of processor time of one step of all the runs, stacked as one job would stack them."""
    programs = [[configs[index] for index in group] for group in group_runs(configs, 1)]
    return sum(time_step(program, steps, True, store, compiles) for program in programs)


def time_auto(configs: Sequence[RunConfig], alone: float, together: float) -> float:
    """Returns how many times less processor time `--stack auto` takes; milliseconds of a step of all runs are given."""
    steps, programs = configs[0].max_train_steps, group_runs(configs, 1)
    started = time.process_time()
    is_stacked = measure_speedup([configs[index] for index in programs[0]]) >= LEAST_SPEEDUP
    decision = 1000 * (time.process_time() - started) * len(programs)  # each program decides for itself
    return steps * alone / (decision + steps * (together if is_stacked else alone))


def measure(name: str, optimizer: str, variant: dict[str, str], num_runs: int, store: str) -> str:
    """Returns the line of the table."""
    first = RunConfig(name, optimizer, 1e-6, 100_000, variant=variant)
    configs = [replace(first, base_lr=1e-6 * (1 + index), seed=index % 2) for index in range(num_runs)]
    steps, alone, together, usual = TIMED_STEPS[name], [], [], []
    for _ in range(REPEATS):
        alone.append(num_runs * time_step(configs[:1], steps, False, store))
        together.append(time_programs(configs, steps, store))
        with RunWriter("bench", store=store) as log:
            usual.append(num_runs * time_torch_loop(name, optimizer, variant, steps, log))
    ratio, of_usual = (
        statistics.median(one / all_ for one, all_ in zip(times, together, strict=True)) for times in (alone, usual)
    )
    length = make_workload(name, variant).max_train_steps
    whole = [replace(config, max_train_steps=length) for config in configs]
    auto = [time_auto(whole, ratio * middle, middle) for middle in [statistics.median(together)] * DECISIONS]
    options = " ".join(f"{key}={value}" for key, value in variant.items())
    cells = (f"{name} {options}".strip(), optimizer, *(f"{statistics.median(t):.1f}" for t in (alone, together)))
    ratios = (f"{ratio:.2f}", f"{min(auto):.2f} to {max(auto):.2f}", f"{of_usual:.2f}")
    return "| " + " | ".join((*cells, *ratios)) + " |"


def measure_compiled(name: str, optimizer: str, variant: dict[str, str], num_runs: int, store: str) -> str:
    """Returns the line of the table of `--stack compile`; compiling is left out of the times, and said."""
    first = RunConfig(name, optimizer, 1e-6, 100_000, variant=variant)
    configs = [replace(first, base_lr=1e-6 * (1 + index), seed=index % 2) for index in range(num_runs)]
    steps, started = TIMED_STEPS[name], time.monotonic()
    time_programs(configs, 1, store, compiles=True)
    compiling = time.monotonic() - started
    pairs = [
        (num_runs * time_step(configs[:1], steps, False, store), time_programs(configs, steps, store, compiles=True))
        for _ in range(REPEATS)
    ]
    ratio = statistics.median(one / all_ for one, all_ in pairs)
    alone, together = (statistics.median(times) for times in zip(*pairs, strict=True))
    return f"| {name} | {optimizer} | {alone:.1f} | {together:.1f} | {ratio:.2f} | {compiling:.0f} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Time stacked training against one run after another.")
    parser.add_argument("--runs", type=int, default=16, help="runs in one program (default: %(default)s)")
    parser.add_argument("--compile", action="store_true", help="time --stack compile, where it can be had")
    arguments = parser.parse_args()
    num_runs = arguments.runs
    keep_freed_memory()
    if arguments.compile:
        print(f"| workload | optimizer | {num_runs} runs one by one, ms a step | compiled | ratio | compiling, s |")
        print("|---|---|---|---|---|---|")
        with tempfile.TemporaryDirectory() as store:
            for name, optimizer, variant in WORKLOADS:
                if name != "stride_resnet":  # BatchNorm
                    print(measure_compiled(name, optimizer, variant, num_runs, store), flush=True)
        return
    print(
        f"| workload | optimizer | {num_runs} runs one by one, ms a step | stacked, ms a step | ratio | auto |",
        "usual loop |",
    )
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as store:
        for workload in WORKLOADS:
            print(measure(*workload, num_runs, store), flush=True)


if __name__ == "__main__":
    main()
