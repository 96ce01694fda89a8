"""What clip rules and warmup do to runs that are unstable without them: the tables of docs/clipping.md.

Run by python tests/bench/clipping.py [WORKLOAD ...]; a minute or two each, on one core.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2]))

from analysis.clipping import choose_clip_threshold
from analysis.judge import judge_one
from analysis.lr_words import number
from analysis.phases import split_phases
from analysis.results import RunDiagnosis
from analysis.runlog import Run, schema
from analysis.runlog.describe import describe_log
from runners.config import RunConfig
from runners.plan import SOURCE, MemoryWriter
from runners.train import train

SEEDS = 3
LAST = 20  # steps whose loss is the final loss
# workload: variant, steps, warmup, the rate of the healthy run that gives the threshold, rates
CASES = {
    "deepres": ({}, 400, 40, 1e-4, (1e-3, 1e-2)),
    "mlp": ({"bad_batch": 200}, 400, 40, 0.01, (0.03, 0.1)),
    "stride_resnet": ({"stride": "1x1"}, 100, 50, 0.1, (0.3, 1.0)),
}


def settings(threshold: float, warmup: int) -> dict[str, Mapping[str, object]]:
    """Returns the fields of RunConfig of each setting, by its name."""
    fixed, ramp = {"clip_threshold": threshold}, {"warmup_steps": warmup}
    return {
        "nothing": {},
        f"warmup {warmup}": ramp,
        f"fixed {number(threshold)}": fixed,
        f"warmup {warmup}, fixed {number(threshold)}": ramp | fixed,
        "autoclip, p = 10": {"clip_rule": "autoclip"},
        "autoclip, p = 90": {"clip_rule": "autoclip", "clip_options": {"percentile": 90}},
        "zclip": {"clip_rule": "zclip"},
        "skip_sigma": {"clip_rule": "skip_sigma"},
    }


def train_one(config: RunConfig) -> RunDiagnosis:
    """Trains a run and judges it."""
    writer = MemoryWriter()
    train(config, writer)
    columns = {
        name: pa.array([row.get(name) for row in writer.rows], pa.float64())
        for name in (schema.TRAIN_LOSS, schema.GRAD_NORM, schema.LR, schema.CLIP_MULTIPLIER)
        if any(name in row for row in writer.rows)
    }
    steps = pa.array([row[schema.STEP] for row in writer.rows], pa.int64())
    record = {schema.RUN_ID: "run", schema.SOURCE: SOURCE} | writer.record | config.to_record()
    table = pa.table({schema.STEP: steps} | columns)
    return judge_one(Run(record, table, describe_log(table, record)), "")


def mean_of(values) -> str:
    """Returns the mean over seeds in percent; a dash where none has the value."""
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.0%}" if known else "-"


def row_of(rate: float, name: str, runs: list[RunDiagnosis]) -> str:
    """Returns a line of the table."""
    final = " ".join(f"{np.mean(judged.run.loss[1][-LAST:]):.2g}" for judged in runs)
    clipped = [judged.clipping for judged in runs if judged.clipping is not None]
    early = mean_of([each.clipped_fraction_by_phase.early for each in clipped])
    whole = mean_of([each.clipped_fraction for each in clipped])
    steady = sum(judged.verdict == "stable" for judged in runs)
    return f"| {number(rate)} | {name} | {steady} of {len(runs)} | {final} | {early} | {whole} |"


def measure(workload: str) -> None:
    """Prints the table of one workload."""
    variant, steps, warmup, healthy_rate, rates = CASES[workload]
    base = {"variant": variant, "max_train_steps": steps}
    healthy = train_one(RunConfig(workload, "momentum", healthy_rate, **base))
    _, norm = healthy.run.series(schema.GRAD_NORM)
    early, *_ = split_phases(np.arange(len(norm)), steps)
    proposal = choose_clip_threshold([healthy])
    threshold = float(f"{proposal.clip_threshold:.2g}")
    print(f"{workload}: 90th percentile {threshold:g} at base_lr {healthy_rate:g}, {healthy.verdict}; ", end="")
    print(f"{(norm[early] > threshold).mean():.0%} of its early norms are above", flush=True)
    print("| base_lr | setting | steady | final loss of each seed | clipped, first 10 % | clipped |")
    print("|---|---|---|---|---|---|")
    for rate in rates:
        for name, fields in settings(threshold, warmup).items():
            configs = [RunConfig(workload, "momentum", rate, seed=seed, **base, **fields) for seed in range(SEEDS)]
            print(row_of(rate, name, [train_one(config) for config in configs]), flush=True)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or CASES:
        measure(chosen)
