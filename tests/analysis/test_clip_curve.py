import numpy as np
import pytest

from analysis.clip_curve import span_thresholds, trace_thresholds
from analysis.clip_replay import NORM, cut_replays, replay_rules, tabulate_replays
from analysis.clipping import find_extreme_below, measure_clipping, share_clipped
from analysis.phases import split_phases


def test_every_threshold_of_the_curve_measures_as_clipping_does():
    norm = np.append(np.random.default_rng(0).lognormal(0, 1, 300), [np.nan, np.inf, 0.0])
    trace = trace_thresholds(norm, 0.05, 20.0, num_tried=30)
    for row in trace.itertuples():
        measured = measure_clipping(norm, row.clip_threshold)
        assert row.clipped_fraction == pytest.approx(measured.clipped_fraction)
        assert row.effective_lr_multiplier == pytest.approx(measured.effective_lr_multiplier)
    assert trace["clip_threshold"].iloc[[0, -1]].tolist() == pytest.approx([0.05, 20.0])


def test_the_limit_of_extreme_clipping_clips_half_at_most_and_anything_below_it_more():
    rng = np.random.default_rng(1)
    for size in (1, 2, 3, 10, 11, 200):
        norm = rng.lognormal(0, 1, size)
        below = find_extreme_below(norm)
        assert not measure_clipping(norm, below).extreme
        assert measure_clipping(norm, below * (1 - 1e-9)).extreme
    assert find_extreme_below(np.array([1.0, np.nan, np.inf])) == np.inf


def test_shares_by_phase_leave_out_phases_without_a_step_and_count_lost_norms_as_clipped():
    norm = np.array([5.0, 1.0, np.nan, 1.0])
    masks = {"warmup": [True, True, False, False], "stable": [False, False, True, True], "decay": [False] * 4}
    shares = share_clipped(norm, 2.0, {name: np.array(mask) for name, mask in masks.items()})
    assert shares == {"warmup": 0.5, "stable": 0.5}


def test_the_curve_spans_the_norms_and_the_threshold_but_no_single_giant():
    norm = np.append(np.ones(999), 1e15)
    low, high = span_thresholds(norm, 4.0)
    assert low == pytest.approx(1 / 1.3)
    assert high == pytest.approx(4 * 1.3)


def replays_of(norm, threshold=2.0):
    steps = np.arange(len(norm))
    return replay_rules(norm, split_phases(steps, len(norm)), threshold), steps


def test_the_table_of_replays_says_who_clips_first_and_what_gets_through():
    norm = np.ones(200)
    norm[[100, 150]] = 1000.0, np.nan
    norm += 0.01 * np.arange(200) % 0.05  # else every rule on the spread stands still
    replays, steps = replays_of(norm)
    table = tabulate_replays(replays, steps, norm).set_index("rule")
    assert table.loc["global_norm", ["first_step", "largest_norm"]].tolist() == pytest.approx([100, 2])
    assert table.loc["global_norm", "clipped_fraction"] == 2 / 200
    assert table.loc["skip_sigma", ["first_step", "skipped_fraction"]].tolist() == [100, 2 / 200]
    assert table.loc["skip_sigma", "largest_norm"] < 1.1
    assert table.loc["autoclip", "first_step"] < 10


def test_a_rule_that_clips_nothing_has_no_first_step():
    replays, steps = replays_of(np.ones(50), threshold=3.0)
    table = tabulate_replays(replays, steps, np.ones(50)).set_index("rule")
    assert np.isnan(table.loc["global_norm", "first_step"])
    assert table.loc["global_norm", "effective_lr_multiplier"] == 1.0


def test_pictures_of_replays_keep_spikes_and_their_number_of_points():
    norm = 1.0 + 0.1 * np.random.default_rng(0).random(100_000)
    norm[70_001] = 50.0
    replays, steps = replays_of(norm)
    points, num_points = cut_replays(replays, steps, norm)
    assert num_points == 500_000
    assert len(points) <= 5_000
    assert points.loc[points["line"] == NORM, "value"].max() == 50.0
    assert points.loc[points["line"] == "skip_sigma", "value"].isna().any()
