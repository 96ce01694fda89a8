"""A model of the user's own, in a file outside the project, from sweep to proven fix with the commands alone."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SWEEP = "--workload my_model:spirals --variant width=16 --base-lr 0.1,0.3,1,3 --seeds 3 --study own --jobs 1"


@pytest.fixture
def run(tmp_path):
    """Runs a command of the project in the user's folder."""
    shutil.copy(ROOT / "docs" / "example_workload.py", tmp_path / "my_model.py")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "STEADYSTEP_STORE": str(tmp_path / "s")}

    def run_module(module, *arguments):
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_module


def test_an_own_model_goes_from_sweep_to_a_decided_fix(run):
    run("runners.lr_sweep", *SWEEP.split())
    told = json.loads(run("analysis", "diagnose", "own", "--json"))
    (sweep,) = told["study"]["sweeps"]
    assert sweep["verdict"] == "edge"
    assert sweep["lr_star"] < sweep["unstable_base_lr"]
    clipping = next(fix for fix in told["fixes"] if fix["fix"] == "clipping")
    assert clipping["command"] == "python -m runners.clip_sweep --study own"
    said = run("runners.fix_sweep", "--study", "own", "--fixes", "clipping", "--jobs", "1").splitlines()[-2]
    after = json.loads(run("analysis", "diagnose", "own", "--json"))
    state = next(fix["state"] for fix in after["fixes"] if fix["fix"] == "clipping")
    assert (said.split(",")[0], state) in {
        ("Fixed by clipping", "confirmed"),
        ("No fix that was tried is confirmed", "failed"),
    }
    assert after["study"]["num_runs"] > told["study"]["num_runs"]
