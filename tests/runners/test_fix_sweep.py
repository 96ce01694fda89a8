"""The ladder of fixes, on the mlp."""

import pytest

from analysis.ledger import row_of_entry
from analysis.runlog import RunLogError, ledger, read_study, schema
from runners import fix_sweep

RATES = "0.003,0.01,0.03,0.06,0.1"
SWEEP = f"--workload mlp --optimizer momentum --base-lr {RATES} --seeds 3 --max-train-steps 300 --study m"


@pytest.fixture(scope="module")
def store(tmp_path_factory, commands):
    folder = tmp_path_factory.mktemp("ladder")
    assert commands.run("runners.lr_sweep", *SWEEP.split(), "--store", str(folder)).returncode == 0
    return folder


def rows_of(store):
    return [row_of_entry(entry) for entry in ledger.read_entries("m", store)]


def test_the_ladder_ends_at_the_first_confirmed_fix_and_keeps_each_rung_once(store, commands):
    ladder = ("runners.fix_sweep", "--study", "m", "--store", str(store), "--fixes", "clipping,lower-lr")
    dry = commands.run(*ladder, "--dry-run")
    assert dry.stdout.startswith("[clipping] Clip at ")
    assert rows_of(store) == []
    done = commands.run(*ladder)
    assert done.returncode == 0, done.stderr
    rows = rows_of(store)
    assert [row.fix for row in rows] == ["clipping", "lower-lr"][: len(rows)]
    assert rows[-1].verdict == "confirmed"
    assert all(row.verdict == "refuted" for row in rows[:-1])
    assert done.stdout.splitlines()[-2].startswith(f"{fix_sweep.say_fixed(rows[-1].fix)}, ")
    runs = {run.run_id: run for run in read_study("m", store)}
    clipped = [runs[run_id] for run_id in rows[0].run_ids]
    assert {run.record[schema.CHANGED] for run in clipped} == {"clip_threshold"}
    assert rows[0].command == "python -m runners.clip_sweep --study m --seeds 3"
    again = commands.run(*ladder, "--resume")
    assert again.stdout.splitlines()[-2] == done.stdout.splitlines()[-2]
    assert rows_of(store) == rows


def test_a_series_that_instability_does_not_limit_has_nothing_to_fix(tmp_path, commands, capsys):
    sweep = "--workload mlp --optimizer momentum --base-lr 1e-4,3e-4,1e-3 --seeds 1 --max-train-steps 60 --study m"
    assert commands.run("runners.lr_sweep", *sweep.split(), "--store", str(tmp_path)).returncode == 0
    fix_sweep.main(["--study", "m", "--store", str(tmp_path)])
    assert capsys.readouterr().out.splitlines()[-2].startswith("Nothing to fix: ")
    assert ledger.read_entries("m", tmp_path) == ()


def test_an_unknown_fix_is_refused():
    with pytest.raises(RunLogError, match="--fixes batch-size is no fix"):
        fix_sweep.read_arguments(["--study", "m", "--fixes", "batch-size"])
