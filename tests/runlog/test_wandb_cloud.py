"""Runs on a W&B server: read by wandb's own client from a stand-in on 127.0.0.1."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.runlog import RunLogError, read_paths, read_study, schema, wandb_cloud
from tests.runlog.wandb_stand_in import KEY, serve

ROOT = Path(__file__).parents[2]
LOSSES = [3 - step / 2000 for step in range(1500)]  # more than a page of 1,000 and a sample of 500


def rows_of(losses):
    return [{"_step": step, "_timestamp": 1.7e9 + step, "loss": loss} for step, loss in enumerate(losses)]


def bring(server, tmp_path, address):
    """Runs the command in a process of its own, whose only key is in the environment."""
    home = {"WANDB_BASE_URL": server.url, wandb_cloud.KEY: KEY, "HOME": str(tmp_path), "WANDB_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "analysis", "import", address, "--study", "s", "--store", str(tmp_path / "store")]
    return subprocess.run(command, env=os.environ | home, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_row_of_every_run_of_a_project_is_imported_and_nothing_of_a_person(tmp_path):
    strange = [*LOSSES[:5], "NaN", "Infinity", "-Infinity", 1e36, *LOSSES[9:]]
    runs = {
        "a1": rows_of(strange),
        "b2": rows_of(LOSSES[:3]),
        "empty": [],
        "c3": [{"_step": 0, "accuracy": 1.0}],
    }
    with serve(runs) as server:
        done = bring(server, tmp_path, "wandb:team/sweep")
    assert done.returncode == 0, done.stderr
    assert "skipped wandb:team/sweep/empty: empty has no row of history" in done.stderr
    assert "skipped wandb:team/sweep/c3: c3 has no loss column" in done.stderr
    study = read_study("s", tmp_path / "store")
    assert [run.run_id for run in study] == ["a1", "b2"]
    steps, losses = study.runs[0].loss
    np.testing.assert_array_equal(steps, np.arange(1500))
    np.testing.assert_array_equal(losses, [float(loss) for loss in strange])
    record = study.runs[0].record
    assert [record[name] for name in (schema.NAME, schema.BASE_LR, schema.OPTIMIZER)] == ["name of a1", 0.1, "adam"]
    assert (record[schema.BASELINE_LOSS], record[schema.SOURCE]) == (2.3, "wandb cloud: sweep/a1")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert b"someone" not in stored
    assert KEY.encode() not in stored


def test_a_run_that_the_server_does_not_have_is_refused_in_one_line_without_the_key(tmp_path):
    with serve({"a1": rows_of(LOSSES[:3])}) as server:
        done = bring(server, tmp_path, "wandb:team/sweep/nope")
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert errors[0].startswith("error: wandb:team/sweep/nope cannot be read (")
    assert KEY not in done.stderr
    assert not (tmp_path / "store" / "s").exists()


def test_without_a_key_in_the_environment_no_server_is_asked(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text(f"machine api.wandb.ai login user password {KEY}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(wandb_cloud.KEY, raising=False)
    with pytest.raises(RunLogError, match=r"wandb:team/sweep needs a key of the W&B server\. Set WANDB_API_KEY"):
        read_paths(["wandb:team/sweep"])


@pytest.mark.parametrize("address", ["wandb:team", "wandb:team/sweep/a/b", "wandb:"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(RunLogError, match=r"is no address of runs. Give wandb:ENTITY/PROJECT or"):
        read_paths([address])
