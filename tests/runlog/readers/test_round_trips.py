"""20,000 steps that the libraries themselves log, NaN, infinity, 1e36 and rises of one step included, come back.

Each library writes in a process of its own, as a user would call it. Where a format cannot hold a value, the test says
what becomes of it and that the description of the log says so too.
"""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np

from analysis.runlog import read_paths, schema
from tests.runlog.readers.hard_values import GRAD_NORM, LOSSES, NUM_STEPS
from tests.runlog.readers.tracker_samples import as_text

ROOT = Path(__file__).parents[3]
STEPS = np.arange(NUM_STEPS)
OPENING = "from tests.runlog.readers.hard_values import GRAD_NORM, LOSSES\n"

WANDB = """
import wandb
run = wandb.init(project="p", name="big-lr", config={"lr": 3e-4, "optimizer": "adam", "data": "/home/someone/x"},
                 dir=OUT, settings=wandb.Settings(console="off", silent=True, x_disable_stats=True))
for loss in LOSSES:
    run.log({"loss": loss, "grad_norm": GRAD_NORM})
run.summary["baseline_loss"] = 2.3
run.finish()
"""
MLFLOW = """
from mlflow import MlflowClient
from mlflow.entities import Metric
client = MlflowClient(URI)
run = client.create_run(client.create_experiment("sweep"), run_name="big-lr").info.run_id
points = [Metric("train/loss", loss, 1000 + step, step) for step, loss in enumerate(LOSSES)]
points += [Metric("grad_norm", GRAD_NORM, 1000 + step, step) for step in range(0, len(LOSSES), 100)]
for first in range(0, len(points), 1000):
    client.log_batch(run, metrics=points[first : first + 1000])
for name, value in (("learning_rate", "3e-4"), ("optimizer", "adam"), ("data", "/home/someone/x")):
    client.log_param(run, name, value)
client.set_terminated(run)
"""
TENSORBOARD = """
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter(OUT) as writer:
    for step, loss in enumerate(LOSSES):
        writer.add_scalar("loss", loss, step)
        writer.add_scalar("grad_norm", GRAD_NORM, step)
"""
LIGHTNING = """
from lightning.pytorch.loggers import CSVLogger
logger = CSVLogger(OUT, flush_logs_every_n_steps=5000)
logger.log_hyperparams({"lr": 3e-4})
for step, loss in enumerate(LOSSES):
    logger.log_metrics({"train_loss": loss, "grad_norm": GRAD_NORM, "epoch": 0}, step)
logger.finalize("success")
"""
TRAINER = """
from transformers import TrainerState
rows = [{"loss": loss, "grad_norm": GRAD_NORM, "learning_rate": 3e-4, "epoch": step / 100, "step": step + 1}
        for step, loss in enumerate(LOSSES)]
state = TrainerState(log_history=rows, logging_steps=1, max_steps=len(rows), global_step=len(rows))
state.save_to_json(OUT + "/trainer_state.json")
"""
KERAS = """
import keras
logger = keras.callbacks.CSVLogger(OUT + "/training.log")
logger.set_model(keras.Sequential())
logger.on_train_begin()
for epoch, loss in enumerate(LOSSES):
    logger.on_epoch_end(epoch, {"accuracy": 0.5, "loss": loss, "val_loss": 2.0})
logger.on_train_end()
"""


def log(script, out, **environment):
    """Runs a script that logs to OUT, as a process of its own that has no home but that folder."""
    code = f"OUT = {str(out)!r}\n{OPENING}{script}"
    home = {"HOME": str(out), "OMP_NUM_THREADS": "1"} | environment
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, env=os.environ | home, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def check(run, losses=LOSSES, first=0):
    """Holds a run to what was logged: every step, every value, the non-finite ones kept."""
    np.testing.assert_array_equal(run.loss, (STEPS + first, losses))
    assert run.log.non_finite == "kept"
    assert "someone" not in str(dict(run.record))


