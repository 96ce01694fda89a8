"""The clipping lab, on logs that allow everything and on logs that do not."""

from dataclasses import replace
from urllib.parse import parse_qs

import numpy as np
import pytest

from analysis.clipping import measure_clipping
from analysis.runlog import import_runs, schema
from tests.app_pages.conftest import HOSTILE
from tests.app_pages.stores import add_study, text_of, write_csv
from tests.app_pages.test_pages import STUDIES
from tests.studies import make_run, sweep, sweep_run

CAVEAT = "A replay cannot tell what the run would have done afterwards."


def of_runs(open_app, monkeypatch, tmp_path, runs, **query):
    """Opens the lab on a study of these runs."""
    add_study(tmp_path / "studies", "own", runs, tmp_path / "files")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    app = open_app("own", "clipping", **query)
    assert not app.exception
    return app


def logged(norm, **more):
    """Makes a run with these norms."""
    return make_run(np.linspace(2.3, 0.5, len(norm)), columns={schema.GRAD_NORM: norm}, base_lr=0.1, **more)


def metrics_of(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.mark.parametrize("study", STUDIES)
def test_every_kind_of_study_is_shown_without_an_exception(open_app, study):
    app = open_app(study, "clipping")
    assert not app.exception
    assert app.title[0].value == "Clipping"


def test_the_lab_opens_on_the_healthy_run_that_thresholds_come_from(open_app):
    app = open_app("edge", "clipping")
    assert app.selectbox(key="norm_run").value == "1x1-0.1-1"
    assert "Percentile 90 of the norm is 1.09: 10% of updates would be clipped" in app.info[0].value
    assert app.table[0].value["rule"].tolist() == ["fixed, percentile 90", "AutoClip", "ZClip", "6-sigma skip"]
    assert app.code[0].value == "python -m runners.clip_sweep --study edge --variant stride=1x1 --clip-threshold 1.1"
    assert CAVEAT in text_of(app)
    assert len(app.get("vega_lite_chart")) == 7


def test_the_percentile_is_counted_as_by_hand(open_app, monkeypatch, tmp_path):
    norm = np.arange(1.0, 102.0)  # percentile 75 is 76, and 25 of 101 norms lie above it
    app = of_runs(open_app, monkeypatch, tmp_path, [logged(norm, max_train_steps=101)])
    app.slider(key="percentile").set_value(75.0).run()
    said = metrics_of(app)
    assert (said["Threshold"], said["Updates clipped"]) == ("76", "25%")
    assert (said["Clipped, first 10%"], said["Clipped, last 10%"]) == ("0%", "100%")
    by_hand = (76 + sum(76 / high for high in range(77, 102))) / 101
    assert said["Average multiplier"] == f"{by_hand:.2f}"
    assert measure_clipping(norm, 76.0).effective_lr_multiplier == pytest.approx(by_hand)
    assert app.table[0].value.loc[0, ["first at step", "largest norm let through"]].tolist() == ["76", "76"]


def test_more_than_half_is_called_a_lower_learning_rate_in_disguise_with_the_rate_to_try(
    open_app, monkeypatch, tmp_path
):
    runs = sweep(0.3, seeds=1)
    broken = sweep_run(1.0, 7, 0.3)
    norm = 4.0 * broken.series(schema.GRAD_NORM)[1]
    loud = make_run(broken.loss[1], columns={schema.GRAD_NORM: norm}, **broken.record)
    app = of_runs(open_app, monkeypatch, tmp_path, [*runs, loud], norm_run="run-1-7")
    assert "Percentile 90 of the healthy run's norm is 1.09: 100% of updates would be clipped" in app.warning[0].value
    assert "lower the learning rate instead" in app.warning[0].value
    multiplier = measure_clipping(norm, 1.0922).effective_lr_multiplier
    assert metrics_of(app)["Average multiplier"] == f"{multiplier:.2f}"
    assert f"without clipping: {multiplier:.3f}, which is 1 times" in text_of(app)
    app.toggle[0].set_value(False).run()
    own = "Percentile 90 of the norm is 4.36: 12% of updates would be clipped"  # of its healthy steps
    assert own in app.info[0].value


def test_the_phases_are_those_of_the_schedule_where_it_has_some(open_app, monkeypatch, tmp_path):
    lr = np.concatenate((np.linspace(0, 1, 21)[:-1], np.ones(50), np.linspace(1, 0, 51)[1:]))
    norm = np.concatenate((np.full(20, 5.0), np.linspace(1.0, 2.0, 100)))
    run = make_run(np.linspace(2.3, 0.5, 120), columns={schema.GRAD_NORM: norm, schema.LR: lr}, base_lr=1.0)
    app = of_runs(open_app, monkeypatch, tmp_path, [run], percentile="80")
    said = metrics_of(app)
    assert (said["Clipped, warmup"], said["Clipped, stable"], said["Clipped, decay"]) == (
        "100%",
        "0%",
        "8%",
    )  # 4 of 50 lie above
    assert "Steps 0 to 19, 20 norms." in text_of(app)


def test_norms_from_after_clipping_are_refused(open_app, monkeypatch, tmp_path):
    norm = np.minimum(1.0, np.linspace(0.5, 3.0, 100))
    app = of_runs(open_app, monkeypatch, tmp_path, [logged(norm, clip_threshold=1.0)])
    assert "norms from after clipping" in app.warning[0].value
    assert not app.table
    assert not app.get("vega_lite_chart")


def test_means_over_steps_are_refused(open_app, monkeypatch, tmp_path):
    run = logged(np.linspace(1, 2, 100))
    run = replace(run, record={**run.record, schema.AVERAGED_OVER: 10})
    app = of_runs(open_app, monkeypatch, tmp_path, [run])
    assert "mean over 10 steps" in app.warning[0].value
    assert not app.get("vega_lite_chart")


def test_a_sparse_norm_is_replayed_with_the_fixed_threshold_alone(open_app, monkeypatch, tmp_path):
    app = of_runs(open_app, monkeypatch, tmp_path, [logged(np.linspace(1, 2, 100), every=5)])
    assert "every 5 steps" in app.warning[0].value
    assert app.table[0].value["rule"].tolist() == ["fixed, percentile 90"]


def test_an_unknown_norm_is_measured_with_a_warning(open_app, monkeypatch, tmp_path):
    path = write_csv(logged(np.linspace(1, 2, 100)), tmp_path / "foreign.csv")
    import_runs([path], study="foreign", store=tmp_path / "studies")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    app = open_app("foreign", "clipping")
    assert not app.exception
    assert "does not say whether its norm is from before clipping" in app.warning[0].value
    assert "10% of updates would be clipped" in app.info[0].value


def test_the_two_pages_of_the_norm_link_to_each_other_with_run_and_percentile(open_app):
    for page, other in (
        ("clipping", "Outliers of this run's gradient norm"),
        ("grad_norm", "Try thresholds and rules"),
    ):
        app = open_app("edge", page, norm_run="1x1-0.03-0", percentile="75")
        (link,) = [link.proto for link in app.get("page_link") if link.proto.label.startswith(other)]
        assert parse_qs(link.query_string) == {"norm_run": ["1x1-0.03-0"], "percentile": ["75"]}


def test_a_percentile_below_the_slider_falls_back(open_app):
    app = open_app("edge", "clipping", percentile="10", norm_run="no such run")
    assert not app.exception
    assert app.slider(key="percentile").value == 90.0


def test_names_from_logs_are_shown_letter_by_letter(open_app, monkeypatch, tmp_path):
    runs = sweep(0.3, seeds=1, schedule="constant")
    runs = [replace(run, record={**run.record, "name": f"{HOSTILE} {run.run_id}"}) for run in runs]
    app = of_runs(open_app, monkeypatch, tmp_path, runs)
    app.selectbox(key="norm_run").set_value("constant-1-0").run()
    assert not app.exception
    said = [text_of(app), *(toggle.label for toggle in app.toggle)]
    app.switch_page("app_pages/warmup.py").run()
    said.append(text_of(app))
    assert len(said) == 3
    for text in said:
        assert "![" not in text.replace("\\!\\[", "")
        assert "http://" not in text
    assert "evil" in said[1]
    assert "evil" in said[2]
