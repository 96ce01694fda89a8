"""Paths on a bowl: the limits are where theory and the paths themselves put them, and lost paths say their step."""

import numpy as np
import pytest

from analysis.trajectories import LOST_AT, describe_trajectory, follow, stability_limit

GAMMAS = (0.0, 0.5, 0.9, 0.99)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("gamma", GAMMAS)
def test_a_path_comes_closer_just_below_its_limit_and_leaves_just_above_it(rule, gamma):
    limit = stability_limit(rule, gamma)
    below = follow(rule, 0.99 * limit, 1.0, gamma, num_steps=5_000)
    above = follow(rule, 1.01 * limit, 1.0, gamma, num_steps=5_000)
    assert below.lost_step is None
    assert below.loss[-1] < 1e-6 * below.loss[0]
    assert above.lost_step is not None
    assert above.is_unstable
    assert not below.is_unstable


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("curvature", [1.0, 7.0])
def test_at_the_limit_the_largest_eigenvalue_of_a_step_is_minus_one(gamma, curvature):
    matrices = {
        "momentum": lambda lr: [[1 - lr * curvature, -lr * gamma], [curvature, gamma]],
        "nesterov": lambda lr: [[1 - lr * curvature * (1 + gamma), -lr * gamma**2], [curvature, gamma]],
    }
    for rule, matrix_at in matrices.items():
        limit = stability_limit(rule, gamma, curvature)
        eigenvalues = np.linalg.eigvals(np.array(matrix_at(limit)))
        worst = eigenvalues[np.argmax(np.abs(eigenvalues))]
        assert worst == pytest.approx(-1, abs=1e-9), rule
        assert np.abs(np.linalg.eigvals(np.array(matrix_at(0.999 * limit)))).max() < 1, rule


def test_the_limits_of_a_bowl_of_curvature_four():
    assert stability_limit("sgd", 0.9, 4.0) == 0.5
    assert stability_limit("momentum", 0.9, 4.0) == pytest.approx(0.95)
    assert stability_limit("nesterov", 0.9, 4.0) == pytest.approx(3.8 / 2.8 / 4)
    assert stability_limit("adam", 0.9, 4.0) is None


def test_sgd_shrinks_each_direction_by_its_own_factor():
    path = follow("sgd", 0.5, 10.0, num_steps=20)
    factors = np.array([1 - 0.05, 1 - 0.5])
    expected = path.theta[0] * factors ** np.arange(21)[:, None]
    np.testing.assert_allclose(path.theta, expected, rtol=1e-12)
    np.testing.assert_allclose(path.loss, (expected[:, 0] ** 2 / 10 + expected[:, 1] ** 2) / 2, rtol=1e-12)


def test_a_lost_path_is_cut_before_the_step_it_names():
    path = follow("sgd", 3.0, 1.0)  # every step doubles the distance: the loss grows fourfold
    assert path.lost_step == 10  # 4^9 < 1e6 < 4^10
    assert len(path.loss) == len(path.theta) == 10
    assert path.loss.max() <= LOST_AT * path.loss[0]
    assert describe_trajectory(path) == "Cut at step 10: the loss passed a million times its start."


def test_a_path_above_its_limit_that_is_not_yet_lost_says_so():
    assert describe_trajectory(follow("sgd", 2.001, 1.0)).startswith(
        "Above its limit. After 100 steps the loss is 1.22 times"
    )
    assert describe_trajectory(follow("sgd", 1.5, 1.0, num_steps=3)) == (
        "After 3 steps the loss is 0.0156 times its start."
    )


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("rule", ["momentum", "nesterov"])
def test_no_path_below_its_limit_is_taken_for_lost(rule, gamma):
    for share in (0.5, 0.9, 0.999):
        path = follow(rule, share * stability_limit(rule, gamma), 100.0, gamma, num_steps=3_000)
        assert path.loss.max() < 1e4 * path.loss[0]


@pytest.mark.parametrize("rule", ["rmsprop", "adam", "nadam"])
def test_rules_that_divide_by_the_gradient_stay_bounded_at_a_rate_ten_times_the_bowl(rule):
    path = follow(rule, 10.0, 30.0, num_steps=3_000)
    assert path.lost_step is None
    assert np.abs(path.theta).max() < 200


def test_a_rate_that_overflows_is_lost_and_not_an_error():
    assert follow("sgd", 1e200, 1.0).lost_step == 1
