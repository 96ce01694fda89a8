"""Small studies built in memory, with known answers."""

import numpy as np
import pyarrow as pa

from analysis.runlog import LogDescription, Run, Study, schema
from tests import curves


def make_run(loss, *, run_id=None, every=1, first_step=0, averaged_over=None, log=None, columns=None, **record) -> Run:
    """Makes a run of one loss a row; extra columns by name (evaluations: NaN is not logged), further fields by name."""
    loss = np.asarray(loss, float)
    steps = first_step + every * np.arange(len(loss))
    table = {schema.STEP: pa.array(steps, pa.int64()), schema.TRAIN_LOSS: pa.array(loss, from_pandas=False)}
    for name, values in (columns or {}).items():
        table[name] = pa.array(np.asarray(values, float), from_pandas=name == schema.EVAL_LOSS)
    norm = "before-clipping" if schema.GRAD_NORM in table else "absent"
    description = log or LogDescription(every, first_step, averaged_over, norm, "kept")
    facts = {schema.RUN_ID: run_id or "run", schema.SOURCE: "runner", schema.STATUS: "finished"}
    return Run(facts | record, pa.table(table), description)


def make_study(runs, name="study") -> Study:
    """Makes a study of runs."""
    return Study(name, tuple(sorted(runs, key=lambda run: run.run_id)), f"{name}-{len(runs)}")


def sweep_run(base_lr: float, seed: int, edge: float, best: float = 0.1, steps: int = 300, **record) -> Run:
    """Makes one run of a sweep whose final loss is lowest at `best` and that breaks early from `edge` on."""
    rng = np.random.default_rng([int(1e6 * base_lr), seed])
    end = 0.1 + 0.2 * abs(np.log10(best / base_lr))
    loss = curves.decline(steps, rng, end=end, noise=0.02)
    if base_lr >= edge:
        loss[1:7] = 2.4 * np.array([1.8, 2.5, 2.8, 2.2, 1.9, 1.5])
        loss[7:] = np.maximum(loss[7:], 1.0 + 0.02 * rng.normal(size=steps - 7))
    facts = {
        schema.WORKLOAD: "stride_resnet",
        schema.OPTIMIZER: "momentum",
        schema.BATCH_SIZE: 64,
        schema.MAX_TRAIN_STEPS: steps,
        schema.INIT_LOSS_MEAN: 2.4,
        schema.INIT_LOSS_SD: 0.05,
        schema.BASELINE_LOSS: 2.303,
    }
    norm = 1.0 + 0.1 * rng.random(steps)
    norm[1:7] *= 20 if base_lr >= edge else 1
    columns = {schema.GRAD_NORM: norm, schema.EVAL_LOSS: evaluations(loss)}
    run_id = f"{'_'.join(map(str, record.values())) or 'run'}-{base_lr:g}-{seed}"
    return make_run(loss, run_id=run_id, columns=columns, base_lr=base_lr, seed=seed, **(facts | record))


def evaluations(loss: np.ndarray) -> np.ndarray:
    """Makes an evaluation every tenth of the run."""
    values, every = np.full(len(loss), np.nan), max(1, len(loss) // 10)
    values[every - 1 :: every] = loss[every - 1 :: every]
    return values


def sweep(edge: float, lrs=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0), seeds=3, **record) -> list[Run]:
    """Makes the runs of a sweep that becomes unstable at `edge`; an edge above all rates is a steady sweep."""
    return [sweep_run(base_lr, seed, edge, **record) for base_lr in lrs for seed in range(seeds)]
