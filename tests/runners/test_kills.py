"""A sweep that is killed loses no row, and --resume completes it."""

import contextlib
import math
import os
import random
import select
import signal
from pathlib import Path

import numpy as np

from analysis.runlog import layout, read_study, schema
from runners.config import config_from_record
from runners.plan import MemoryWriter
from runners.train import train

NUM_KILLS = 20
STEPS, NUM_RUNS = 60, 6
SWEEP = f"--workload mlp --optimizer adam --base-lr 0.001,0.01,0.1 --seeds 2 --max-train-steps {STEPS} --jobs 2".split()
POLL_SECONDS = 0.002


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


def run_until(commands, options, study, store, num_rows):
    """Starts a sweep and kills its process group once the log has that many rows; returns whether it ended before."""
    group = commands.start("runners.lr_sweep", *options, "--study", study, "--store", str(store))
    ended = False
    while not ended and count_rows(study, store) < num_rows:
        ended = bool(select.select([commands.process.stdout], [], [], POLL_SECONDS)[0])
    if not ended:
        os.killpg(group, signal.SIGKILL)
    status = commands.wait()
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


def check_complete(study, store):
    """All runs are there; a run that was killed before it had a record may have left an empty folder."""
    done = read_study(study, store)
    assert len(done) == NUM_RUNS
    assert {run.record[schema.STATUS] for run in done} == {"finished"}
    assert all(len(run.steps) == STEPS for run in done)
    left_over = {file.name for skipped in done.skipped for file in Path(skipped.path).iterdir()}
    assert left_over <= {layout.LOCK_FILE, layout.RUN_FILE + ".tmp"}


def test_no_row_is_lost_when_the_sweep_is_killed_20_times_and_resume_completes_it(commands, tmp_path):
    chance, num_kills, num_studies = random.Random(0), 0, 0
    while num_kills < NUM_KILLS:
        study, resume, ended = f"killed-{num_studies}", [], False
        num_studies += 1
        while not ended:
            rows_to_come = chance.randrange(NUM_RUNS * STEPS) if num_kills < NUM_KILLS else math.inf
            threshold = count_rows(study, tmp_path) + rows_to_come
            ended = run_until(commands, [*SWEEP, *resume], study, tmp_path, threshold)
            num_kills += not ended
            resume = ["--resume"]
            if layout.study_folder(study, tmp_path).exists():
                check_rows(study, tmp_path)
        check_complete(study, tmp_path)
    assert num_kills == NUM_KILLS


def test_workers_end_when_only_their_parent_is_killed(commands, tmp_path):
    options = [*SWEEP, "--max-train-steps", "100000", "--study", "orphans", "--store", str(tmp_path)]
    parent = commands.start("runners.lr_sweep", *options)
    while count_rows("orphans", tmp_path) < 20:
        assert not select.select([commands.process.stdout], [], [], POLL_SECONDS)[0], commands.stderr.read_text()
    os.kill(parent, signal.SIGKILL)
    assert os.WIFSIGNALED(commands.wait())
    wait_for_writers("orphans", tmp_path)  # ends only when the workers do
    orphans = read_study("orphans", tmp_path)
    assert {run.record[schema.STATUS] for run in orphans} == {"interrupted"}
    assert sum(len(run.steps) for run in orphans) >= 20
