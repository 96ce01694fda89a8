"""The picture of the gradient norm: raw, told step by step, with every stretch that is not finite marked."""

import numpy as np

from analysis.charts.grad_norm import norm_curve, norm_domain
from analysis.charts.step_axis import StepAxis
from analysis.charts.theme import LIGHT
from analysis.curve_axis import SHARE
from analysis.curves import cut_curves, line_keys
from analysis.judge import judge_one
from analysis.readings import read_columns
from analysis.runlog import schema
from analysis.smoothing import MEDIAN, Smoothing
from tests.charts.drawn import layers_of, spec_of, values_of, words_of
from tests.studies import make_run

STEPS = 20_000


def draw(norm, axis="step", **more):
    record = {schema.MAX_TRAIN_STEPS: len(norm)}
    one = judge_one(make_run(np.linspace(2, 1, len(norm)), columns={schema.GRAD_NORM: norm}, **record), "all runs")
    curves = cut_curves([one], line_keys([one], None), schema.GRAD_NORM, axis=axis, **more)
    readings = read_columns(curves, one, {"gradient norm": schema.GRAD_NORM, "training loss": schema.TRAIN_LOSS}, axis)
    x = StepAxis(axis, curves.window)
    return norm_curve(curves, [], 2.0, norm_domain(norm, 2.0), LIGHT, x_axis=x, readings=readings)


def test_an_outlier_of_one_step_is_drawn_and_told_with_the_loss_of_its_step():
    norm = np.ones(STEPS)
    norm[12_345] = 77.0
    chart = draw(norm)
    assert values_of(chart, "line", "value")["value"].max() == 77.0
    told = values_of(chart, "rect", "r0")
    assert told[told["r0"] == "77"][["step", "r1"]].to_numpy().tolist() == [[12_345, "1.38"]]


def test_norms_that_are_not_finite_are_crosses_with_their_steps():
    norm = np.ones(300)
    norm[100], norm[290:] = np.inf, np.nan
    said = values_of(draw(norm), "point", "said")["said"].tolist()
    assert said == ["not finite from step 290", "not finite at step 100"]
    assert set(said) <= words_of(draw(norm))


def test_a_smoothed_norm_lies_on_the_raw_one_and_the_axis_carries_its_unit():
    norm = 1 + np.random.default_rng(0).random(300)
    chart = draw(norm, SHARE, smoothing=Smoothing(MEDIAN, 25))
    under, over = [(layer, values) for layer, values in layers_of(chart) if layer["mark"]["type"] == "line"]
    assert under[1]["value"].tolist() == norm.tolist()
    assert over[1]["value"].std() < 0.5 * norm.std()
    assert under[0]["encoding"]["x"]["axis"]["title"] == "share of the planned steps"
    params = {param["name"]: param["views"] for param in spec_of(chart)["params"]}
    assert {name: len(views) for name, views in params.items()} == {"zoom": 1, "crosshair": 1}
