"""Experiments as rounds, on the mlp, each command once in a process of its own."""

import pytest

from analysis.runlog import read_study, schema
from analysis.warmup import search_shortest
from runners import architecture_swap, check, clip_sweep, lower_lr, optimizer_swap, warmup_sweep

SWEEP = "--workload mlp --optimizer momentum --base-lr 0.003,0.01,0.03,0.3 --seeds 3 --max-train-steps 100 --study m"


class Tried:
    """What a search looks at of a setting."""

    def __init__(self, holds_so_far, num_runs=1):
        self.holds_so_far, self.runs = holds_so_far, [None] * num_runs


def search(answer, planned=(10, 100)):
    """Plays a search against lengths that hold from `answer` on; returns its end and every length it trained."""
    tried, trained = {}, []
    while (step := search_shortest(planned, tried, 3)).lengths:
        trained += step.lengths
        tried |= {length: Tried(length >= answer, 3 if step.all_seeds else 1) for length in step.lengths}
    return step, trained


@pytest.mark.parametrize("answer", [5, 11, 20, 37, 60, 99, 100])
def test_the_search_brackets_the_shortest_length_that_holds_within_its_precision(answer):
    step, _ = search(answer)
    assert step.shortest >= answer
    assert step.too_short is None or step.too_short < answer
    assert step.shortest <= 1.4 * (step.too_short or 10)


def test_where_no_length_holds_every_seed_has_tried_the_longest():
    step, trained = search(101)
    assert (step.shortest, trained) == (None, [10, 100, 100])


@pytest.fixture(scope="module")
def store(tmp_path_factory, commands):
    folder = tmp_path_factory.mktemp("rounds")
    assert commands.run("runners.lr_sweep", *SWEEP.split(), "--store", str(folder)).returncode == 0
    return folder


def run(commands, store, name, *options):
    """Runs an experiment; returns how it ended."""
    return commands.run(f"runners.{name}", "--study", "m", "--store", str(store), *options)


def test_check_trains_its_factors_says_why_and_is_not_begun_twice(store, commands):
    done = run(commands, store, "check")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Double check: learning rate 0.15, 5 times the best, 0.03.")
    assert lines[-2].startswith("At learning rate ")
    again = run(commands, store, "check")
    assert (again.returncode, again.stdout) == (2, "")
    assert "Add --resume to complete it" in again.stderr
    resumed = run(commands, store, "check", "--resume")
    assert resumed.stdout.splitlines() == [line for line in lines if not line.startswith("Double check")]


def test_a_dry_run_prints_the_first_round_and_what_may_follow(store, capsys):
    clip_sweep.main(["--study", "m", "--store", str(store), "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert "percentile 90 of the healthy steps, at learning rate 0.3" in lines[0]
    assert lines[-1] == "later rounds take at most 1,500 steps, depending on what these runs show"


@pytest.mark.parametrize(
    ("experiment", "why"),
    [
        (optimizer_swap, "optimizer=adam at 0.0001, 0.00032, 0.001, 0.0032, 0.01, 0.032, 0.1, one seed: where is"),
        (architecture_swap, "norm=layer at 0.003, 0.01, 0.03, 0.3, one seed: where is its best learning rate?"),
    ],
)
def test_a_swap_begins_with_one_seed_at_every_rate(experiment, why, store, capsys):
    experiment.main(["--study", "m", "--store", str(store), "--dry-run"])
    assert capsys.readouterr().out.startswith(why)


def test_lower_lr_trains_nothing_where_the_sweep_has_every_seed_at_the_highest_stable_rate(store, capsys):
    before = len(read_study("m", store))
    lower_lr.main(["--study", "m", "--store", str(store)])
    assert capsys.readouterr().out.splitlines()[-2].startswith("Held: base_lr=0.03 shows no rise in 3 of 3 seeds")
    assert len(read_study("m", store)) == before


def test_blown_runs_of_the_warmup_search_are_stopped_on_record_and_never_continued(store, commands):
    done = run(commands, store, "warmup_sweep")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2].startswith(("Held: ", "Failed: "))
    runs = [run for run in read_study("m", store) if run.record.get(schema.CHANGED) == schema.WARMUP_STEPS]
    assert runs
    stopped = [run for run in runs if run.record[schema.STATUS] == "stopped"]
    assert stopped
    assert all(schema.STOPPED_AT_RISE in run.record for run in stopped)
    assert all(run.record[schema.PARENT_RUN] in read_study("m", store).by_id for run in runs)
    resumed = run(commands, store, "warmup_sweep", "--resume")
    assert resumed.stdout.splitlines()[-2] == done.stdout.splitlines()[-2]
    assert len(read_study("m", store)) == len({run.run_id for run in read_study("m", store)})


@pytest.mark.parametrize("module", [architecture_swap, check, clip_sweep, lower_lr, optimizer_swap, warmup_sweep])
def test_help_has_an_example(module, capsys):
    with pytest.raises(SystemExit):
        module.read_arguments(["--help"])
    assert f"Example: python -m {module.MODULE}" in capsys.readouterr().out
