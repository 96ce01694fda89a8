"""The warmup lab: the plan, the account of a prepended schedule, and what was tried."""

import numpy as np
import pytest

from analysis.runlog import schema
from tests.app_pages.stores import add_study, text_of
from tests.app_pages.test_pages import STUDIES
from tests.studies import make_run, sweep, sweep_run


def of_runs(open_app, monkeypatch, tmp_path, runs, **query):
    """Opens the lab on a study of these runs."""
    add_study(tmp_path / "studies", "own", runs, tmp_path / "files")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    app = open_app("own", "warmup", **query)
    assert not app.exception
    return app


@pytest.mark.parametrize("study", STUDIES)
def test_every_kind_of_study_is_shown_without_an_exception(open_app, study):
    app = open_app(study, "warmup")
    assert not app.exception
    assert app.title[0].value == "Warmup"


def test_the_plan_is_the_playbooks_with_its_costs(open_app):
    app = open_app("edge", "warmup")
    said = text_of(app)
    assert "unstable at learning rate **0.3**. Ramp from 0 to **3**, 10 times that" in said
    assert "go on to **30**, 100 times" in said
    assert "The longest to try is 30 steps, 10% of 300" in said
    table = app.table[0].value
    assert table["warmup steps"].tolist() == ["10", "30"]
    assert table["share of training"].tolist() == ["3.3%", "10%"]
    assert table["steps held after"].tolist() == ["30", "60"]
    assert table["search, 3 seeds"].tolist() == ["120 steps", "270 steps"]
    assert table["full training with it"].tolist() == ["310 steps", "330 steps"]
    assert "No time is estimated" in said


def test_the_time_is_estimated_from_the_logged_seconds(open_app, monkeypatch, tmp_path):
    runs = []
    for run in sweep(0.3, stride="1x1"):
        columns = {name: run.steps[name].to_numpy() for name in run.steps.column_names[2:]}
        columns[schema.ELAPSED_SECONDS] = 0.5 * np.arange(300)
        runs.append(make_run(run.loss[1], columns=columns, **run.record))
    app = of_runs(open_app, monkeypatch, tmp_path, runs)
    assert app.table[0].value["search time"].tolist() == ["60 s", "2 min"]  # 120 and 270 steps of half a second
    assert app.table[0].value["training time"].tolist() == ["3 min", "3 min"]
    assert "at 500 ms a step, as logged" in text_of(app)


def test_a_study_without_an_unstable_rate_says_so_and_gives_the_probe(open_app):
    app = open_app("steady", "warmup")
    assert app.info[0].value.startswith("No learning rate up to 1 is known to be unstable")
    assert app.code[0].value == "python -m runners.probe --study steady --base-lr 0.2"
    assert not app.table


def test_the_account_adds_the_warmup_in_front_and_follows_its_inputs(open_app):
    app = open_app("edge", "warmup")
    assert (app.number_input(key="base_lr").value, app.number_input(key="max_train_steps").value) == (3.0, 300)
    assert "300 + 10 = 310 steps. The warmup is 3.3% of 300, not above 5%" in app.info[0].value
    app.select_slider(key="warmup_steps").set_value(20).run()
    assert "300 + 20 = 320 steps. The warmup is 6.7% of 300, above 5%" in app.warning[0].value
    app.number_input(key="max_train_steps").set_value(100).run()
    assert "100 + 20 = 120 steps. The warmup is 20% of 100, longer than 10%" in app.warning[0].value
    assert "hold for 40 steps" in text_of(app)
    assert app.code[0].value == (
        "python -m runners.warmup_sweep --study edge --variant stride=1x1 --base-lr 3 --warmup-steps 20 "
        "--max-train-steps 100"
    )
    assert "--max-train-steps 100 --warmup-steps 20 --resume" in app.code[1].value


def test_a_link_opens_the_account_it_names(open_app):
    app = open_app("edge", "warmup", warmup_steps="50", schedule="cosine", base_lr="0.7", max_train_steps="2000")
    assert "2,000 + 50 = 2,050 steps" in app.info[0].value
    assert "--base-lr 0.7 --warmup-steps 50 --max-train-steps 2000" in app.code[0].value
    assert "--schedule cosine" in app.code[1].value


def test_another_study_fills_the_inputs_anew(open_app):
    app = open_app("edge", "warmup")
    app.number_input(key="max_train_steps").set_value(7_000).run()
    app.selectbox(key="study").set_value("one-rate").run()
    assert not app.exception
    assert app.number_input(key="max_train_steps").value == 120
    assert app.number_input(key="base_lr").value == 0.1


def test_what_was_tried_is_said_drawn_and_listed(open_app, monkeypatch, tmp_path):
    runs = sweep(0.3, stride="1x1")
    for length, edge in ((10, 0.3), (30, 9.0)):
        runs += [sweep_run(3.0, seed, edge, steps=90, stride="1x1", warmup_steps=length) for seed in range(3)]
    app = of_runs(open_app, monkeypatch, tmp_path, runs)
    assert "a warmup of 30 steps is the shortest that held; 10 broke" in text_of(app)
    table = app.dataframe[0].value
    assert table["warmup steps"].tolist() == [10, 30]
    assert table["outcome"].tolist() == ["broke", "held"]
    assert table["seeds steady"].tolist() == ["0 of 3", "3 of 3"]
    assert table["best checkpoint"].tolist() == ["", ""]  # searches are shorter than training
    assert "Best checkpoint without warmup, at learning rate 0.1: validation loss 0." in text_of(app)
    assert app.select_slider(key="warmup_steps").value == 20  # the step of the slider nearest to 30
    assert app.number_input(key="base_lr").value == 3.0  # where it held
    assert len(app.get("vega_lite_chart")) == 2
