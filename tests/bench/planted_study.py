"""The study that pages are timed on: 200 runs of 10,000 steps, one-step spikes and blow-ups planted at known steps."""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from analysis.judge import keep_judged
from analysis.runlog import RunWriter, schema

STUDY, LATER = "planted", "later"  # the server reads ahead what changed last; LATER keeps it from STUDY
SPIKES, BLOW_UPS = 20, 10  # runs with one, the first ones of the study
LRS = np.geomspace(1e-4, 1e-1, 20)


@dataclass(frozen=True)
class Planted:
    """One run of the study: its rows, and the step of its one-step spike, -1 without one."""

    name: str
    base_lr: float
    loss: np.ndarray
    norm: np.ndarray
    spike: int = -1


def plant(index: int, num_steps: int) -> Planted:
    """Makes a run: a steady decline, and on it what its place in the study says."""
    draw, step = np.random.default_rng(index), np.arange(num_steps)
    loss = 0.3 + 2.2 * np.exp(-step / 1500) + 0.05 * draw.standard_normal(num_steps) * np.exp(-step / 8000)
    norm = 1 + 3 * np.exp(-step / 1000) + 0.2 * np.abs(draw.standard_normal(num_steps))
    name, lr = f"run-{index:03}", float(LRS[index % len(LRS)])
    if index < SPIKES:
        spike = int(draw.integers(num_steps // 20, num_steps * 9 // 10))
        loss[spike], norm[spike] = 8 * loss[spike], 50 * norm[spike]
        return Planted(name, lr, loss, norm, spike)
    if index < SPIKES + BLOW_UPS:
        start = int(draw.integers(num_steps * 3 // 10, num_steps * 9 // 10))
        loss[start : start + 60] *= np.exp(np.linspace(0, 8, 60))
        loss[start + 60 :] = norm[start + 60 :] = np.nan
        return Planted(name, lr, loss[: start + 61], norm[: start + 61])
    return Planted(name, lr, loss, norm)


def write_run(index: int, num_steps: int, store: Path, study: str = STUDY) -> None:
    """Trains nothing, but writes a run as a runner does, its diagnosis included."""
    run = plant(index, num_steps)
    facts = {schema.BASE_LR: run.base_lr, schema.SEED: index // len(LRS), schema.OPTIMIZER: "adam"}
    facts |= {schema.BATCH_SIZE: 64, schema.MAX_TRAIN_STEPS: num_steps, schema.WORKLOAD: "synthetic"}
    with RunWriter(study, store=store, name=run.name, run_id=run.name, **facts) as writer:
        for step, (loss, norm) in enumerate(zip(run.loss.tolist(), run.norm.tolist(), strict=True)):
            writer.step(step, train_loss=loss, grad_norm=norm, lr=run.base_lr)
    keep_judged(study, [run.name], store)


def write_study(store: Path, num_runs: int, num_steps: int) -> Mapping[str, int]:
    """Writes the study with two processes; returns the steps of the spikes by run."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        for _ in processes.map(write_run, *zip(*[(i, num_steps, store) for i in range(num_runs)], strict=True)):
            pass
    write_run(num_runs, num_steps // 10, store, LATER)
    runs = [plant(index, num_steps) for index in range(min(SPIKES, num_runs))]
    return {run.name: run.spike for run in runs}
