"""What the pictures draw, read from their Vega-Lite form."""

import numpy as np
import pytest

from analysis.charts.grad_norm import norm_bars, norm_curve, norm_domain, phase_bars
from analysis.charts.labels import log_ticks, place_beside, spread
from analysis.charts.loss import LossMarks, loss_curves
from analysis.charts.lr_axis import lr_axis
from analysis.charts.theme import CROSS, DARK, LIGHT, STAR
from analysis.curves import cut_curves, line_keys
from analysis.findings import diagnose
from analysis.focus import (
    choose_control,
    choose_sweep,
    evaluation_steps,
    event_bands,
    median_objectives,
    runs_of,
    start_loss,
)
from analysis.judge import judge_one
from analysis.norm_histogram import count_norms, count_norms_by_phase, largest_share
from analysis.phases import split_phases
from analysis.runlog import schema
from tests.charts.drawn import layers_of, spec_of, values_of, words_of
from tests.studies import make_run, make_study, sweep, sweep_run


@pytest.fixture(scope="module")
def diagnosis():
    lost = sweep_run(3.0, 0, 0.3, stride="1x1")
    steps, loss = lost.loss
    loss = np.where(steps > 40, np.nan, loss)
    lost = make_run(loss, **{**lost.record, schema.STATUS: "diverged"})
    return diagnose(make_study([*sweep(0.3, stride="1x1"), lost, *sweep(9.0, stride="2x2", seeds=2)]))


def draw_losses(diagnosis, lrs=None, colors=LIGHT, **more):
    sweep_ = choose_sweep(diagnosis)
    runs = runs_of(diagnosis, sweep_, lrs)
    curves = cut_curves(runs, line_keys(runs, sweep_))
    marks = LossMarks(event_bands(runs, curves.window), start_loss(runs), evaluation_steps(runs, curves.window))
    return loss_curves(curves, marks, colors, **more)


def draw_axis(diagnosis, colors=LIGHT):
    first = choose_sweep(diagnosis)
    return lr_axis(first, median_objectives(first), colors, [choose_control(diagnosis, first)])


def test_every_run_has_a_mark_on_the_axis_and_the_lost_one_is_a_cross_at_the_top_edge(diagnosis):
    chart = draw_axis(diagnosis)
    marks = values_of(chart, "point", "run_id")
    assert len(marks) == len(diagnosis.runs) + 1  # and the star
    crosses = marks[marks["shape"] == CROSS]
    assert "1x1-3-0" in set(crosses["run_id"])
    others = marks[marks["shape"] != CROSS]
    assert crosses["shown"].min() > others["shown"].max()
    assert crosses[crosses["run_id"] == "1x1-3-0"]["said"].item() == "not finite"


def test_the_star_stands_at_the_best_learning_rate_and_the_band_begins_between_stable_and_unstable(diagnosis):
    chart = draw_axis(diagnosis)
    marks = values_of(chart, "point", "run_id")
    assert marks[marks["shape"] == STAR]["lr"].tolist() == [0.1]
    assert values_of(chart, "rect", "x2")["x"].item() == pytest.approx(np.sqrt(0.1 * 0.3))
    assert {"best: 0.1", "infeasible", "unstable", "stride 2x2, control"} <= words_of(chart)


def test_runs_that_rose_first_are_rings_and_controls_are_hollow_diamonds():
    came_back = []
    for run in sweep(0.3, lrs=(0.3, 1.0), stride="1x1"):
        loss = run.loss[1].copy()
        loss[7:] = sweep_run(0.1, run.record[schema.SEED], 9.0).loss[1][7:] + 0.1
        came_back.append(make_run(loss, **run.record))
    runs = [*sweep(9.0, lrs=(0.003, 0.01, 0.03, 0.1), stride="1x1"), *came_back, *sweep(9.0, stride="2x2", seeds=2)]
    marks = values_of(draw_axis(diagnose(make_study(runs))), "point", "run_id")
    rings = marks[marks["state"] == "rose"]
    assert len(rings)
    assert set(rings["fill"]) == {LIGHT.page}
    assert set(marks[marks["state"] == "control"]["shape"]) == {"diamond"}


