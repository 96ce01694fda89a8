"""Trackers that log hard losses, each in a process of its own, as a user would call it.

`tests.bench.round_trips` runs them with 20,000 steps, the tests with fewer. What trains too: tests.runners.planted.
"""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
OPENING = "from tests.runlog.readers.hard_values import GRAD_NORM, hard_losses\n"
CONFIG = '{"lr": 3e-4, "optimizer": "adam", "data": "/home/someone/x"}'

WANDB = f"""
import wandb
run = wandb.init(project="p", name="big-lr", config={CONFIG}, dir=OUT,
                 settings=wandb.Settings(console="off", silent=True, x_disable_stats=True))
for loss in LOSSES:
    run.log({{"loss": loss, "grad_norm": GRAD_NORM}})
run.summary["baseline_loss"] = 2.3
run.finish()
"""
MLFLOW = f"""
from mlflow import MlflowClient
from mlflow.entities import Metric
client = MlflowClient(URI + OUT + PLACE)
run = client.create_run(client.create_experiment("sweep"), run_name="big-lr").info.run_id
points = [Metric("train/loss", loss, 1000 + step, step) for step, loss in enumerate(LOSSES)]
points += [Metric("grad_norm", GRAD_NORM, 1000 + step, step) for step in range(0, len(LOSSES), 100)]
for first in range(0, len(points), 1000):
    client.log_batch(run, metrics=points[first : first + 1000])
for name, value in {CONFIG}.items():
    client.log_param(run, name, value)
client.set_terminated(run)
"""
TRACKIO = f"""
import trackio
trackio.init(project="proj", name="big-lr", config={CONFIG})
for loss in LOSSES:
    trackio.log({{"loss": loss, "grad_norm": GRAD_NORM}})
trackio.finish()
"""


@dataclass(frozen=True)
class Tracker:
    """One that logs.

    Attributes:
        package: Its name, as pip knows it.
        script: Logs LOSSES somewhere in the folder OUT.
        found: Pattern of the path that it leaves.
        environment: What it needs to be told.
    """

    package: str
    script: str
    found: str
    environment: dict[str, str] = field(default_factory=dict)


TRACKERS = {
    "wandb offline": Tracker("wandb", WANDB, "wandb/offline-run-*/run-*.wandb", {"WANDB_MODE": "offline"}),
    "mlflow sqlite": Tracker("mlflow-skinny", f"URI, PLACE = 'sqlite:///', '/mlflow.db'\n{MLFLOW}", "mlflow.db"),
    "mlflow files": Tracker(
        "mlflow-skinny",
        f"URI, PLACE = 'file://', '/mlruns'\n{MLFLOW}",
        "mlruns",
        {"MLFLOW_ALLOW_FILE_STORE": "true"},
    ),
}
TRACKIO_ITSELF = Tracker("trackio", TRACKIO, "**/proj.db")


def log(tracker: Tracker, out: Path, num_steps: int, python: str = sys.executable) -> Path:
    """Lets a tracker log hard losses in a folder that is its home too; returns the path that it leaves."""
    code = f"OUT = {str(out)!r}\n{OPENING}LOSSES = hard_losses({num_steps})\n{tracker.script}"
    home = {"HOME": str(out), "OMP_NUM_THREADS": "1"} | tracker.environment
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code], cwd=ROOT, env=os.environ | home, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{tracker.package} failed: {done.stderr}")
    (path,) = out.glob(tracker.found)
    return path
