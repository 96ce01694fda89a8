"""What the crosshair says is what was logged nearest to it."""

import numpy as np

from analysis import curve_axis
from analysis.curves import cut_curves, line_keys
from analysis.judge import judge_one
from analysis.readings import MOST_PLACES, read_columns, read_curves
from analysis.runlog import schema
from tests.studies import make_run


def read(runs, axis=curve_axis.STEP, detail=None):
    curves = cut_curves(runs, line_keys(runs, None), axis=axis, detail=detail)
    return read_curves(curves, runs, schema.TRAIN_LOSS, {judged.run.run_id: judged.run.run_id for judged in runs}, axis)


def judged(loss, run_id="run", **more):
    return judge_one(make_run(loss, run_id=run_id, **more), "all runs")


def test_a_spike_of_one_step_among_a_million_is_read_at_its_step():
    loss = np.full(1_000_000, 0.5)
    loss[654_321] = 50.0
    readings = read([judged(loss)])
    assert len(readings) <= 2 * MOST_PLACES
    assert readings[readings["run"] == "50"]["step"].tolist() == [654_321]
    assert (readings["from"] <= readings["at"]).all()
    assert (readings["at"] <= readings["to"]).all()
    assert readings["to"].iloc[:-1].tolist() == readings["from"].iloc[1:].tolist()


def test_every_run_is_read_at_its_nearest_logged_step_which_is_named_where_it_is_another():
    every = judged(np.linspace(2, 1, 101), "every")
    tenth = judged(np.linspace(4, 3, 11), "tenth", every=10)
    readings = read([every, tenth]).set_index("step")
    assert readings.loc[40, "tenth"] == "3.6"
    assert readings.loc[41, "tenth"] == "3.6 at step 40"
    assert readings.loc[41, "every"] == "1.59"


def test_a_loss_that_is_not_finite_is_said():
    loss = np.linspace(2, 1, 50)
    loss[[20, 30]] = [np.nan, np.inf]
    readings = read([judged(loss)]).set_index("step")
    assert readings.loc[[20, 30], "run"].tolist() == ["not finite"] * 2


def test_many_runs_are_told_by_label_with_their_range_and_none_is_left_out():
    runs = [judged(np.full(50, 1.0 + i), f"run-{i:02}", base_lr=0.1 * (1 + i % 20)) for i in range(60)]
    readings = read(runs)
    said = [name for name in readings if "run" in name]
    assert len(said) == 12
    assert sum(int(name.rsplit("(", 1)[1].split()[0]) for name in said) == 60
    assert readings["lr 0.1 (3 runs)"].iloc[0] == "1 to 41"


def test_against_time_each_reading_names_its_step():
    run = judged(np.linspace(2, 1, 51), columns={schema.ELAPSED_SECONDS: 0.5 * np.arange(51)})
    readings = read([run], curve_axis.TIME)
    assert readings["at"].iloc[-1] == 25.0
    assert readings["run"].iloc[-1] == "1 at step 50"


def test_the_columns_of_one_run_are_read_together():
    one = judged(np.linspace(2, 1, 50), columns={schema.GRAD_NORM: np.full(50, 3.0)})
    curves = cut_curves([one], line_keys([one], None), schema.GRAD_NORM)
    readings = read_columns(curves, one, {"norm": schema.GRAD_NORM, "loss": schema.TRAIN_LOSS, "lr": schema.LR})
    assert readings[["norm", "loss"]].iloc[0].tolist() == ["3", "2"]
    assert "lr" not in readings


def test_a_run_without_any_value_has_no_readings():
    one = judged(np.full(5, 1.0))
    curves = cut_curves([one], line_keys([one], None), schema.GRAD_NORM)
    assert read_curves(curves, [one], schema.GRAD_NORM, {"run": "run"}).empty
