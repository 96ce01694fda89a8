"""Many runs in one path: the pen is lifted between two of them."""

import re

import numpy as np
import pytest

from analysis.charts.drawing import write_svg
from analysis.charts.log_curves import log_curves
from analysis.charts.loss import LossMarks, loss_curves
from analysis.charts.theme import LIGHT
from analysis.curves import cut_curves, line_keys
from analysis.findings import diagnose
from tests.studies import make_run, make_study

NUM_RUNS = 12


@pytest.fixture(scope="module")
def curves():
    draw = np.random.default_rng(0)
    runs = [
        make_run(2 - np.linspace(0, 1, 60) + 0.1 * draw.random(60), run_id=f"r{i:02}", base_lr=0.1, seed=i)
        for i in range(NUM_RUNS)
    ]
    judged = diagnose(make_study(runs)).runs
    return cut_curves(judged, line_keys(judged, None))


def paths_of(svg, width):
    """Returns the strokes of each path of a width: how many there are, and whether any goes back to the left."""
    drawn = re.findall(rf'<path[^>]* d="([^"]+)"[^>]*stroke-width="{width}"', svg)
    strokes = [re.findall(r"M([^M]+)", each) for each in drawn]
    steps = [
        [float(at.split(",")[0]) for at in stroke.replace("L", " ").split()] for each in strokes for stroke in each
    ]
    return [len(each) for each in strokes], any(np.diff(each).min() < 0 for each in steps)


@pytest.mark.parametrize(
    "draw", [lambda curves: loss_curves(curves, LossMarks(), LIGHT), lambda curves: log_curves(curves, "loss", LIGHT)]
)
def test_runs_of_one_label_are_one_path_in_which_each_is_a_stroke_of_its_own(curves, draw):
    strokes, goes_back = paths_of(write_svg(draw(curves)), 1)
    assert strokes == [NUM_RUNS]
    assert not goes_back
