"""Smoothing is for the eye: it follows the raw values, leaves gaps where they are, and never moves a step."""

import numpy as np
import pytest

from analysis.smoothing import MEAN, MEDIAN, Smoothing, smooth

STEPS = np.arange(200)


@pytest.mark.parametrize("kind", [MEDIAN, MEAN])
def test_a_flat_curve_stays_as_it_is_and_every_gap_stays_a_gap(kind):
    values = np.full(200, 0.5)
    values[[20, 21, 150]] = [np.nan, np.inf, -np.inf]
    smoothed = smooth(STEPS, values, Smoothing(kind, 15))
    assert np.isnan(smoothed[[20, 21, 150]]).all()
    assert np.allclose(smoothed[np.isfinite(values)], 0.5)


def test_a_moving_median_forgets_a_spike_of_one_step_and_an_average_fades_it():
    values = np.ones(200)
    values[100] = 50.0
    assert smooth(STEPS, values, Smoothing(MEDIAN, 9)).max() == 1.0
    faded = smooth(STEPS, values, Smoothing(MEAN, 9))
    assert faded.argmax() == 100
    assert (np.diff(faded[100:150]) < 0).all()


def test_the_median_looks_to_both_sides_and_the_average_only_back():
    ramp = STEPS.astype(float)
    assert smooth(STEPS, ramp, Smoothing(MEDIAN, 11))[50] == 50.0
    assert smooth(STEPS, ramp, Smoothing(MEAN, 11))[50] == pytest.approx(45, abs=0.1)


def test_a_window_is_counted_in_steps_whatever_the_stride_of_the_log():
    values = np.random.default_rng(0).normal(size=200)
    every_step = smooth(STEPS, values, Smoothing(MEDIAN, 5))
    every_tenth = smooth(10 * STEPS, values, Smoothing(MEDIAN, 50))
    assert np.array_equal(every_step, every_tenth)


@pytest.mark.parametrize("values", [[], [2.0], [np.nan]])
def test_a_curve_of_no_or_one_value_is_its_own(values):
    smoothed = smooth(np.arange(len(values)), np.array(values, float), Smoothing(MEDIAN, 9))
    assert np.array_equal(smoothed, np.array(values, float), equal_nan=True)