def test_wandb_offline(tmp_path):
    log(WANDB, tmp_path, WANDB_MODE="offline")
    (path,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    (run,) = read_paths([path])
    check(run)
    assert (run.run_id, run.name, run.base_lr) == (path.stem, "big-lr", 3e-4)
    told = (schema.OPTIMIZER, schema.STATUS, schema.BASELINE_LOSS)
    assert [run.record[name] for name in told] == ["adam", "finished", 2.3]
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM)[1], GRAD_NORM)


def test_mlflow_database(tmp_path):
    log(f"URI = 'sqlite:///{tmp_path}/mlflow.db'{MLFLOW}", tmp_path)
    (run,) = read_paths([tmp_path / "mlflow.db"])
    check(run)
    assert (run.name, run.base_lr, run.record[schema.OPTIMIZER]) == ("big-lr", 3e-4, "adam")
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM), (STEPS[::100], [GRAD_NORM] * 200))


def test_mlflow_files(tmp_path):
    log(f"URI = 'file://{tmp_path}/mlruns'{MLFLOW}", tmp_path, MLFLOW_ALLOW_FILE_STORE="true")
    (run,) = read_paths([tmp_path / "mlruns"])
    check(run)
    assert (run.name, run.base_lr, run.record[schema.OPTIMIZER]) == ("big-lr", 3e-4, "adam")
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM), (STEPS[::100], [GRAD_NORM] * 200))


TRACKIO_TABLES = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL,
    config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id));
CREATE INDEX idx_metrics_run_step ON metrics(run_id, step);
"""


def test_trackio_database(tmp_path):
    """The tables and texts that trackio 0.43.0 wrote for these steps, by a script instead of the library.

    The library itself wants pillow below 13 and uvicorn with uvloop: with it, the other tests would not run on what
    users install. Its own file of these steps was read once by hand: 20,000 rows, six of the hard values compared.
    """
    with sqlite3.connect(tmp_path / "proj.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(TRACKIO_TABLES)
        rows = [
            (step, json.dumps({"loss": as_text(loss), "grad_norm": GRAD_NORM}, separators=(",", ":")).encode())
            for step, loss in enumerate(LOSSES)
        ]
        database.executemany("INSERT INTO metrics VALUES (NULL, 'fa97', 't', 'big-lr', ?, ?, NULL, NULL)", rows)
        config = b'{"learning_rate":0.0003,"optimizer":"adam","data":"/home/someone/x","_Username":null}'
        database.execute("INSERT INTO configs VALUES (NULL, 'fa97', 'big-lr', ?, 't')", (config,))
    database.close()
    (run,) = read_paths([tmp_path / "proj.db"])
    check(run)
    assert (run.run_id, run.name, run.base_lr) == ("proj/fa97", "big-lr", 3e-4)


def test_tensorboard_events_of_torch_hold_32_bits(tmp_path):
    log(TENSORBOARD, tmp_path)
    (path,) = tmp_path.glob("events.out.tfevents.*")
    (run,) = read_paths([path])
    check(run, np.float32(LOSSES).astype(float))
    assert run.loss[1][15_000] == 0  # 1e-300
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM)[1], GRAD_NORM)


def test_lightning_csv(tmp_path):
    log(LIGHTNING, tmp_path)
    (run,) = read_paths([next(tmp_path.rglob("metrics.csv"))])
    check(run)
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM)[1], GRAD_NORM)


def test_the_state_of_the_hf_trainer(tmp_path):
    log(TRAINER, tmp_path)
    (run,) = read_paths([tmp_path / "trainer_state.json"])
    np.testing.assert_array_equal(run.loss, (STEPS + 1, LOSSES))
    assert run.base_lr == 3e-4
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM)[1], GRAD_NORM)


def test_keras_csv_counts_epochs(tmp_path):
    log(KERAS, tmp_path, KERAS_BACKEND="torch")
    (run,) = read_paths([tmp_path / "training.log"])
    check(run)
    assert run.record[schema.STEP_UNIT] == "epochs"
