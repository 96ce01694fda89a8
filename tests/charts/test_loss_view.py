"""The picture of the Loss page, read from its Vega-Lite form: raw, whole, and told step by step."""

import numpy as np
import pytest

from analysis import curve_axis
from analysis.charts.drawing import write_svg
from analysis.charts.loss_view import LossView, Zoom, keys_among, picture_of_first_steps, picture_of_view
from analysis.charts.pictures import names_of
from analysis.charts.theme import LIGHT
from analysis.findings import diagnose
from analysis.focus import choose_sweep, runs_of
from analysis.judge import judge_one
from analysis.runlog import schema
from analysis.smoothing import MEDIAN, Smoothing
from tests.charts.drawn import layers_of, spec_of, values_of, words_of
from tests.studies import make_run, make_study, sweep

STEPS = 400


@pytest.fixture(scope="module")
def diagnosis():
    return diagnose(make_study(sweep(0.3, stride="1x1") + sweep(9.0, stride="2x2", seeds=2)))


def judged(loss, **more):
    return judge_one(make_run(loss, **more), "all runs")


def draw(runs, view=None, zoom=None, window=None, **more):
    keys = keys_among(runs, None, runs)
    window = window or (0, max(int(each.run.loss[0][-1]) for each in runs))
    names = {each.run.run_id: each.run.run_id for each in runs}
    return picture_of_view(runs, keys, names, LIGHT, window, view or LossView(), zoom or Zoom(), **more)


def lines_of(chart):
    return [(layer, values) for layer, values in layers_of(chart) if layer["mark"]["type"] == "line"]


def test_a_spike_of_one_step_among_a_million_is_drawn_and_under_the_crosshair():
    loss = np.full(1_000_000, 0.5)
    loss[654_321] = 50.0
    drawn = draw([judged(loss)])
    (_, values), *_ = lines_of(drawn.picture.chart)
    assert values.loc[values["value"].idxmax(), "step"] == 654_321
    assert len(values) <= 5_000
    assert "of 1,000,000 points drawn" in drawn.picture.caption
    told = values_of(drawn.picture.chart, "rect", "r0")
    assert told[told["r0"] == "50"]["step"].tolist() == [654_321]


def test_losses_that_are_not_finite_are_crosses_at_the_last_finite_point_and_named():
    loss = np.linspace(2, 1, STEPS)
    loss[100], loss[200:203], loss[390:] = np.nan, np.inf, np.nan
    chart = draw([judged(loss)]).picture.chart
    crosses = values_of(chart, "point", "said").set_index("step")["said"]
    assert crosses.to_dict() == {
        99: "not finite at step 100",
        199: "not finite at steps 200 to 202",
        389: "not finite from step 390",
    }
    assert set(crosses) <= words_of(chart)


def test_no_finite_loss_is_cut_off_unless_asked():
    loss = np.linspace(2, 1, STEPS)
    loss[300] = 1e9

    def top(view):
        (layer, _), *_ = lines_of(draw([judged(loss)], view).picture.chart)
        return layer["encoding"]["y"]["scale"]["domain"][1]

    assert top(LossView()) > 1e9
    assert top(LossView(is_linear=True)) > 1e9
    assert top(LossView(is_cut=True)) < 1e4


def test_smoothing_lies_on_top_of_the_raw_losses_which_stay():
    loss = 1 + np.random.default_rng(0).random(STEPS)
    raw = lines_of(draw([judged(loss)]).picture.chart)
    both = lines_of(draw([judged(loss)], LossView(smoothing=Smoothing(MEDIAN, 25))).picture.chart)
    assert (len(raw), len(both)) == (1, 2)
    under, over = both
    assert under[1]["value"].tolist() == loss.tolist()
    assert under[0]["mark"]["strokeWidth"] < over[0]["mark"]["strokeWidth"]
    assert over[1]["value"].std() < 0.5 * loss.std()
    caption = draw([judged(loss)], LossView(smoothing=Smoothing(MEDIAN, 25))).picture.caption
    assert "moving median of 25 steps" in caption
    assert "unsmoothed" not in caption


@pytest.mark.parametrize(
    ("axis", "title", "end"),
    [
        (curve_axis.STEP, "step", STEPS - 1),
        (curve_axis.SHARE, "share of the planned steps", 1.0),
        (curve_axis.TIME, "time since the start, seconds", 0.25 * (STEPS - 1)),
    ],
)
@pytest.mark.parametrize("is_log_x", [False, True])
def test_every_axis_carries_its_unit_and_shows_the_whole_run_on_both_scales(axis, title, end, is_log_x):
    run = judged(
        np.linspace(2, 1, STEPS),
        columns={schema.ELAPSED_SECONDS: 0.25 * np.arange(STEPS), schema.LR: np.full(STEPS, 0.1)},
        max_train_steps=STEPS,
    )
    for layer, _ in lines_of(draw([run], LossView(axis, is_log_x)).picture.chart):
        x = layer["encoding"]["x"]
        assert x["axis"]["title"] == title + ", logarithmic" * is_log_x
        assert x["scale"]["domain"] == [0, end]
        assert x["scale"].get("type", "linear") == ("symlog" if is_log_x else "linear")
        assert layer["encoding"]["y"]["axis"]["title"] in ("training loss", "lr")


