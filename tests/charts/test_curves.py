"""Which curves a picture shows, and that nothing that stands out is lost on the way."""

import numpy as np
import pytest

from analysis.curves import cut_curves, line_keys
from analysis.findings import diagnose
from analysis.focus import (
    choose_control,
    choose_sweep,
    choose_window,
    event_bands,
    lrs_around,
    pair_of_lrs,
    runs_of,
)
from analysis.judge import judge_one
from analysis.norm_histogram import count_norms, count_norms_by_phase, largest_share
from analysis.phases import split_phases
from analysis.side_by_side import compare_sweeps
from tests.studies import make_run, make_study, sweep


@pytest.fixture(scope="module")
def diagnosis():
    return diagnose(make_study(sweep(0.3, stride="1x1") + sweep(9.0, stride="2x2", seeds=2)))


def judged(loss, **record):
    return judge_one(make_run(loss, **record), "all runs")


def test_the_sweep_at_the_edge_comes_first_and_the_steady_one_is_its_control(diagnosis):
    first = choose_sweep(diagnosis)
    assert first.at_edge
    assert first.series == "stride=1x1"
    assert choose_control(diagnosis, first).series == "stride=2x2"
    assert pair_of_lrs(first, choose_control(diagnosis, first)) == (0.1, 0.3)


def test_the_picture_around_the_best_shows_it_the_next_above_and_ten_times(diagnosis):
    assert lrs_around(choose_sweep(diagnosis)) == (0.1, 0.3, 1.0)


def test_an_early_event_is_shown_in_its_first_steps_and_a_steady_run_whole(diagnosis):
    first = choose_sweep(diagnosis)
    assert choose_window(runs_of(diagnosis, first, [0.3])) == (0, pytest.approx(34, abs=10))
    assert choose_window(runs_of(diagnosis, first, [0.1])) == (0, 299)


def test_events_that_overlap_become_one_band_that_counts_its_runs(diagnosis):
    bands = event_bands(runs_of(diagnosis, choose_sweep(diagnosis), [0.3, 1.0]), (0, 299))
    assert len(bands) == 1
    assert bands[0].num_runs == 6
    assert bands[0].first_step <= 2
    assert 2.5 < bands[0].times < 3.2


def test_leaving_runs_out_never_recolors_the_others(diagnosis):
    first = choose_sweep(diagnosis)
    every = line_keys(runs_of(diagnosis, first), first)
    few = line_keys(runs_of(diagnosis, first, [0.3]), first)
    assert len(few) == 3
    for run_id, key in few.items():
        assert (key.state, key.shade) == (every[run_id].state, every[run_id].shade)
    assert {key.state for key in every.values()} == {"below", "lr_star", "above"}


def test_seeds_share_a_label_and_get_a_median(diagnosis):
    first = choose_sweep(diagnosis)
    runs = runs_of(diagnosis, first, [0.1])
    points = cut_curves(runs, line_keys(runs, first)).points
    assert set(points["label"]) == {"lr 0.1"}
    at_7 = points[points["step"] == 7]
    assert at_7[at_7["is_median"]]["value"].item() == np.median(at_7[~at_7["is_median"]]["value"])


def test_a_spike_of_one_step_among_a_million_is_drawn():
    loss = np.full(1_000_000, 0.5)
    loss[654_321] = 50.0
    run = judged(loss)
    curves = cut_curves([run], line_keys([run], None))
    assert curves.num_points == 1_000_000
    assert curves.num_drawn <= 5_000
    assert curves.points.loc[curves.points["value"].idxmax(), "step"] == 654_321


def test_two_hundred_long_runs_stay_within_five_thousand_points():
    runs = [judged(np.linspace(2, 1, 4_000), run_id=f"run-{i:03}", base_lr=0.1 + i) for i in range(200)]
    assert len(cut_curves(runs, line_keys(runs, None)).points) <= 5_000


def test_a_detail_gets_points_of_its_own():
    loss = 1 + 0.1 * np.sin(np.arange(400_000))
    run = judged(loss)
    keys = line_keys([run], None)
    coarse, close = (cut_curves([run], keys, detail=detail) for detail in (None, (1_000, 2_000)))

    def inside(curves):
        return int(curves.points["step"].between(1_000, 2_000).sum())

    assert inside(coarse) < 20
    assert inside(close) == 1_001
    assert close.points["step"].max() == 399_999


def test_a_run_that_is_lost_says_from_which_step_and_its_last_finite_loss():
    loss = np.concatenate((np.linspace(2, 1, 90), [40.0], [np.inf], np.full(8, np.nan)))
    run = judged(loss)
    (lost,) = cut_curves([run], line_keys([run], None)).lost
    assert (lost.last_step, lost.last_value, lost.lost_from) == (90, 40.0, 91)


def test_a_run_without_any_finite_loss_is_still_named():
    run = judged(np.full(20, np.nan))
    (lost,) = cut_curves([run], line_keys([run], None)).lost
    assert lost.lost_from == 0


def test_the_numbers_stand_beside_those_of_the_control(diagnosis):
    first = choose_sweep(diagnosis)
    rows = {row[0]: row[1:] for row in compare_sweeps(diagnosis, first, choose_control(diagnosis, first))}
    assert rows["Peak loss over start, at 0.3"][1] == "1.0"
    assert float(rows["Peak loss over start, at 0.3"][0].split(" to ")[-1]) > 2.5
    assert len(rows) == 4


def test_the_histogram_counts_every_norm_and_names_what_it_cannot_show():
    norm = np.array([1.0, 2.0, 2.0, 4.0, 0.0, np.nan, np.inf])
    counted = count_norms(norm, num_bins=4)
    assert counted.bins["count"].sum() == 4
    assert (counted.num_zero, counted.num_non_finite) == (1, 2)


def test_the_histograms_of_the_phases_hold_every_norm_once_in_bins_of_the_whole_run():
    norm = np.r_[np.geomspace(0.1, 100, 97), 0.0, np.nan, np.inf]
    counts = count_norms_by_phase(norm, split_phases(np.arange(100), 100), num_bins=10)
    assert [counted.num_norms for counted in counts.values()] == [10, 80, 10]
    assert (counts["late"].num_zero, counts["late"].num_non_finite) == (1, 2)
    whole = count_norms(norm, num_bins=10).bins
    assert set().union(*(counted.bins["low"] for counted in counts.values())) == set(whole["low"])
    assert sum(counted.bins["count"].sum() for counted in counts.values()) == whole["count"].sum()


def test_a_phase_that_was_not_reached_has_no_bins_and_no_share():
    counts = count_norms_by_phase(np.ones(50), split_phases(np.arange(50), 100))
    assert counts["late"].num_norms == 0
    assert counts["late"].bins.empty
    assert largest_share(counts.values()) == 1.0
