"""An experiment that really trains: it outlives who started it, says how far it is, and stops with valid logs."""

import json
import subprocess
import sys

import numpy as np

from analysis.runlog import experiments, read_study, schema
from analysis.runlog.experiments import cancel_experiment, list_experiments, start_experiment
from runners.progress import PROGRESS_VARIABLE, Progress
from tests.experiments import wait_for

TRAIN = "python -m runners.lr_sweep --study s --workload mlp --base-lr 0.01 --max-train-steps 1000000 --jobs 1"
START = (
    "import sys; from analysis.runlog.experiments import *; start_experiment('lower-lr', sys.argv[1], 's', sys.argv[2])"
)


def test_training_outlives_its_starter_is_found_again_and_stops_for_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    subprocess.run(
        [sys.executable, "-W", "error", "-c", START, TRAIN, str(tmp_path)], cwd=experiments.PROJECT, check=True
    )
    (found,) = list_experiments("s", tmp_path)
    following = start_experiment("probe", "python -m runners.lr_sweep --help", "s", tmp_path)
    training = wait_for(found.folder, "running", steps=1)
    assert training.progress.num_steps == 1_000_000
    assert training.progress.note == "0 of 1 runs ended"
    assert experiments.read_experiment(following.folder).state == "queued"
    cancel_experiment(found.folder)
    wait_for(found.folder, "cancelled")
    wait_for(following.folder, "done")
    ended, begun = found.folder / experiments.END_FILE, following.folder / experiments.STARTED_FILE
    assert begun.stat().st_mtime_ns > ended.stat().st_mtime_ns
    (run,) = read_study("s", tmp_path)
    assert run.record[schema.STATUS] == "interrupted"
    assert run.record[schema.COMMAND] == found.command
    np.testing.assert_array_equal(run.steps[schema.STEP].to_numpy(), np.arange(len(run.steps)))
    assert run.log.notes == ()


def test_progress_is_written_to_the_file_that_is_asked_for_and_ends_with_all_steps(tmp_path, monkeypatch):
    path = tmp_path / experiments.PROGRESS_FILE
    monkeypatch.setenv(PROGRESS_VARIABLE, str(path))
    monkeypatch.setattr("runners.progress.FILE_SECONDS", 0)
    with Progress(2, 200) as progress:
        progress.show_steps(0)
        assert read_progress(path) == experiments.Progress(0, 200, None, "0 of 2 runs ended")
        progress.show_steps(1)
        assert read_progress(path).seconds_left is None
        progress.show_steps(101)
        assert read_progress(path).seconds_left > 0
        progress.end_run("a", "finished", 0)
        progress.end_run("b", "diverged", 60)
        progress.show_steps(140)
    assert read_progress(path) == experiments.Progress(200, 200, 0.0, "2 of 2 runs ended")


def test_progress_is_written_at_most_so_often(tmp_path, monkeypatch):
    path = tmp_path / experiments.PROGRESS_FILE
    monkeypatch.setenv(PROGRESS_VARIABLE, str(path))
    monkeypatch.setattr("runners.progress.FILE_SECONDS", 3600)
    with Progress(1, 200) as progress:
        progress.show_steps(1)
        progress.show_steps(100)
        assert read_progress(path).num_done_steps == 1
    assert read_progress(path).num_done_steps == 100


def read_progress(path):
    return experiments.Progress(**json.loads(path.read_bytes()))
