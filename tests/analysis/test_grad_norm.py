"""The shortcut around the search for outliers never leaves one out."""

import numpy as np
import pytest

from analysis.grad_norm import OUTLIER_RATIO, find_outliers, may_have_outliers, measure_grad_norm
from tests.studies import make_run


def run_of(norm):
    return make_run(np.linspace(2, 1, len(norm)), columns={"grad_norm": norm})


@pytest.mark.parametrize("num", [40, 41])
@pytest.mark.parametrize("times", [0.9, 0.998, 1.05, 3.0])
def test_runs_that_cannot_have_outliers_have_none(num, times):
    norm = 1 + 0.1 * np.random.default_rng(num).random(num)
    norm[7] = 2
    norm[7] = times * OUTLIER_RATIO * np.median(norm)  # a high value, as the 2 was: the median stays
    run = run_of(norm)
    assert may_have_outliers(measure_grad_norm(run)) == (times > 1)
    assert len(find_outliers(run)) == (times > 1)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_norm_that_is_not_finite_may_be_an_outlier(value):
    assert may_have_outliers(measure_grad_norm(run_of(np.array([1.0, 1.0, value, 1.0]))))
    assert may_have_outliers(measure_grad_norm(run_of(np.full(4, value))))
