"""A sweep that is killed loses no row, and --resume completes it."""

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys

import numpy as np
import pytest

from analysis.runlog import layout, read_study, schema
from runners.config import config_from_record
from runners.plan import MemoryWriter
from runners.train import train

NUM_KILLS = 20
STEPS, LRS, SEEDS = 60, "0.001,0.01,0.1", 2
NUM_RUNS = 3 * SEEDS
POLL_SECONDS = 0.002


@pytest.fixture
def sweeps():
    command = [sys.executable, "-m", "tests.runners.forked_sweeps"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        yield process
        process.stdin.close()


def count_rows(study, store):
    """Rows on disk, whole or not; a sealed run counts as its steps."""
    total = 0
    for folder in layout.run_folders(layout.study_folder(study, store)):
        if (folder / layout.SEALED_FILE).exists():
            total += STEPS
            continue
        with contextlib.suppress(FileNotFoundError):
            total += (folder / layout.LIVE_FILE).read_bytes().count(b"\n")
    return total


def run_until(sweeps, argv, study, store, num_rows):
    """Starts a sweep and kills its process group once the log has that many rows; returns whether it ended before."""
    sweeps.stdin.write(json.dumps(argv) + "\n")
    group = int(sweeps.stdout.readline())
    ended = False
    while not ended and count_rows(study, store) < num_rows:
        ended = bool(select.select([sweeps.stdout], [], [], POLL_SECONDS)[0])
    if not ended:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    status = int(sweeps.stdout.readline())
    if os.WIFSIGNALED(status):
        wait_for_writers(study, store)
        return False
    assert status == 0
    return True


def wait_for_writers(study, store):
    """A killed process holds its locks until the kernel has buried it."""
    while any(map(layout.is_being_written, layout.run_folders(layout.study_folder(study, store)))):
        select.select([], [], [], POLL_SECONDS)


def reference_rows(record, known={}):  # noqa: B006 the cache of this module
    config = config_from_record(record)
    if config.key not in known:
        writer = MemoryWriter()
        train(config, writer)
        known[config.key] = writer.rows
    return known[config.key]


def check_rows(study, store):
    """Every row on disk is readable, no step comes twice, and each holds what an undisturbed run holds."""
    for run in read_study(study, store):
        rows = reference_rows(run.record)
        steps = run.steps[schema.STEP].to_numpy()
        np.testing.assert_array_equal(steps, np.arange(len(steps)))
        assert not any("damaged" in note for note in run.log.notes)
        for column in (schema.TRAIN_LOSS, schema.GRAD_NORM, schema.UPDATE_NORM, schema.LR):
            logged, values = run.series(column)
            np.testing.assert_array_equal(values, [rows[step][column] for step in logged])
            np.testing.assert_array_equal(logged, steps)


def test_no_row_is_lost_when_the_sweep_is_killed_20_times_and_resume_completes_it(sweeps, tmp_path):
    chance, num_kills, num_studies = random.Random(0), 0, 0
    while num_kills < NUM_KILLS:
        study, resume, ended = f"killed-{num_studies}", [], False
        num_studies += 1
        while not ended:
            options = ["--workload", "mlp", "--optimizer", "adam", "--base-lr", LRS, "--seeds", str(SEEDS), "--jobs", "2"]
            where = ["--max-train-steps", str(STEPS), "--study", study, "--store", str(tmp_path)]
            left = NUM_RUNS * STEPS - count_rows(study, tmp_path)
            threshold = count_rows(study, tmp_path) + chance.randrange(left + 60)
            if num_kills == NUM_KILLS:
                threshold = float("inf")
            ended = run_until(sweeps, options + where + resume, study, tmp_path, threshold)
            num_kills += not ended
            resume = ["--resume"]
            if layout.study_folder(study, tmp_path).exists():
                check_rows(study, tmp_path)
        done = read_study(study, tmp_path)
        assert len(done) == NUM_RUNS
        assert not done.skipped
        assert {run.record[schema.STATUS] for run in done} == {"finished"}
        assert all(len(run.steps) == STEPS for run in done)
    assert num_kills == NUM_KILLS
