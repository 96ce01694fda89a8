import json
import subprocess
import sys

import numpy as np
import pytest

from analysis.runlog import read_paths, read_study, schema
from runners.plan import MemoryWriter
from runners.wandb_log import WandbMirror
from tests.runners.wandb_file import read_rows

SWEEP = "--workload mlp --optimizer sgd --base-lr 0.01,1 --max-train-steps 40 --study mirrored --jobs 2"


def sweep(commands, store, log, mode):
    options = [*SWEEP.split(), "--store", str(store), "--log", log]
    return commands.run("runners.lr_sweep", *options, WANDB_DIR=str(store), WANDB_MODE=mode)


def test_offline_wandb_files_hold_every_row_of_the_run_log_non_finite_ones_included(tmp_path, commands):
    done = sweep(commands, tmp_path, "both", "offline")
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    mirrored = [read_rows(path) for path in tmp_path.glob("wandb/offline-run-*/run-*.wandb")]
    study = read_study("mirrored", tmp_path)
    assert len(mirrored) == len(study) == 2
    assert {run.record[schema.STATUS] for run in study} == {"finished", "diverged"}
    for run in study:
        lr = run.series(schema.LR)[1][0]
        rows = next(rows for rows in mirrored if rows[0][schema.LR] == lr)
        for column in {name for row in rows for name in row} - {schema.STEP}:
            steps, values = run.series(column)
            logged = [(row[schema.STEP], row[column]) for row in rows if column in row]
            np.testing.assert_array_equal([step for step, _ in logged], steps)
            np.testing.assert_array_equal([value for _, value in logged], values)
        assert set(run.steps.column_names) == {name for row in rows for name in row}
    losses = np.concatenate([run.loss[1] for run in study])
    assert not np.isfinite(losses).all()
    check_read_back(study, list(tmp_path.glob("wandb/offline-run-*/run-*.wandb")))


def check_read_back(study, paths):
    """Holds what our own reader makes of the files to the study: rows, and what W&B's tables and axes need."""
    by_reader = {schema.RUN_ID, schema.STUDY, schema.SOURCE, schema.STARTED_AT, schema.GRAD_NORM_TAKEN}
    mirrored = {run.record[schema.BASE_LR]: run for run in read_paths(paths)}
    for run in study:
        again = mirrored[run.record[schema.BASE_LR]]
        assert run.record[schema.WARMUP_STEPS] == 0
        assert run.record[schema.COMMAND].startswith("python -m runners.lr_sweep")
        told = [name for name in run.record if name not in by_reader]
        assert {name: again.record.get(name) for name in told} == {name: run.record[name] for name in told}
        assert set(again.record) - set(told) <= by_reader
        assert again.log == run.log
        for column in run.steps.column_names:
            np.testing.assert_array_equal(again.series(column), run.series(column))


def test_a_failing_wandb_costs_one_warning_and_no_row(tmp_path, commands):
    done = sweep(commands, tmp_path, "wandb", "no-such-mode")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("warning: W&B gets no more rows") == 2
    study = read_study("mirrored", tmp_path)
    assert {run.record[schema.STATUS] for run in study} == {"finished", "diverged"}


class BrokenRun:
    """A W&B run that fails at its third row."""

    def __init__(self):
        self.rows = []

    def log(self, row):
        if len(self.rows) == 2:
            raise ConnectionError("server gone\nand more")
        self.rows.append(row)


def test_wandb_that_fails_in_the_middle_is_left_out_from_there_on(capsys):
    writer, run = MemoryWriter(), BrokenRun()
    mirror = WandbMirror(writer, "study", "run-name", {})
    mirror._run = run
    for step in range(5):
        mirror.step(step, train_loss=float(step))
    mirror.finish("finished")
    assert [row[schema.STEP] for row in writer.rows] == [0, 1, 2, 3, 4]
    assert writer.record[schema.STATUS] == "finished"
    assert len(run.rows) == 2
    warnings = capsys.readouterr().err.splitlines()
    assert warnings == ["warning: W&B gets no more rows of run-name: server gone. The run log keeps them all"]


@pytest.mark.parametrize("module", ["runners.lr_sweep", "runners.probe", "runners.warmup_sweep"])
def test_help_has_an_example_and_imports_neither_torch_nor_wandb(module):
    code = (
        f"import sys, json, runpy; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('{module}', run_name='__main__')\n"
        "finally: print(json.dumps([name for name in ('torch', 'wandb', 'sklearn') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Example:" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1]) == []
