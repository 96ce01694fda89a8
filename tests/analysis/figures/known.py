"""Studies in which a figure has a known answer."""

import numpy as np

from analysis.figures import Figure, find_figures
from analysis.findings import diagnose
from analysis.runlog import Run, schema
from tests import curves
from tests.studies import make_run, make_study, sweep, sweep_run

LRS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


def figures_of(runs: list[Run]) -> dict[str, Figure]:
    """Returns the figures of runs by number."""
    return {figure.number: figure for figure in find_figures(diagnose(make_study(runs)))}


def variants() -> list[Run]:
    """Makes two variants: stride 1x1 breaks from 0.3 on in 3 seeds, stride 2x2 never in 2."""
    return [*sweep(0.3, stride="1x1"), *sweep(9.0, stride="2x2", seeds=2)]


def warmup_lengths() -> list[Run]:
    """Makes 2 seeds each at learning rate 0.3: warmups of 0 and 10 steps break, those of 50 and 100 hold."""
    edges = {0: 0.1, 10: 0.1, 50: 9.0, 100: 9.0}
    return [
        with_ramp(sweep_run(0.3, seed, edge, warmup_steps=steps), steps)
        for steps, edge in edges.items()
        for seed in (0, 1)
    ]


def with_ramp(run: Run, warmup_steps: int) -> Run:
    """Adds the learning rates of a linear warmup to a run."""
    steps, _ = run.loss
    ramp = np.minimum(1.0, steps / warmup_steps) if warmup_steps else np.ones(len(steps))
    return Run(run.record, run.steps.append_column(schema.LR, [run.base_lr * ramp]), run.log)


def before_and_after_warmup() -> list[Run]:
    """Makes a sweep whose edge is 0.1 without warmup and 1 with 30 steps; the best rate moves from 0.03 to 0.3."""
    return [*sweep(0.1, LRS, best=0.03, warmup_steps=0), *sweep(1.0, LRS, best=0.3, warmup_steps=30, seeds=2)]


def sudden_rises() -> list[Run]:
    """Makes a sweep whose best rate is 0.1; at 0.5 the loss of 2 of 3 seeds rises in the middle and stays up."""
    runs = sweep(9.0, (0.003, 0.01, 0.03, 0.1))
    for seed in range(3):
        loss = curves.mid(300, seed, "not-recovered").loss if seed else sweep_run(0.5, 0, 9.0).loss[1]
        calm = sweep_run(0.5, seed, 9.0)
        runs.append(make_run(loss, **calm.record))
    return runs


def norms(**record) -> Run:
    """Makes a steady run whose gradient norms are 1 to 1,000, each once, in a shuffled order."""
    rng = np.random.default_rng(0)
    norm = rng.permutation(np.arange(1.0, 1001.0))
    return make_run(curves.decline(1000, rng), columns={schema.GRAD_NORM: norm}, **record)
