"""The rounds of an adaptive sweep: a few learning rates of a grid, then those around the edge and the best one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from analysis.fix_outcomes import Outcome
from analysis.lr_search import choose_rates, choose_repeated
from analysis.lr_sweep import find_lr_sweep
from analysis.results import LrSweep, RunDiagnosis
from runners.bench import Bench
from runners.config import RunConfig
from runners.plan import plan_runs
from runners.rounds import Round


def propose_adaptive(config: RunConfig, grid: Sequence[float]) -> Callable[[Bench], Round | Outcome]:
    """Returns what proposes the rounds of an adaptive sweep.

    Args:
        config: What all runs share.
        grid: Learning rates that may be trained, ascending.
    """

    def propose(bench: Bench) -> Round | Outcome:
        runs = {(rate, seed): bench.ended(at(config, rate, seed)) for rate in grid for seed in bench.seeds}
        done = [judged for judged in runs.values() if judged is not None]
        tried = {judged.run.base_lr for judged in done}
        sweep = find_lr_sweep(done[0].series, done) if done else None
        wanted = [(rate, bench.seeds[0]) for rate in choose_rates(grid, sweep, tried)]
        why = "Where is the edge, and where the best learning rate?"
        if not wanted:
            wanted = [(rate, seed) for rate in choose_repeated(grid, sweep, tried) for seed in bench.seeds]
            wanted = [pair for pair in wanted if runs[pair] is None]
            why = "Do the other seeds agree there?"
        if not wanted:
            return say_sweep(sweep, done, len(runs))
        shown = ", ".join(f"{rate:g}" for rate in dict.fromkeys(rate for rate, _ in wanted))
        plan = plan_runs([at(config, rate, seed) for rate, seed in wanted], command=bench.command)
        most = (len(runs) - len(done) - len(wanted)) * config.total_steps
        return Round(plan, f"Learning rate {shown}. {why}", most)

    return propose


def at(config: RunConfig, base_lr: float, seed: int) -> RunConfig:
    """Returns the configuration of one run of the sweep."""
    return replace(config, base_lr=base_lr, seed=seed)


def say_sweep(sweep: LrSweep, done: Sequence[RunDiagnosis], num_runs: int) -> Outcome:
    """Says what the sweep found, and what part of the grid it took."""
    said = f"{sweep.sentence} {len(done)} of the {num_runs} runs of the grid were trained."
    return Outcome("lr_sweep", "excluded" if sweep.unstable_base_lr is None else "seen", said, ())
