"""What the pictures of the update rules draw, read from their Vega-Lite form."""

import numpy as np
import pytest

from analysis.charts.rule_differences import first_steps_panel
from analysis.charts.theme import CROSS, DARK, LIGHT
from analysis.charts.update_rules import EDGE, LEVELS, drawn_sizes, path_panel, sizes_domain, sizes_panel
from analysis.rule_differences import find_first_steps
from analysis.runlog import schema
from analysis.thinning import MAX_POINTS
from analysis.trajectories import follow
from analysis.update_sizes import replay_update_sizes
from tests.charts.drawn import layers_of, values_of, words_of
from tests.studies import make_run


def marks_of(chart, name):
    return [layer["mark"] for layer, _ in layers_of(chart) if layer["mark"]["type"] == name]


def sizes_on(norm):
    norm = np.asarray(norm, float)
    return replay_update_sizes(make_run(np.ones(len(norm)), columns={schema.GRAD_NORM: norm}))


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_a_path_is_drawn_point_by_point_and_blue_below_its_limit(colors):
    path = follow("sgd", 1.0, 30.0)
    chart = path_panel(path, 30.0, colors)
    drawn = values_of(chart, "line", "step")
    np.testing.assert_allclose(drawn[["flat", "steep"]], path.theta)
    np.testing.assert_allclose(drawn["times"], path.loss / path.loss[0])
    colored = [mark["color"] for mark in marks_of(chart, "line")]
    assert colored == [colors.control, colors.feasible]
    assert words_of(chart) == {"start"}
    assert not [mark for mark in marks_of(chart, "point") if mark.get("shape") == CROSS]


def test_a_path_above_its_limit_is_orange_and_a_lost_one_ends_in_a_cross_inside_the_picture():
    path = follow("sgd", 3.0, 1.0)
    chart = path_panel(path, 1.0, LIGHT)
    assert LIGHT.infeasible in [mark["color"] for mark in marks_of(chart, "line")]
    crosses = [values for layer, values in layers_of(chart) if layer["mark"].get("shape") == CROSS]
    assert len(crosses) == 1
    # From (-1, 0.8) to (2, -1.6): the right edge is met after three quarters of the way.
    assert crosses[0][["flat", "steep"]].to_numpy().tolist() == [pytest.approx([EDGE, -1.0])]
    drawn = values_of(chart, "line", "step")
    assert drawn["step"].tolist() == [0, 1, 2, 3]  # at 8 times the start it is far outside
    np.testing.assert_allclose(drawn[["flat", "steep"]], path.theta[:4])


def test_a_path_that_is_lost_in_its_first_step_is_a_cross_at_its_start():
    path = follow("sgd", 1e200, 1.0)
    crosses = [
        values for layer, values in layers_of(path_panel(path, 1.0, LIGHT)) if layer["mark"].get("shape") == CROSS
    ]
    assert crosses[0].to_numpy().tolist() == path.theta.tolist()


@pytest.mark.parametrize("condition_number", [1, 30, 1000])
def test_every_level_is_an_ellipse_of_one_loss(condition_number):
    levels = values_of(path_panel(follow("sgd", 1.0, condition_number), condition_number, LIGHT), "line", "level")
    levels = levels[levels["level"] != ""]
    loss = (levels["flat"] ** 2 / condition_number + levels["steep"] ** 2) / 2
    expected = np.sort(np.square(LEVELS) / 2)
    np.testing.assert_allclose(np.unique(loss.round(9)), expected, atol=1e-8)
    across = levels[levels["flat"].abs() < 0.1 * EDGE]
    assert set(np.sign(across["steep"])) >= {-1, 1}


def test_the_panels_share_one_axis_and_hold_norm_and_update_size():
    sizes = sizes_on(np.full(50, 2.0))
    low, high = sizes_domain(sizes)
    assert low < 1.0
    assert high > 20.0 * (1 - 0.9**50)
    drawn = values_of(sizes_panel(sizes, "momentum", (low, high), LIGHT), "line", "line")
    assert drawn[drawn["line"] == "norm"]["value"].tolist() == [2.0] * 50
    np.testing.assert_allclose(drawn[drawn["line"] == "momentum"]["value"], 20 * (1 - 0.9 ** np.arange(1, 51)))


def test_a_spike_of_one_step_in_a_long_log_is_drawn_and_points_stay_few():
    norm = np.ones(15_000)
    norm[7_777] = 500.0
    sizes = sizes_on(norm)
    drawn = drawn_sizes(sizes, "momentum")
    assert len(drawn) <= MAX_POINTS
    assert drawn[drawn["line"] == "norm"]["value"].max() == 500
    assert drawn[drawn["line"] == "momentum"]["value"].max() == pytest.approx(509)


def test_a_norm_of_zero_is_a_gap_on_the_logarithmic_axis():
    sizes = sizes_on([1.0, 0.0, 1.0])
    drawn = drawn_sizes(sizes, "sgd")
    assert drawn[drawn["line"] == "sgd"]["value"].isna().tolist() == [False, True, False]
    values_of(sizes_panel(sizes, "sgd", sizes_domain(sizes), LIGHT), "line", "line")  # JSON without NaN


@pytest.mark.parametrize("rule", ["rmsprop", "adam", "nadam"])
def test_first_steps_are_drawn_for_both_with_names_apart(rule):
    steps = find_first_steps(rule, np.geomspace(1e-8, 1e2, 11))
    chart = first_steps_panel(steps, LIGHT)
    drawn = values_of(chart, "line", "line")
    np.testing.assert_allclose(drawn[drawn["line"] == "playbook"]["size"], steps.playbook)
    np.testing.assert_allclose(drawn[drawn["line"] == "torch.optim"]["size"], steps.torch)
    assert words_of(chart) == {"playbook", "torch.optim"}
    assert values_of(chart, "text", "text")["y"].nunique() == 2


def test_torch_starts_rmsprop_at_one_size_and_the_playbook_with_the_gradient():
    steps = find_first_steps("rmsprop", np.array([1e-4, 1e-2, 1.0]))
    np.testing.assert_allclose(steps.torch, 1 / np.sqrt(0.1), rtol=1e-3)
    np.testing.assert_allclose(steps.playbook, steps.gradient / np.sqrt(0.9 + 0.1 * steps.gradient**2), rtol=1e-6)
