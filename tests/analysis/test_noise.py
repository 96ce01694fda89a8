import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import noise
from tests.curves import LAWS, draw_noise


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80), st.integers(1, 30), st.sampled_from([0.1, 0.5, 0.95]))
def test_trailing_rank_is_the_order_statistic_of_each_window(values, width, quantile):
    x = np.array(values)
    expected = []
    for i in range(len(x)):
        part = np.sort(x[max(0, i - width + 1) : i + 1])
        expected.append(part[min(len(part) - 1, int(quantile * len(part)))])
    assert noise.trailing_rank(x, width, quantile).tolist() == expected


@pytest.mark.parametrize("law", LAWS)
def test_the_spread_of_differences_is_the_spread_of_the_noise_within_a_half(law):
    x = draw_noise(law, 20_000, np.random.default_rng(0))
    robust = 1.4826 * np.median(np.abs(x - np.median(x)))
    _, r = noise.correlation_time(x)
    assert noise.difference_sd(x) / np.sqrt(1 - r) == pytest.approx(robust, rel=0.5)


@pytest.mark.parametrize(("law", "r"), [("gaussian", 0.0), ("ar.5", 0.5), ("ar.8", 0.8)])
def test_correlation_in_time_is_estimated_within_a_tenth(law, r):
    _, estimated = noise.correlation_time(draw_noise(law, 20_000, np.random.default_rng(1)))
    assert estimated == pytest.approx(r, abs=0.1)


def test_a_trend_and_an_event_are_not_taken_for_correlation():
    x = np.linspace(10, 0, 5000) + 0.1 * np.random.default_rng(2).normal(size=5000)
    x[2000:2300] += 5
    assert noise.correlation_time(x)[0] == 1.0


def test_second_differences_are_blind_to_a_straight_trend():
    assert noise.curvature_sd(np.linspace(0, 100, 50)) == pytest.approx(0, abs=1e-12)
