"""What the pictures of the playbook's figures draw, read from their Vega-Lite form."""

import numpy as np
import pytest

from analysis.charts.figures import draw_figure
from analysis.charts.theme import CROSS, DARK, LIGHT, STAR
from analysis.figures import find_figures
from analysis.figures.sparse_log import look_every
from analysis.findings import diagnose
from analysis.runlog import schema
from analysis.thinning import MAX_POINTS
from tests.analysis.figures.known import (
    before_and_after_warmup,
    norms,
    sudden_rises,
    variants,
    warmup_lengths,
)
from tests.charts.drawn import layers_of, spec_of, values_of, words_of
from tests.studies import make_run, make_study, sweep_run

STUDIES = {
    "4": variants,
    "5": variants,
    "6": warmup_lengths,
    "7a": variants,
    "7b": sudden_rises,
    "8": before_and_after_warmup,
    "9": lambda: [norms(base_lr=0.1)],
}


def drawn(number, runs=None, colors=LIGHT, every=None):
    """Returns a figure and its rows of pictures."""
    diagnosis = diagnose(make_study(runs or STUDIES[number]()))
    figure = next(each for each in find_figures(diagnosis) if each.number == number)
    look = look_every(figure.result.runs, every) if every else None
    return figure, draw_figure(figure, diagnosis, colors, look)


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("number", STUDIES)
def test_every_figure_is_drawn_with_its_finding_as_alt_text_in_the_colors_of_the_page(number, colors):
    figure, rows = drawn(number, colors=colors)
    for picture in (picture for row in rows for picture in row):
        spec = spec_of(picture.chart)
        assert spec["config"]["axis"]["gridColor"] == colors.grid
        assert picture.alt.endswith(".")
        assert "drawn" in picture.caption or "runs" in picture.caption
    if number not in ("5", "7b"):
        assert rows[0][0].alt == figure.caption


def test_figure_4_and_8_draw_every_run_of_both_series_two_stars_and_two_rows_of_crosses():
    for number in ("4", "8"):
        figure, rows = drawn(number)
        marks = values_of(rows[0][0].chart, "point", "run")
        assert len(marks) == len(figure.runs) + 2
        stars = marks[marks["shape"] == STAR]
        assert sorted(stars["fill"]) == sorted([LIGHT.star_fill, LIGHT.page])
        crosses = marks[marks["shape"] == CROSS]
        others = marks[marks["shape"] != CROSS]
        assert len(crosses)
        assert crosses["shown"].min() > others["shown"].max()
        assert crosses.groupby("is_focus")["shown"].nunique().tolist() == [1] * crosses["is_focus"].nunique()


def test_figure_4_marks_the_learning_rates_of_its_loss_pictures_which_share_their_axis():
    figure, (axis, losses) = drawn("4")
    links = [values for layer, values in layers_of(axis[0].chart) if layer["mark"].get("opacity") == 0.35]
    assert links[0]["lr"].tolist() == [figure.result.low_lr, figure.result.high_lr]
    assert [picture.title for picture in losses] == ["Learning rate 0.1", "Learning rate 0.3"]
    domains = [y_domain(picture.chart) for picture in losses]
    assert domains[0] == domains[1]


def y_domain(chart):
    """Returns the domain of the first y-axis of a chart."""
    return next(
        layer["encoding"]["y"]["scale"]["domain"]
        for layer, _ in layers_of(chart)
        if "scale" in layer["encoding"].get("y", {})
    )


def test_figure_5_draws_all_steps_beside_every_k_th_one_as_dots_on_one_axis():
    figure, ((full, sparse),) = drawn("5", every=4)
    points = values_of(sparse.chart, "point", "value")
    every_step = sorted(set(values_of(full.chart, "line", "value")["step"]))
    assert every_step == list(range(len(every_step)))
    assert sorted(set(points["step"])) == every_step[::4]
    assert y_domain(full.chart) == y_domain(sparse.chart)
    look = look_every(figure.result.runs, 4)
    assert sparse.title == f"Logged every 4 steps: {look.num_seen} of 3 rises seen"
    assert any(
        layer["mark"].get("opacity") == 1.0 for layer, _ in layers_of(sparse.chart) if "opacity" in layer["mark"]
    )


def test_figure_6_counts_steps_from_one_and_colors_lengths_by_whether_they_hold():
    _, ((loss, lr),) = drawn("6")
    points = values_of(loss.chart, "line", "at")
    assert (points["at"] == points["step"] + 1).all()
    states = points.groupby("label")["state"].agg(lambda states: "".join(set(states)))
    assert states.to_dict() == {"no warmup": "above", "10 steps": "above", "50 steps": "below", "100 steps": "below"}
    rates = values_of(lr.chart, "line", "at")
    ramp = rates[(rates["label"] == "100 steps") & rates["shown"].notna()].sort_values("at")
    assert ramp["shown"].max() == pytest.approx(0.3)
    assert ramp["value"].drop_duplicates().iloc[:2].tolist() == pytest.approx([0, 0.3 / 100])
    assert ramp["shown"].iloc[0] == lr.chart.to_dict()["layer"][0]["encoding"]["y"]["scale"]["domain"][0]  # the edge
    for chart in (loss.chart, lr.chart):
        scales = [layer["encoding"][axis]["scale"]["type"] for layer, _ in layers_of(chart)[:1] for axis in "xy"]
        assert scales == ["log", "log"]
    assert {"no warmup", "10 steps", "50 steps", "100 steps"} <= words_of(loss.chart)