def test_a_sweep_without_any_finite_run_still_shows_its_crosses():
    runs = [make_run(np.full(60, np.nan), run_id=f"run-{lr:g}", base_lr=lr) for lr in (0.1, 0.3, 1.0, 3.0)]
    first = choose_sweep(diagnose(make_study(runs)))
    marks = values_of(lr_axis(first, median_objectives(first), LIGHT), "point", "run_id")
    assert (marks["shape"] == CROSS).sum() == 4


def test_losses_show_events_start_and_the_first_evaluation(diagnosis):
    chart = draw_losses(diagnosis, [0.1, 0.3])
    assert len(values_of(chart, "rect", "x2")) == 1
    words = words_of(chart)
    assert any(word.startswith("up to 2.") and word.endswith("times its start") for word in words)
    assert any(word.startswith("start 2.") for word in words)
    assert {"lr 0.1", "lr 0.3"} <= words


def test_a_lost_run_ends_in_a_cross_with_the_step_from_which_it_is_not_finite(diagnosis):
    chart = draw_losses(diagnosis, [0.1, 3.0])
    crosses = values_of(chart, "point", "from")
    assert crosses[["step", "from"]].to_numpy().tolist() == [[40, 41]]
    assert "not finite from step 41" in words_of(chart)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e300])
def test_one_bad_value_neither_reaches_vega_nor_flattens_the_others(value):
    loss = np.linspace(2, 1, 200)
    loss[100] = value
    run = judge_one(make_run(loss), "all runs")
    chart = loss_curves(cut_curves([run], line_keys([run], None)), LossMarks(start=2.0), LIGHT)
    (layer, _), *_ = [pair for pair in layers_of(chart) if pair[0]["mark"]["type"] == "line"]
    low, high = layer["encoding"]["y"]["scale"]["domain"]
    assert 0 < low < 1
    assert 2 < high < 1e4
    assert layer["encoding"]["y"]["axis"]["values"]


def test_losses_at_or_below_zero_get_a_linear_axis():
    run = judge_one(make_run(np.linspace(1, -1, 50)), "all runs")
    chart = loss_curves(cut_curves([run], line_keys([run], None)), LossMarks(), LIGHT)
    assert '"type": "linear"' in str(spec_of(chart)).replace("'", '"')


def test_a_color_belongs_to_a_learning_rate_whatever_else_is_shown(diagnosis):
    def color(chart, label):
        (layer, _), *_ = [pair for pair in layers_of(chart) if pair[0]["mark"]["type"] == "line"]
        scale = layer["encoding"]["color"]["scale"]
        return dict(zip(scale["domain"], scale["range"], strict=True))[label]

    assert color(draw_losses(diagnosis, [0.3]), "lr 0.3") == color(draw_losses(diagnosis), "lr 0.3") == LIGHT.infeasible
    assert color(draw_losses(diagnosis, [0.1], DARK), "lr 0.1") == DARK.feasible


def test_zoom_is_a_named_selection_bound_to_the_steps_so_that_a_refresh_keeps_it(diagnosis):
    params = [
        param for param in spec_of(draw_losses(diagnosis, can_zoom=True)).get("params", []) if param["name"] == "zoom"
    ]
    assert params[0]["bind"] == "scales"
    assert params[0]["select"]["encodings"] == ["x"]


def test_the_strip_of_learning_rates_shares_the_steps_of_the_losses(diagnosis):
    first = choose_sweep(diagnosis)
    steps = 120
    run = make_run(np.linspace(2, 1, steps), columns={schema.LR: np.linspace(0, 0.1, steps)}, base_lr=0.1)
    one = judge_one(run, first.series)
    keys = line_keys([one], None)
    lr = cut_curves([one], keys, schema.LR)
    lines = [layer for layer, _ in layers_of(loss_curves(cut_curves([one], keys), LossMarks(), LIGHT, lr))]
    domains = [layer["encoding"]["x"]["scale"]["domain"] for layer in lines if layer["mark"]["type"] == "line"]
    assert len(domains) == 2
    assert domains[0] == domains[1]


