"""How the local engine divides a plan, and how it decides."""

import multiprocessing

import pytest

from analysis.runlog import read_study, schema
from runners.config import RunConfig
from runners.engines import worker
from runners.engines.local import divide
from runners.engines.worker import Board, Target
from runners.plan import plan_runs
from runners.stacked import choice
from runners.stacked.grouping import group_runs, stack_key

OPTIONS = "--workload mlp --optimizer sgd --base-lr 0.01,0.02,1e18 --seeds 1 --max-train-steps 12 --study s"
SWEEP = OPTIONS.split()
STACKED = ("--jobs", "1", "--stack", "on")


def config(base_lr=0.01, max_train_steps=300, optimizer="momentum", **options):
    return RunConfig("mlp", optimizer, base_lr, max_train_steps, **options)


def test_runs_that_differ_in_rate_seed_schedule_and_clipping_share_a_key_and_no_others():
    same = [
        config(),
        config(0.1),
        config(seed=3),
        config(max_train_steps=7),
        config(warmup_steps=4),
        config(schedule="cosine"),
        config(clip_threshold=1.0),
        config(clip_rule="autoclip"),
        config(update_clip_threshold=1.0),
    ]
    assert len({stack_key(each) for each in same}) == 1
    others = [config(optimizer="adam"), config(optimizer_options={"gamma": 0.5}), config(variant={"norm": "layer"})]
    assert len({stack_key(each) for each in [*same, *others]}) == 4
    assert stack_key(config(clip_rule="skip_sigma")) is None


@pytest.mark.parametrize(("num_runs", "jobs", "sizes"), [(6, 2, [3, 3]), (7, 2, [3, 4]), (2, 2, [1, 1])])
def test_groups_are_split_so_that_all_jobs_have_work(num_runs, jobs, sizes):
    units = group_runs([config(seed=seed) for seed in range(num_runs)], jobs)
    assert [len(unit) for unit in units] == sizes
    assert sorted(index for unit in units for index in unit) == list(range(num_runs))


def test_no_more_runs_share_a_program_than_the_workload_says():
    units = group_runs([config(seed=seed) for seed in range(20)], jobs=1)
    wide = group_runs([RunConfig("stride_resnet", "momentum", 0.01, 4, seed=seed) for seed in range(20)], jobs=1)
    assert [len(unit) for unit in units] == [10, 10]
    assert [len(unit) for unit in wide] == [6, 7, 7]


def test_runs_of_two_variants_and_runs_that_skip_steps_do_not_mix():
    configs = [config(), config(variant={"norm": "layer"}), config(0.1), config(clip_rule="skip_sigma"), config(0.2)]
    assert sorted(group_runs(configs, 1)) == [[0, 2, 4], [1], [3]]


def test_only_long_runs_are_stacked_by_themselves_and_none_that_wandb_is_to_see():
    plan = plan_runs([config(), config(0.1), config(0.2, max_train_steps=20), config(0.3)])
    assert sorted(divide(plan, Target("s", stack="auto"), 1)) == [[0, 1, 3], [2]]
    assert divide(plan, Target("s", stack="on"), 1) == [[0, 1, 2, 3]]
    assert divide(plan, Target("s", stack="off"), 1) == [[0], [1], [2], [3]]
    assert divide(plan, Target("s", stack="on", log="both"), 1) == [[0], [1], [2], [3]]


def test_a_status_is_read_whole_or_not_at_all():
    board = Board(multiprocessing.get_context("spawn"), 2)
    assert board.read_status(1) == ""
    board.end_run(1, "stopped: early rise at step 9")
    assert (board.read_status(0), board.read_status(1)) == ("", "stopped: early rise at step 9")
    board.end_run(0, "é" * 300)
    assert set(board.read_status(0)) == {"é"}
    assert board.read_status(1) == "stopped: early rise at step 9"


@pytest.fixture
def board(monkeypatch):
    made = Board(multiprocessing.get_context("spawn"), 2)
    monkeypatch.setattr(worker, "_board", made)
    return made


@pytest.mark.parametrize(("stack", "speedup", "stacked"), [("auto", 2.0, 2), ("auto", 1.0, 1), ("on", 0.5, 2)], ids=str)
def test_auto_stacks_where_the_timing_says_so(board, tmp_path, monkeypatch, stack, speedup, stacked):
    monkeypatch.setattr(choice, "measure_speedup", lambda configs, compiles: speedup)
    unit = plan_runs([config(0.01, 3), config(0.02, 3)])
    worker.train_unit([0, 1], unit, Target("s", str(tmp_path), stack=stack))
    assert [run.record[schema.STACKED_RUNS] for run in read_study("s", tmp_path)] == [stacked] * 2
    assert [board.read_status(index) for index in range(2)] == ["finished"] * 2
    assert list(board.steps_done) == [3, 3]


def test_the_timing_times_both_and_trains_nothing(monkeypatch):
    one_run, both = ([0, 9, 10, 11, 12, 19, 20], [0, 9, 13, 17, 99, 103, 107])  # one tick a step, and four
    clock = iter(one_run + both)
    monkeypatch.setattr(choice.time, "process_time", lambda: next(clock))
    assert choice.measure_speedup([config(), config(1e18)]) == 2 * 1 / 4


def test_a_workload_that_cannot_be_stacked_is_said_once_and_trained(board, tmp_path, capsys):
    workload = "tests.runners.own_workload:normalized"
    for base_lr in (0.01, 0.03):
        configs = [RunConfig(workload, "sgd", base_lr + more, 3, variant={"dropout": 0.5}) for more in (0, 0.001)]
        worker.train_unit([0, 1], plan_runs(configs), Target("s", str(tmp_path), stack="on"))
    said = capsys.readouterr().err
    assert said.startswith(f"workload {workload} cannot train many runs in one program: vmap:")
    assert said.endswith("They are trained one by one\n")
    assert said.count("\n") == 1
    assert [run.record[schema.STACKED_RUNS] for run in read_study("s", tmp_path)] == [1] * 4


def test_a_sweep_trains_stacked_and_says_how_each_run_ended(commands, tmp_path):
    done = commands.run("runners.lr_sweep", *SWEEP, "--store", str(tmp_path), *STACKED)
    assert done.returncode == 0, done.stderr
    ends = sorted(line.split("] ")[1].split(",")[0] for line in done.stderr.splitlines())
    assert ends == ["base_lr=0.01 seed=0: finished", "base_lr=0.02 seed=0: finished", "base_lr=1e+18 seed=0: diverged"]
    study = read_study("s", tmp_path)
    assert [run.record[schema.STACKED_RUNS] for run in study] == [3] * 3
    assert sorted(len(run.steps) for run in study)[1:] == [12, 12]
    again = commands.run("runners.lr_sweep", *SWEEP, "--store", str(tmp_path), *STACKED, "--resume")
    assert "trained 0 runs, skipped 3 that were done" in again.stdout


def test_a_guard_stops_one_run_of_a_stacked_sweep(commands, tmp_path):
    options = [*SWEEP, "--base-lr", "0.001,0.7", "--max-train-steps", "60", "--on-rise", "stop", *STACKED]
    done = commands.run("runners.lr_sweep", *options, "--store", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "base_lr=0.7 seed=0: stopped: early rise at step" in done.stderr
    assert "base_lr=0.001 seed=0: finished" in done.stderr
