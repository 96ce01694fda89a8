"""What the pictures of warmup draw, read from their Vega-Lite form."""

import numpy as np
import pandas as pd
import pytest

from analysis.charts.theme import CROSS, LIGHT
from analysis.charts.warmup import schedule_pair, warmup_outcomes
from analysis.findings import diagnose
from analysis.schedule import schedule_lr
from analysis.warmup_tried import find_tried
from tests.charts.drawn import layers_of, spec_of, values_of, words_of
from tests.studies import make_study, sweep, sweep_run


def rates(shape, base_lr, train, warmup):
    steps = np.arange(train + warmup)
    return pd.DataFrame({"step": steps, "lr": schedule_lr(shape, base_lr, train, warmup, steps)})


def scale_of(chart, channel):
    return layers_of(chart)[0][0]["encoding"][channel]["scale"]


def test_both_schedules_are_drawn_to_their_last_step_and_the_phases_are_named():
    chart = schedule_pair(rates("cosine", 0.5, 100, 40), rates("constant", 0.1, 100, 0), 40, "cosine", LIGHT)
    lines = [values for layer, values in layers_of(chart) if layer["mark"]["type"] == "line"]
    assert [int(table["step"].max()) for table in lines] == [99, 139]
    assert values_of(chart, "rule", "at")["at"].tolist() == [40]
    assert words_of(chart) == {"warmup", "training: cosine, from step 40", "with warmup, up to 0.5", "now, up to 0.1"}
    assert scale_of(chart, "x")["domain"] == [0, 140]
    assert scale_of(chart, "y")["type"] == "linear"


def test_a_peak_far_above_the_present_one_gets_a_logarithmic_axis_and_its_zero_stands_at_the_edge():
    chart = schedule_pair(rates("constant", 3.0, 100, 10), rates("constant", 0.1, 100, 0), 10, "constant", LIGHT)
    scale = scale_of(chart, "y")
    assert scale["type"] == "log"
    assert values_of(chart, "line", "shown")["shown"].min() == scale["domain"][0] == pytest.approx(0.001)
    assert "10 steps of warmup, then training: constant" in words_of(chart)


def test_without_warmup_or_a_present_schedule_there_is_one_line_and_no_boundary():
    nothing = pd.DataFrame({"step": [], "lr": []}, dtype=float)
    chart = schedule_pair(rates("linear", 0.1, 100, 0), nothing, 0, "linear", LIGHT)
    assert not len(values_of(chart, "rule", "at"))
    assert words_of(chart) == {"linear, no warmup", "with warmup, up to 0.1"}


def test_outcomes_are_dots_rings_and_crosses_by_length_and_learning_rate():
    runs = sweep(0.3, stride="1x1")
    for length, edge, seeds in ((10, 0.3, 3), (20, 9.0, 2), (30, 9.0, 3)):
        runs += [sweep_run(3.0, seed, edge, steps=90, stride="1x1", warmup_steps=length) for seed in range(seeds)]
    diagnosis = diagnose(make_study(runs))
    sweep_ = next(each for each in diagnosis.sweeps if each.at_edge)
    chart = warmup_outcomes(find_tried(diagnosis, sweep_), 0.3, LIGHT)
    marks = values_of(chart, "point", "warmup_steps").set_index("warmup_steps")
    assert marks["said"].to_dict() == {10: "broke", 20: "holds so far", 30: "held"}
    assert marks["shape"].to_dict() == {10: CROSS, 20: "circle", 30: "circle"}
    assert marks["fill"].to_dict() == {10: "transparent", 20: LIGHT.page, 30: LIGHT.feasible}
    assert marks["seeds"].tolist() == ["0 of 3 steady", "2 of 2 steady", "3 of 3 steady"]
    assert values_of(chart, "rule", "at")["at"].tolist() == [0.3]
    assert "unstable without warmup from 0.3" in words_of(chart)
    assert spec_of(chart)["height"] == 300
