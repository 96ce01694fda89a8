import math
from dataclasses import replace

import pytest

from analysis.findings import diagnose
from analysis.warmup_commands import full_command, search_command
from analysis.warmup_cost import WarmupBudget
from analysis.warmup_tried import compare_tried, find_shortest, find_tried, say_tried
from runners import lr_sweep, warmup_sweep
from tests.studies import make_study, sweep, sweep_run

EDGE, STEADY = 0.3, 9.0  # becomes unstable there; nowhere


def warmed(base_lr, length, edge, seeds=3, steps=90):
    """Makes runs with a warmup, that break where the edge is below their learning rate."""
    runs = [sweep_run(base_lr, seed, edge, steps=steps, stride="1x1", warmup_steps=length) for seed in range(seeds)]
    return [replace(run, record={**run.record, "run_id": f"{run.run_id}-{steps}"}) for run in runs]


def judged(*groups):
    """Diagnoses a sweep that becomes unstable at 0.3, with further runs."""
    diagnosis = diagnose(make_study([*sweep(EDGE, stride="1x1"), *(run for group in groups for run in group)]))
    return diagnosis, next(sweep for sweep in diagnosis.sweeps if sweep.unstable_base_lr == EDGE and sweep.at_edge)


@pytest.fixture(scope="module")
def searched():
    """Ten steps break, twenty hold in two seeds, thirty in three."""
    return judged(warmed(3.0, 10, EDGE), warmed(3.0, 20, STEADY, seeds=2), warmed(3.0, 30, STEADY))


def test_every_length_has_its_state_and_the_shortest_that_held_is_found(searched):
    tried = find_tried(*searched)
    assert [(each.warmup_steps, each.state, each.is_full) for each in tried] == [
        (10, "broke", False),
        (20, "holds-so-far", False),
        (30, "held", False),
    ]
    assert find_shortest(tried) == (3.0, 30)
    assert say_tried(tried, EDGE) == (
        "At learning rate 3, 10 times the unstable one, a warmup of 30 steps is the shortest that held; 10 broke."
    )


def test_a_length_that_held_in_the_search_and_broke_in_full_training_is_out():
    tried = find_tried(*judged(warmed(3.0, 30, STEADY), warmed(3.0, 30, EDGE, steps=300)))
    assert [each.is_full for each in tried] == [False, True]
    assert find_shortest(tried) is None
    assert "no length held; the longest that broke is 30 steps" in say_tried(tried, EDGE)


def test_fewer_than_three_seeds_hold_only_so_far():
    tried = find_tried(*judged(warmed(3.0, 20, STEADY, seeds=2)))
    assert find_shortest(tried) is None
    assert "a warmup of 20 steps holds so far, in fewer than 3 seeds" in say_tried(tried, EDGE)


def test_full_training_is_compared_with_the_best_rate_without_warmup_at_the_best_checkpoint():
    diagnosis, found = judged(warmed(3.0, 30, STEADY), warmed(0.3, 30, STEADY, steps=300))
    baseline, tried = compare_tried(diagnosis, found, find_tried(diagnosis, found))
    assert (baseline.base_lr, len(baseline.runs)) == (found.lr_star, 3)
    full, search = tried
    assert (full.is_full, search.is_full) == (True, False)
    assert 0 < baseline.best_loss < full.setting.best_loss  # 0.3 ends higher than 0.1, as `sweep_run` makes it
    assert math.isnan(search.setting.best_loss)


def test_a_study_without_warmup_says_so():
    diagnosis, found = judged()
    assert find_tried(diagnosis, found) == ()
    assert say_tried((), EDGE) == "This study holds no run that warms this series up."


def test_the_commands_are_read_by_the_runners_that_they_name():
    diagnosis, found = judged()
    run = next(each.run for each in diagnosis.runs if each.series == found.series)
    budget = WarmupBudget(20, 400)
    words = search_command(diagnosis, run, 3.0, budget).split()
    assert words[:3] == ["python", "-m", "runners.warmup_sweep"]
    arguments = warmup_sweep.read_arguments(words[3:])
    assert (arguments.lengths, arguments.base_lr, arguments.max_train_steps) == ((20,), "3", 400)
    words = full_command(diagnosis, run, 3.0, budget, "cosine").split()
    assert words[:3] == ["python", "-m", "runners.lr_sweep"]
    arguments = lr_sweep.read_arguments(words[3:])
    assert (arguments.warmup_steps, arguments.schedule, arguments.max_train_steps) == (20, "cosine", 400)


def test_a_command_for_steps_as_in_the_study_does_not_repeat_them():
    diagnosis, found = judged()
    run = next(each.run for each in diagnosis.runs if each.series == found.series)
    assert "--max-train-steps" not in search_command(diagnosis, run, 3.0, WarmupBudget(20, 300))
