import random

import numpy as np
import pytest

from analysis.findings import diagnose
from analysis.headline import write_headline
from analysis.lr_words import number
from analysis.runlog import schema
from tests import curves
from tests.studies import make_run, make_study, sweep, sweep_run


def only_sweep(runs):
    """Diagnoses runs of one series and returns their sweep."""
    sweeps = diagnose(make_study(runs)).sweeps
    assert len(sweeps) == 1
    return sweeps[0]


def test_a_best_rate_just_below_the_break_is_called_edge():
    found = only_sweep(sweep(edge=0.3))
    assert (found.verdict, found.lr_star, found.unstable_base_lr) == ("edge", 0.1, 0.3)
    assert found.unstable_bracket == (0.1, 0.3)
    assert "0.1" in found.sentence
    assert "0.3" in found.sentence


def test_a_steady_sweep_says_how_far_it_looked():
    found = only_sweep(sweep(edge=1e9, best=0.3, lrs=(0.01, 0.03, 0.1, 0.3)))
    assert (found.verdict, found.unstable_base_lr, found.at_range_end) == ("no-instability-seen", None, "high")
    assert "too small" in found.sentence


def test_three_learning_rates_are_not_enough():
    assert only_sweep(sweep(edge=0.3, lrs=(0.03, 0.1, 0.3))).verdict == "not-enough-runs"


def test_a_best_rate_far_below_the_break_is_interior():
    found = only_sweep(sweep(edge=1.0, best=0.01, lrs=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)))
    assert (found.verdict, found.lr_star) == ("interior", 0.01)


def test_the_order_of_runs_changes_nothing():
    runs = sweep(edge=0.3)
    shuffled = random.Random(0).sample(runs, len(runs))
    assert only_sweep(runs) == only_sweep(shuffled)


def test_a_run_far_above_the_edge_moves_neither_best_nor_edge():
    before, after = only_sweep(sweep(edge=0.3)), only_sweep([*sweep(edge=0.3), sweep_run(10.0, 0, edge=0.3)])
    assert (before.lr_star, before.unstable_base_lr) == (after.lr_star, after.unstable_base_lr)


def test_two_variants_are_two_series_named_by_what_differs():
    runs = sweep(edge=0.3, stride="1x1") + sweep(edge=1e9, stride="2x2")
    found = {found.series: found.verdict for found in diagnose(make_study(runs)).sweeps}
    assert found == {"stride=1x1": "edge", "stride=2x2": "no-instability-seen"}


def test_runs_that_still_train_are_no_marks():
    runs = [*sweep(edge=0.3), sweep_run(0.1, 9, edge=0.3, **{schema.STATUS: "running"})]
    assert len(only_sweep(runs).runs) == 18


def test_infeasible_runs_are_marked_with_their_reason():
    runs = sweep(edge=0.3)
    found = only_sweep(runs)
    above = [mark for mark in found.runs if mark.base_lr >= 0.3]
    assert {mark.state for mark in above} <= {"rose", "infeasible"}
    assert all(mark.reason for mark in above)


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (3e-4, "3e-4"), (10.8, "10.8"), (2.0, "2"), (1e-10, "1e-10")]
)
def test_numbers_are_written_as_people_type_them(value, text):
    assert number(value) == text


def test_sensitivity_is_small_where_every_rate_does_well_and_large_where_few_do():
    flat = only_sweep(sweep(edge=1e9)).sensitivity
    steep = only_sweep(sweep(edge=0.03, best=0.01)).sensitivity
    assert 0 <= flat < steep <= 1


def test_headroom_is_the_distance_to_the_edge_in_decades():
    assert only_sweep(sweep(edge=1.0, best=0.1)).headroom_decades == pytest.approx(1.0)


def test_a_run_that_was_stopped_at_a_rise_counts_as_unstable():
    stopped = [sweep_run(0.3, seed, edge=0.3, **{schema.STATUS: "interrupted"}) for seed in range(3)]
    runs = [run for run in sweep(edge=0.3) if run.base_lr < 0.3]
    found = only_sweep(runs + stopped)
    assert (found.verdict, found.unstable_base_lr) == ("edge", 0.3)
    assert [mark.reason for mark in found.runs if mark.base_lr == 0.3] == ["ended after a rise"] * 3


def test_single_runs_that_break_are_said_though_no_rate_breaks_in_most_seeds():
    runs = [run for run in sweep(edge=1e9) if run.record[schema.SEED] or run.record[schema.BASE_LR] != 0.03]
    broken = sweep_run(0.03, 0, edge=0.01)
    diagnosis = diagnose(make_study([*runs, broken]))
    (found,) = diagnosis.sweeps
    assert found.verdict == "no-instability-seen"
    assert "1 of 18 runs is" in found.sentence
    assert write_headline(diagnosis).title == "1 of 18 runs breaks, at no learning rate in most seeds"


def test_noisy_slow_rates_make_no_plateau_of_an_edge():
    runs = [
        make_run(
            curves.decline(300, np.random.default_rng(seed), end=end * spread, noise=0.01),
            run_id=f"{base_lr}-{seed}",
            base_lr=base_lr,
            seed=seed,
        )
        for base_lr, end in ((1e-4, 1.6), (3e-4, 0.8), (1e-3, 0.4), (3e-3, 0.2), (1e-2, 2.2))
        for seed, spread in enumerate((0.6, 1.0, 1.5))
    ]
    found = only_sweep(runs)
    assert (found.lr_star, found.unstable_base_lr) == (3e-3, 1e-2)
    assert (found.tie_band, found.verdict) == ((1e-3, 3e-3), "edge")
