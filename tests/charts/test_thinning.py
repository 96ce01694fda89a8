"""Thinning keeps whatever stands out."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.thinning import share_points, thin

NUM_POINTS = 200


@settings(max_examples=25, deadline=None)
@given(
    spike=st.integers(0, 999_999),
    dip=st.integers(0, 999_999),
    lost=st.integers(0, 999_999),
    budget=st.integers(24, 2_000),
)
def test_a_spike_a_dip_and_a_nan_of_one_step_among_a_million_are_always_kept(spike, dip, lost, budget):
    values = np.sin(np.arange(1_000_000) / 3_000)
    values[dip], values[spike], values[lost] = -9.0, 9.0, np.nan
    kept = thin(values, budget)
    for index in {spike, dip, lost}:
        assert index in kept
    assert len(kept) <= budget + 2


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=400), budget=st.integers(4, 60)
)
def test_extremes_and_both_ends_of_every_gap_survive_in_any_series(values, budget):
    values = np.array(values)
    kept = thin(values, budget)
    finite = values[np.isfinite(values)]
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= 2 * budget
    if len(finite):
        assert values[kept][np.isfinite(values[kept])].max() == finite.max()
        assert values[kept][np.isfinite(values[kept])].min() == finite.min()
    if (~np.isfinite(values)).any():
        assert (~np.isfinite(values[kept])).any()


def test_twenty_spikes_survive_in_two_hundred_runs_of_ten_thousand_steps():
    rng = np.random.default_rng(0)
    shares = share_points([10_000] * 200, 5_000)
    assert sum(shares) <= 5_000
    for run in range(20):
        values = rng.gamma(4, 0.1, 10_000)
        values[spike := int(rng.integers(10_000))] = 8.0
        assert spike in thin(values, shares[run])


def test_short_lines_are_drawn_whole_and_long_ones_share_the_rest():
    assert share_points([100, 1_000_000, 1_000_000, 50], 1_150) == [100, 500, 500, 50]


def test_a_series_that_fits_is_not_thinned():
    assert thin(np.arange(NUM_POINTS, dtype=float), NUM_POINTS).tolist() == list(range(NUM_POINTS))
