"""Update sizes on logged norms."""

import numpy as np
import pytest

from analysis import update_sizes
from analysis.runlog import schema
from analysis.update_rules import UPDATE_RULES
from analysis.update_sizes import replay_update_sizes
from tests.studies import make_run


def sizes_on(norm):
    norm = np.asarray(norm, float)
    return replay_update_sizes(make_run(np.ones(len(norm)), columns={schema.GRAD_NORM: norm}))


def test_constant_norms_give_the_sizes_that_the_formulas_give():
    sizes = sizes_on(np.full(400, 2.0)).sizes
    assert list(sizes) == list(UPDATE_RULES)
    assert sizes["sgd"].tolist() == [2.0] * 400
    assert sizes["momentum"][[0, 1, -1]] == pytest.approx([2.0, 3.8, 20.0])
    assert sizes["nesterov"][[0, -1]] == pytest.approx([3.8, 20.0])
    assert sizes["rmsprop"][[0, -1]] == pytest.approx([2 / np.sqrt(0.9 + 0.4), 10.0])
    assert sizes["adam"] == pytest.approx(np.ones(400), rel=1e-6)
    assert sizes["nadam"][[0, -1]] == pytest.approx([1.9, 1.0], rel=1e-6)


def test_an_outlier_moves_sgd_in_full_and_adam_hardly():
    norm = np.ones(300)
    norm[200] = 100.0
    sizes = sizes_on(norm).sizes
    assert sizes["sgd"][200] == 100
    assert sizes["adam"][200] < 10


def test_norms_that_are_not_finite_are_left_out_and_counted():
    sizes = sizes_on([1.0, np.nan, 1.0, np.inf])
    assert sizes.steps.tolist() == [0, 2]
    assert sizes.num_not_finite == 2
    assert sizes.sizes["momentum"] == pytest.approx([1.0, 1.9])


def test_a_long_log_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(update_sizes, "MOST_NORMS", 10)
    sizes = sizes_on(np.ones(25))
    assert (len(sizes.norm), sizes.num_later) == (10, 15)


def test_norms_too_large_to_square_and_runs_without_norms_are_no_error():
    assert np.isfinite(sizes_on([1e200, 1.0]).sizes["adam"]).all()
    assert len(sizes_on([np.nan]).norm) == 0