def test_a_constant_learning_rate_is_drawn_from_end_to_end_by_its_corners():
    lr = np.repeat([0.1, 0.2], 60)
    one = judge_one(make_run(np.linspace(2, 1, 120), columns={schema.LR: lr}, base_lr=0.1), "all runs")
    keys = line_keys([one], None)
    chart = loss_curves(cut_curves([one], keys), LossMarks(), LIGHT, cut_curves([one], keys, schema.LR))
    *_, (_, strip) = [pair for pair in layers_of(chart) if pair[0]["mark"]["type"] == "line"]
    assert strip[["step", "value"]].to_numpy().tolist() == [[0, 0.1], [59, 0.1], [60, 0.2], [119, 0.2]]


def test_the_threshold_goes_through_both_pictures_of_the_norm_and_colors_what_it_clips():
    norm = np.concatenate((np.full(90, 1.0), np.full(9, 5.0), [300.0]))
    one = judge_one(make_run(np.linspace(2, 1, 100), columns={schema.GRAD_NORM: norm}), "all runs")
    curves = cut_curves([one], line_keys([one], None), schema.GRAD_NORM)
    domain = norm_domain(norm, 2.0)
    left = norm_curve(curves, [99], 2.0, domain, LIGHT)
    right = norm_bars(count_norms(norm), 2.0, domain, LIGHT)
    assert values_of(left, "rule", "at")["at"].tolist() == values_of(right, "rule", "at")["at"].tolist() == [2.0]
    bars = values_of(right, "bar", "is_clipped")
    assert bars[bars["is_clipped"]]["count"].sum() == 10
    assert bars["count"].sum() == 100
    assert "threshold 2" in words_of(left)
    axes = [layers_of(chart)[0][0]["encoding"]["y"]["scale"]["domain"] for chart in (left, right)]
    assert axes[0] == axes[1]


def test_the_phases_share_their_axes_and_the_threshold_and_each_bar_is_a_share_of_its_phase():
    norm = np.concatenate((np.full(10, 30.0), np.full(80, 1.0), np.full(10, 0.2)))
    counts = count_norms_by_phase(norm, split_phases(np.arange(100), 100))
    top, domain = largest_share(counts.values()), norm_domain(norm, 2.0)
    charts = {name: phase_bars(counted, top, 2.0, domain, LIGHT) for name, counted in counts.items()}
    bars = {name: values_of(chart, "bar", "share") for name, chart in charts.items()}
    assert {name: table["share"].sum() for name, table in bars.items()} == {"early": 1, "middle": 1, "late": 1}
    assert {name: table["is_clipped"].any() for name, table in bars.items()} == {
        "early": True,
        "middle": False,
        "late": False,
    }
    for chart in charts.values():
        assert values_of(chart, "rule", "at")["at"].tolist() == [2.0]
        encoding = layers_of(chart)[0][0]["encoding"]
        assert encoding["x"]["scale"]["domain"] == list(domain)
        assert encoding["y"]["scale"]["domain"] == [0, pytest.approx(1.05)]


def test_axes_have_titles(diagnosis):
    for chart in (draw_axis(diagnosis), draw_losses(diagnosis)):
        titles = {
            layer["encoding"][channel]["axis"]["title"]
            for layer, _ in layers_of(chart)
            for channel in ("x", "y")
            if "axis" in layer["encoding"].get(channel, {})
        }
        assert titles in ({"learning rate", "final training loss"}, {"step", "training loss"})


def test_labels_at_line_ends_are_pushed_apart_and_stay_inside():
    placed = spread([50.0, 52.0, 51.0, 99.0, 99.0], 0, 100, 15)
    assert min(np.diff(sorted(placed))) >= 15 - 1e-9
    assert min(placed) >= 0
    assert max(placed) <= 100


def test_a_label_moves_to_the_other_side_when_its_place_is_taken():
    assert place_beside((50, 50), "best", (200, 100), [])[2] == "left"
    assert place_beside((50, 50), "best", (200, 100), [(55, 40, 120, 60)])[2] == "right"


@pytest.mark.parametrize(("low", "high"), [(0.9, 1.1), (1e-8, 1e8), (0.06, 9), (2.0, 2.01), (1e-300, 1e300)])
def test_log_axes_always_have_one_to_five_labels_inside_their_domain(low, high):
    ticks = log_ticks(low, high)
    assert 1 <= len(ticks) <= 5
    assert all(low <= tick <= high for tick in ticks)
