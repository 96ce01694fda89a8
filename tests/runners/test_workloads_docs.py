import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.runlog import read_study, schema
from runners.workloads import read_variant
from runners.workloads.workload import BUILT_IN

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", (DOCS / "workloads.md").read_text(), re.M | re.S))


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_workload_has_a_section_that_names_its_options(name):
    options = " ".join(re.findall(r"Options: (.*?)\.\s", SECTIONS[name], re.S))
    assert {re.split("=", option)[0] for option in re.findall(r"`([^`]+)`", options)} == set(read_variant(name, {}))


def test_the_example_of_an_own_workload_trains_from_outside_the_package(tmp_path):
    options = ["--workload", "example_workload:spirals", "--variant", "width=8", "--base-lr", "0.1", "--study", "own"]
    command = [sys.executable, "-m", "runners.lr_sweep", *options, "--store", str(tmp_path), "--jobs", "1"]
    environment = os.environ | {"PYTHONPATH": f"{DOCS.parent}{os.pathsep}{DOCS}"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (run,) = read_study("own", tmp_path)
    losses = run.steps.column(schema.TRAIN_LOSS).to_pylist()
    assert len(losses) == 300
    assert sum(losses[-20:]) / 20 < 0.9 * run.record[schema.BASELINE_LOSS]
