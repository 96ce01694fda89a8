"""What trackers themselves log, NaN, infinity, 1e36 and rises of one step included, comes back.

Where a format cannot hold a value, the test says what becomes of it and that the description of the log says so too.
"""

import json
import sqlite3

import numpy as np
import pytest

from analysis.runlog import read_paths, schema
from tests.runlog.readers.hard_values import GRAD_NORM, hard_losses
from tests.runlog.readers.round_trips import TRACKERS, log
from tests.runlog.readers.tracker_samples import as_text

NUM_STEPS = 600  # several blocks of a .wandb file; 20,000 in tests.bench.round_trips
LOSSES = hard_losses(NUM_STEPS)
STEPS = np.arange(NUM_STEPS)


@pytest.fixture
def read_logged(tmp_path):
    """Lets a tracker log, and reads what it left as the only run."""

    def read(name):
        (run,) = read_paths([log(TRACKERS[name], tmp_path, NUM_STEPS)])
        return run

    return read


def check(run, losses=LOSSES):
    """Holds a run to what was logged: every step, every value, the non-finite ones kept."""
    np.testing.assert_array_equal(run.loss, (STEPS, losses))
    assert run.log.non_finite == "kept"
    assert "someone" not in str(dict(run.record))


def test_wandb_offline(read_logged):
    run = read_logged("wandb offline")
    check(run)
    assert (run.name, run.base_lr) == ("big-lr", 3e-4)
    told = (schema.OPTIMIZER, schema.STATUS, schema.BASELINE_LOSS)
    assert [run.record[name] for name in told] == ["adam", "finished", 2.3]
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM)[1], GRAD_NORM)


@pytest.mark.parametrize("name", ["mlflow sqlite", "mlflow files"])
def test_mlflow(read_logged, name):
    run = read_logged(name)
    check(run)
    assert (run.name, run.base_lr, run.record[schema.OPTIMIZER]) == ("big-lr", 3e-4, "adam")
    np.testing.assert_array_equal(run.series(schema.GRAD_NORM), (STEPS[::100], [GRAD_NORM] * 6))


TRACKIO_TABLES = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL, step INTEGER NOT NULL, metrics TEXT NOT NULL, log_id TEXT, space_id TEXT);
CREATE TABLE configs (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL,
    config TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE(run_id));
CREATE INDEX idx_metrics_run_step ON metrics(run_id, step);
"""


def test_trackio_database(tmp_path):
    """The tables and texts that trackio 0.43.0 writes for these steps, by a script instead of the library.

    The library brings uvloop and httptools, which Streamlit's server takes up by itself, and an older pillow: with it
    the tests in the browser would not run on what users install. tests.bench.round_trips runs it in an environment of
    its own.
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