def test_events_are_shaded_from_onset_to_recovery_with_what_they_cost_on_every_axis(diagnosis):
    runs = runs_of(diagnosis, choose_sweep(diagnosis), [0.3])
    bands = {}
    for axis in (curve_axis.STEP, curve_axis.SHARE):
        chart = draw(runs, LossView(axis)).picture.chart
        bands[axis] = values_of(chart, "rect", "x2")[["x", "x2"]].iloc[0].to_numpy()
        assert any(word.startswith("costs up to 6 step") for word in words_of(chart)), words_of(chart)
    assert bands[curve_axis.STEP] == pytest.approx(300 * bands[curve_axis.SHARE], abs=0.6)


def test_a_run_that_does_not_come_back_says_so():
    loss = np.linspace(2, 0.5, 2_000) + 0.01 * np.random.default_rng(0).random(2_000)
    loss[1_000:] += 3.0
    words = words_of(draw([judged(loss)]).picture.chart)
    assert any(word.startswith("not back after") for word in words), words


def test_a_color_stays_with_a_run_when_others_leave_also_without_learning_rates():
    runs = [judged(np.linspace(2, 1, 50), run_id=f"run-{i}", name=f"run-{i}") for i in range(4)]
    few = keys_among(runs[2:], None, runs)
    assert {run_id: key.shade for run_id, key in few.items()} == {"run-2": 2, "run-3": 3}
    assert keys_among(runs, None, runs)["run-3"].shade == 3


def test_the_crosshair_is_one_rule_and_the_zoom_stands_on_one_layer(diagnosis):
    spec = spec_of(draw(runs_of(diagnosis, choose_sweep(diagnosis), [0.1, 0.3])).picture.chart)
    params = {param["name"]: param for param in spec["params"]}
    assert params["zoom"]["bind"] == "scales"
    assert [len(params[name]["views"]) for name in ("zoom", "crosshair")] == [1, 1]
    assert not values_of_points(spec)


def values_of_points(spec):
    """Returns the layers of points that catch the mouse one by one."""
    flat = [layer for outer in spec["layer"] for layer in outer.get("layer", [outer])]
    return [layer for layer in flat if layer["mark"]["type"] == "point" and layer["mark"].get("opacity") == 0]


def test_a_link_opens_the_part_of_the_axis_that_it_names_with_points_of_its_own():
    run = judged(1 + 0.1 * np.sin(np.arange(400_000)))
    drawn = draw([run], zoom=Zoom((1_000, 2_000), (1_000, 2_000)))
    (layer, values), *_ = lines_of(drawn.picture.chart)
    assert layer["encoding"]["x"]["scale"]["domain"] == [1_000, 2_000]
    assert values["step"].between(1_000, 2_000).sum() == 1_001


def test_comments_are_numbers_on_the_axis_that_tell_what_they_say():
    run = judged(np.linspace(2, 1, STEPS), max_train_steps=STEPS)
    for axis, place in ((curve_axis.STEP, 40), (curve_axis.SHARE, 0.1)):
        chart = draw([run], LossView(axis), notes=[(40, "why here"), (200, "and here")]).picture.chart
        told = values_of(chart, "text", "number")
        assert told["number"].tolist() == ["1", "2"]
        assert told["at"].iloc[0] == pytest.approx(place)
        assert told["said"].iloc[0] == "why here"


def test_the_first_steps_stand_beside_a_long_run_and_count_what_begins_there(diagnosis):
    runs = runs_of(diagnosis, choose_sweep(diagnosis), [0.1, 0.3])
    picture = picture_of_first_steps(runs, keys_among(runs, choose_sweep(diagnosis), runs), LIGHT, LossView())
    assert picture.caption == "Rises that begin here: in 3 of 6 runs."
    (_, values), *_ = lines_of(picture.chart)
    assert values["step"].max() == 32
    late = [judged(np.linspace(2, 1, 50), first_step=1_000)]
    assert picture_of_first_steps(late, keys_among(late, None, late), LIGHT, LossView()) is None


def test_the_table_holds_the_drawn_numbers_and_the_drawing_is_svg(diagnosis):
    runs = runs_of(diagnosis, choose_sweep(diagnosis), [0.3])
    keys = keys_among(runs, choose_sweep(diagnosis), runs)
    drawn = picture_of_view(runs, keys, names_of(diagnosis), LIGHT, (0, 40), LossView())
    assert list(drawn.table) == ["run", "line", "kind", "step", "at", "train_loss"]
    assert set(drawn.table["kind"]) == {"raw", "median"}
    assert len(drawn.table[drawn.table["kind"] == "raw"]) == 3 * 41
    svg = write_svg(drawn.picture.chart)
    assert svg.startswith("<svg")
    assert "training loss" in svg
