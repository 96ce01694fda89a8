"""A run log under kill -9, and under a reader while it is written."""

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

from analysis.runlog import RunWriter, layout, line_log, list_studies, read_study, schema, study_fingerprint
from tests.runlog.writer_process import ACK

ROOT = Path(__file__).parents[2]
NUM_KILLS = 20


def start_writer(store: Path, num_steps: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.runlog.writer_process", str(store), str(num_steps)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})


def kill_after(process: subprocess.Popen, num_acks: int) -> tuple[int, int]:
    """Kills a writer after it acknowledged some rows; returns (attempt, last acknowledged step)."""
    acks = process.stdout.read(num_acks * ACK.size)
    process.kill()
    acks += process.stdout.read()
    process.stdout.close()
    process.wait()
    acks = acks[: len(acks) // ACK.size * ACK.size]
    return ACK.unpack(acks[-ACK.size :])


def test_twenty_kills_of_one_run_lose_no_acknowledged_row(tmp_path):
    draw = random.Random(7)
    path = layout.run_folder("faults", "killed", tmp_path) / layout.LIVE_FILE
    for attempt in range(1, NUM_KILLS + 1):
        killed_attempt, last_step = kill_after(start_writer(tmp_path, 10**9), draw.randint(1, 2000))
        scan = line_log.tail(path)
        steps = [row[schema.STEP] for row in scan.rows if row[line_log.ATTEMPT] == attempt]
        assert killed_attempt == attempt
        assert steps == list(range(len(steps)))
        assert last_step <= steps[-1] <= last_step + 1
        assert scan.damaged == 0
        assert [row[line_log.ROW] for row in scan.rows] == list(range(len(scan.rows)))
        assert all(row[schema.TRAIN_LOSS] == row[schema.STEP] / 7 for row in scan.rows)


def test_a_killed_run_is_interrupted_and_its_fingerprint_tells(tmp_path):
    process = start_writer(tmp_path, 10**9)
    process.stdout.read(ACK.size)
    assert read_study("faults", tmp_path).runs[0].record[schema.STATUS] == "running"
    assert list_studies(tmp_path)[0].num_running == 1
    kill_after(process, 1)
    study = read_study("faults", tmp_path)
    assert study.runs[0].record[schema.STATUS] == "interrupted"
    assert study.fingerprint == study_fingerprint("faults", tmp_path)
    assert list_studies(tmp_path)[0].num_running == 0
    with RunWriter("faults", store=tmp_path, run_id="killed"):
        assert study_fingerprint("faults", tmp_path) != study.fingerprint


def test_a_reader_sees_only_whole_rows_and_never_fewer_while_a_run_is_written(tmp_path):
    num_steps = 30_000
    process = start_writer(tmp_path, num_steps)
    process.stdout.read(ACK.size)
    sizes, statuses = [0], set()
    while "finished" not in statuses:
        process.stdout.read1(1 << 16)
        study = read_study("faults", tmp_path)
        assert not study.skipped
        steps, losses = study.runs[0].loss
        assert np.array_equal(steps, np.arange(len(steps)))
        assert np.array_equal(losses, steps / 7)
        assert len(steps) >= sizes[-1]
        sizes.append(len(steps))
        statuses.add(study.runs[0].record[schema.STATUS])
    process.stdout.close()
    assert process.wait() == 0
    assert sizes[-1] == num_steps
    assert len(set(sizes)) > 5