def test_figure_6_marks_where_a_run_is_lost():
    runs = warmup_lengths()
    loss = np.where(np.arange(300) > 40, np.nan, runs[0].loss[1])
    runs[0] = make_run(loss, **{**runs[0].record, schema.STATUS: "diverged"})
    _, ((picture, *_),) = drawn("6", runs)
    crosses = values_of(picture.chart, "point", "from")
    assert crosses[["at", "from"]].values.tolist() == [[41, 41]]


def test_figure_7a_has_its_crosses_at_the_top_and_no_control():
    figure, ((picture,),) = drawn("7a")
    marks = values_of(picture.chart, "point", "run_id")
    assert len(marks) == len(figure.result.runs) + 1
    assert set(marks["state"]) <= {"feasible", "rose", "infeasible", "lr_star"}


def test_figure_7b_draws_the_best_and_each_rate_above_on_one_axis():
    _, (row,) = drawn("7b")
    assert [picture.title for picture in row] == ["0.1, the best", "0.5, 5 times the best"]
    assert len({tuple(y_domain(picture.chart)) for picture in row}) == 1
    assert row[1].alt.startswith("2 of 3 rise after a decline.")


def test_figure_8_has_an_arrow_from_edge_to_edge():
    figure, ((picture,),) = drawn("8")
    arrow = values_of(picture.chart, "rule", "to")
    assert arrow[["lr", "to"]].values.tolist() == [
        [figure.result.before.unstable_base_lr, figure.result.after.unstable_base_lr]
    ]
    assert {"edge 0.1", "edge 1", "no warmup, best 0.03", "30 warmup steps, best 0.3"} <= words_of(picture.chart)


def test_figure_9_rules_both_thresholds_and_writes_what_each_clips():
    figure, ((picture,),) = drawn("9")
    rules = values_of(picture.chart, "rule", "at")
    assert rules["at"].tolist() == [figure.result.aggressive.clip_threshold, figure.result.better.clip_threshold]
    assert {"251 clips 75%", "900 clips 10%"} <= words_of(picture.chart)


def test_figure_4_shows_a_variant_without_any_finite_run_by_its_crosses():
    lost = [
        make_run(
            np.full(60, np.nan),
            **variants()[0].record | {"stride": "3x3", schema.RUN_ID: f"lost-{lr:g}", schema.BASE_LR: lr},
        )
        for lr in (0.03, 0.1, 0.3, 1.0)
    ]
    figure, (axis, _) = drawn("4", [*variants()[:18], *lost])
    assert "has no feasible run" in figure.caption
    marks = values_of(axis[0].chart, "point", "run")
    assert (marks["shape"] == CROSS).sum() >= 4
    assert (marks["shape"] == STAR).sum() == 1


def test_words_of_figure_8_stand_clear_of_each_other():
    _, ((picture,),) = drawn("8")
    words = values_of(picture.chart, "text", "text")
    places = list(zip(words["x"], words["y"] * np.exp(words["dy"] / 100), strict=True))
    assert len(set(places)) == len(places)


def test_no_picture_draws_more_points_than_a_browser_can_redraw():
    long = [make_run(np.tile(run.loss[1], 40), base_lr=run.base_lr, **facts(run)) for run in long_runs()]
    diagnosis = diagnose(make_study(long))
    for figure in find_figures(diagnosis):
        if not figure.applies:
            continue
        for picture in (picture for row in draw_figure(figure, diagnosis, LIGHT) for picture in row):
            drawn_points = [
                len(values) for layer, values in layers_of(picture.chart) if layer["mark"]["type"] == "line"
            ]
            assert sum(drawn_points) <= MAX_POINTS, figure.number


def long_runs():
    """Makes a few runs of a sweep at the edge."""
    return [sweep_run(lr, seed, 0.3) for lr in (0.03, 0.1, 0.3, 1.0) for seed in (0, 1)]


def facts(run):
    """Returns what a longer copy of a run keeps of its record."""
    return {"run_id": run.run_id, schema.SEED: run.record[schema.SEED], schema.INIT_LOSS_MEAN: 2.4}


def test_a_loss_of_a_lost_run_never_reaches_the_browser_as_nan():
    runs = variants()
    loss = np.where(np.arange(300) > 3, np.inf, runs[-1].loss[1])
    runs[-1] = make_run(loss, **{**runs[-1].record, schema.STATUS: "diverged"})
    for number in ("4", "5", "7a", "7b"):
        figure, rows = drawn(number, runs)
        assert figure.applies
        for picture in (picture for row in rows for picture in row):
            assert spec_of(picture.chart)["layer"]
