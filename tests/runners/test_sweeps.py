"""The entry points end to end, each as a process of its own."""

import os
import select
import signal
import subprocess
import sys

import pytest

from analysis.runlog import RunLogError, RunWriter, read_study, schema
from runners import lr_sweep, probe, warmup_sweep
from runners.series import choose_series
from tests.runners.test_kills import count_rows

OPTIONS = "--workload mlp --optimizer momentum --base-lr 0.01,1 --seeds 2 --max-train-steps 40 --study small"
LR_SWEEP = OPTIONS.split()


def heed_interrupts():
    """Undoes what a shell does to its background jobs: they ignore Ctrl-C, and so would all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def command(store, *options):
    return [sys.executable, "-m", "runners.lr_sweep", *options, "--store", str(store)]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    done = subprocess.run(command(folder, *LR_SWEEP), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"trained 4 runs; they are in {folder}/small",
        f"next: STEADYSTEP_STORE={folder} python -m analysis diagnose small",
    ]
    assert [line.split()[0] for line in done.stderr.splitlines()] == [f"[{n}/4]" for n in range(1, 5)]
    return folder


def test_lr_sweep_writes_one_run_for_each_rate_and_seed_with_its_record(store):
    study = read_study("small", store)
    table = study.run_table
    assert sorted(zip(table[schema.BASE_LR], table[schema.SEED], strict=True)) == [(0.01, 0), (0.01, 1), (1, 0), (1, 1)]
    for run in study:
        assert run.record[schema.STATUS] == ("finished" if run.base_lr == 0.01 else "diverged")
        assert run.record[schema.SOURCE] == "runner"
        assert run.record[schema.COMMAND].startswith("python -m runners.lr_sweep --workload mlp --optimizer momentum")
        assert run.record[schema.BASELINE_LOSS] == pytest.approx(2.302, abs=1e-3)
        assert run.record[schema.INIT_LOSS_MEAN] > 2
        assert run.record["gamma"] == 0.9
        assert run.record["norm"] == "none"
        assert {"python", "torch"} <= run.record[schema.VERSIONS].keys()
        assert run.log.stride == 1


def test_a_study_is_never_trained_twice_and_resume_skips_what_is_done(store, commands):
    again = commands.run("runners.lr_sweep", *LR_SWEEP, "--store", str(store))
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == (
        "error: study small already holds 4 of these 4 runs. Add --resume to complete it, or take another --study\n"
    )
    resumed = commands.run("runners.lr_sweep", *LR_SWEEP, "--store", str(store), "--resume")
    assert resumed.returncode == 0
    assert "trained 0 runs, skipped 4 that were done" in resumed.stdout


def test_dry_run_prints_the_plan_and_trains_nothing(tmp_path, capsys):
    lr_sweep.main([*LR_SWEEP, "--store", str(tmp_path), "--dry-run", "--warmup-steps", "10"])
    *runs, total, time = capsys.readouterr().out.splitlines()
    assert runs[0] == "train base_lr=0.01 seed=0 (50 steps)"
    assert len(runs) == 4
    assert total == "4 runs, 200 steps, 0 done before"
    assert time.startswith("estimated time:")
    assert not list(tmp_path.iterdir())


def test_a_sweep_over_variants_names_the_runs_by_what_differs(tmp_path, capsys):
    options = ["--variant", "norm=none,layer", "--optimizer-option", "gamma=0.5,0.9", "--dry-run"]
    lr_sweep.main([*LR_SWEEP, "--store", str(tmp_path), *options])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "train norm=none gamma=0.5 base_lr=0.01 seed=0 (40 steps)"
    assert len([line for line in lines if line.startswith("train")]) == 16


def test_ctrl_c_leaves_valid_partial_runs_that_resume_completes(tmp_path, commands):
    options = [*LR_SWEEP, "--base-lr", "0.01,0.02", "--max-train-steps", "1500", "--seeds", "1"]
    sweep = subprocess.Popen(
        command(tmp_path, *options),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    while count_rows("small", tmp_path) < 200:
        assert not select.select([sweep.stderr], [], [], 0.01)[0], sweep.stderr.readline()
    os.killpg(sweep.pid, signal.SIGINT)
    assert sweep.communicate()[1].splitlines()[-1] == "interrupted; the same command with --resume continues"
    assert sweep.returncode == 130
    partial = read_study("small", tmp_path)
    assert "interrupted" in {run.record[schema.STATUS] for run in partial}
    assert commands.run("runners.lr_sweep", *options, "--store", str(tmp_path), "--resume").returncode == 0
    whole = read_study("small", tmp_path)
    assert {run.record[schema.STATUS] for run in whole} == {"finished"}
    assert {run.run_id for run in partial} <= {run.run_id for run in whole}
    assert len(whole) == 2


def test_the_workload_of_a_user_trains_by_its_module_and_function(tmp_path, commands):
    options = [
        "--workload",
        "tests.runners.own_workload:tiny",
        "--variant",
        "width=3",
        "--base-lr",
        "0.05",
        "--study",
        "own",
    ]
    done = commands.run("runners.lr_sweep", *options, "--store", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (own,) = read_study("own", tmp_path)
    assert own.record["width"] == 3
    assert own.record[schema.OPTIMIZER] == "sgd"
    assert len(own.steps) == 30


def test_an_error_in_a_run_is_one_line_and_exit_code_2(tmp_path, commands):
    workload = "tests.runners.own_workload:tiny"
    options = ["--workload", workload, "--variant", "num_batches=5", "--base-lr", "1", "--study", "x"]
    done = commands.run("runners.lr_sweep", *options, "--store", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == f"error: workload {workload} gave 5 batches, 30 are needed. Make batches endless\n"


def test_probe_trains_500_steps_at_the_rate_given_and_names_its_parent(store, commands):
    options = ["--study", "small", "--base-lr", "0.02", "--seeds", "1"]
    done = commands.run("runners.probe", *options, "--store", str(store))
    assert done.returncode == 0, done.stderr
    study = read_study("small", store)
    (probed,) = [run for run in study if run.record.get(schema.CHANGED) == schema.BASE_LR]
    assert (probed.base_lr, len(probed.steps)) == (0.02, 500)
    parent = study.by_id[probed.record[schema.PARENT_RUN]]
    assert (parent.base_lr, parent.record[schema.SEED]) == (0.01, 0)


def test_warmup_sweep_holds_for_twice_the_warmup_and_starts_from_the_series(store, commands):
    options = ["--study", "small", "--base-lr", "0.05", "--warmup-steps", "10,20", "--seeds", "2"]
    done = commands.run("runners.warmup_sweep", *options, "--store", str(store))
    assert done.returncode == 0, done.stderr
    runs = [run for run in read_study("small", store) if run.record.get(schema.CHANGED) == schema.WARMUP_STEPS]
    found = [(run.record[schema.WARMUP_STEPS], run.record[schema.SEED], len(run.steps)) for run in runs]
    assert sorted(found) == [(10, 0, 30), (10, 1, 30), (20, 0, 60), (20, 1, 60)]
    for warmed in runs:
        lrs = warmed.series(schema.LR)[1]
        assert lrs[0] == 0
        assert (lrs[warmed.record[schema.WARMUP_STEPS] :] == 0.05).all()
        assert warmed.record["gamma"] == 0.9


@pytest.mark.parametrize(
    ("main", "options", "message"),
    [
        (lr_sweep.main, [*LR_SWEEP, "--variant", "depht=3"], "has no option 'depht'. It has depth"),
        (lr_sweep.main, [*LR_SWEEP[:-1], "../x"], "study name '../x'"),
        (probe.main, ["--study", "gone"], "has no study gone"),
        (probe.main, ["--study", "foreign"], "study foreign has no runs of our runners"),
        (probe.main, ["--study", "two"], "has 2 series. Choose one by --variant: norm=layer or none"),
        (probe.main, ["--study", "two", "--variant", "norm=batch"], "has no series with norm=batch"),
        (warmup_sweep.main, ["--study", "small", "--warmup-steps", "ten"], "--warmup-steps ten is not"),
    ],
)
def test_what_a_command_cannot_do_is_refused(main, options, message, store):
    for norm in ("none", "layer"):
        if not (store / "two" / "runs" / norm).exists():
            fields = {"workload": "mlp", "optimizer": "sgd", "base_lr": 0.1, "max_train_steps": 1, "norm": norm}
            with RunWriter("two", store=store, run_id=norm, source="runner", **fields) as log:
                log.step(0, train_loss=1.0)
            with RunWriter("foreign", store=store, run_id=norm) as log:
                log.step(0, train_loss=1.0)
    with pytest.raises(RunLogError, match=message):
        main([*options, "--store", str(store)])


def test_a_series_without_a_metaparameter_is_chosen_by_none(tmp_path):
    for threshold in (None, 1.0):
        fields = {"workload": "mlp", "optimizer": "sgd", "base_lr": 0.1, "max_train_steps": 1}
        with RunWriter(
            "clips", store=tmp_path, run_id=str(threshold), source="runner", clip_threshold=threshold, **fields
        ) as log:
            log.step(0, train_loss=1.0)
    study = read_study("clips", tmp_path)
    assert [run.run_id for run in choose_series(study, {"clip_threshold": ["none"]})] == ["None"]
    assert [run.run_id for run in choose_series(study, {"clip_threshold": ["1.0"]})] == ["1.0"]


def test_an_adaptive_sweep_trains_part_of_the_grid_and_resumes_to_the_same_answer(tmp_path, commands):
    asked = "--adaptive --workload mlp --optimizer momentum --base-lr 1e-3:1:16 --max-train-steps 60 --study a --jobs 1"
    done = commands.run("runners.lr_sweep", *asked.split(), "--store", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "of the 16 runs of the grid were trained." in done.stdout
    assert 4 < len(read_study("a", tmp_path)) < 16
    again = commands.run("runners.lr_sweep", *asked.split(), "--store", str(tmp_path))
    assert (again.returncode, "Add --resume" in again.stderr) == (2, True)
    resumed = commands.run("runners.lr_sweep", *asked.split(), "--store", str(tmp_path), "--resume")
    assert resumed.stdout.splitlines() == done.stdout.splitlines()[-2:]
