"""The page that compares, and what other pages show of phases, noise and warmup."""

import numpy as np

from analysis.runlog import schema
from tests.app_pages.stores import add_study, text_of
from tests.studies import make_run, sweep


def of_study(open_app, monkeypatch, tmp_path, runs, page):
    """Opens a page on a study of these runs."""
    add_study(tmp_path / "studies", "own", runs, tmp_path / "files")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    return open_app("own", page)


def test_series_are_compared_with_the_verdict_before_the_numbers(open_app):
    app = open_app("edge", "compare")
    assert not app.exception
    said = text_of(app)
    assert "One factor" in said
    assert said.index("They differ in one factor") < said.index("lowest, validation loss")
    assert app.multiselect(key="sides").value == ["stride=1x1", "stride=2x2"]
    table = app.dataframe[0].value
    assert table["learning rate"].tolist() == ["0.1"] * 3
    assert table["evaluations"].tolist() == ["10 of 10"] * 3
    assert len(app.get("vega_lite_chart")) == 1


def test_runs_are_compared_and_several_factors_are_confounded(open_app):
    app = open_app("edge", "compare")
    app.segmented_control(key="by").set_value("Runs").run()
    app.multiselect(key="compared").set_value(["1x1-0.1-0", "1x1-0.1-1"]).run()
    assert "They differ in the seed only" in text_of(app)
    app.multiselect(key="compared").set_value(["1x1-0.1-0", "2x2-0.3-0"]).run()
    assert "2 factors differ: base_lr, stride. Change one at a time." in text_of(app).replace("\\", "")
    assert app.table[0].value.index.tolist() == ["base lr", "stride"]


def test_without_two_sides_the_page_teaches_what_a_fair_comparison_is(open_app):
    app = open_app("one-rate", "compare")
    assert not app.exception
    assert "changes one thing" in text_of(app)
    assert not app.dataframe
    app = open_app("edge", "compare")
    app.multiselect(key="sides").set_value(["stride=1x1"]).run()
    assert "Pick two series" in text_of(app)


def test_batch_sizes_are_confounded_and_say_what_to_tune_and_are_no_fix(open_app, monkeypatch, tmp_path):
    runs = [*sweep(9.0, lrs=(0.1,), seeds=2, batch_size=64), *sweep(9.0, lrs=(0.1,), seeds=2, batch_size=512)]
    app = of_study(open_app, monkeypatch, tmp_path, runs, "compare")
    said = text_of(app)
    assert "Confounded" in said
    assert "tune learning rate and regularisation for each size" in said
    assert "batch size is no fix for instability" in said
    assert said.index("tune learning rate") < said.index("lowest, validation loss")


def test_whose_steps_the_warmup_took_stands_beside_each_run(open_app, monkeypatch, tmp_path):
    ramp = np.minimum(1.0, np.arange(120) / 20)
    runs = [
        make_run(
            np.linspace(2.3, end, steps),
            run_id=name,
            columns={schema.LR: ramp[:steps]},
            base_lr=1.0,
            warmup_steps=20,
            max_train_steps=100,
            seed=seed,
        )
        for seed, (name, steps, end) in enumerate((("in-front", 120, 0.5), ("taken", 100, 0.6)))
    ]
    app = of_study(open_app, monkeypatch, tmp_path, runs, "lr_sweep")
    expected = ["20 prepended, 120 in all", "20 taken from training, 100 in all"]
    assert app.dataframe[0].value["warmup steps"].tolist() == expected
    app.switch_page("app_pages/compare.py").run()
    assert not app.exception
    assert app.dataframe[0].value["warmup steps"].tolist() == expected
    assert "log eval\\_loss" in text_of(app)


def test_the_clipped_share_of_each_phase_is_said_above_its_histogram(open_app, monkeypatch, tmp_path):
    norm = np.concatenate((np.full(10, 30.0), np.linspace(0.5, 1.0, 90)))
    run = make_run(np.linspace(2.3, 0.5, 100), columns={schema.GRAD_NORM: norm}, base_lr=0.1, max_train_steps=100)
    app = of_study(open_app, monkeypatch, tmp_path, [run], "grad_norm")
    app.slider(key="percentile").set_value(85.0).run()
    said = text_of(app)
    assert "would clip 100% of the first 10%, 0% of the middle, 50% of the last 10% of the planned steps" in said
    assert "First 10%: 100% clipped" in said
    assert "Steps 0 to 9, 10 norms." in said
    assert len(app.get("vega_lite_chart")) == 5


def test_a_run_that_ended_early_has_no_late_phase_and_it_is_said(open_app, monkeypatch, tmp_path):
    run = make_run(
        np.linspace(2.3, 1.0, 60),
        columns={schema.GRAD_NORM: np.linspace(2, 1, 60)},
        base_lr=0.1,
        max_train_steps=100,
        status="diverged",
    )
    app = of_study(open_app, monkeypatch, tmp_path, [run], "grad_norm")
    assert not app.exception
    assert "No gradient norm was logged in the last 10% of the planned steps." in text_of(app)
    assert len(app.get("vega_lite_chart")) == 4


def test_a_noisy_plateau_is_named_on_the_page_of_the_learning_rates(open_app, monkeypatch, tmp_path):
    runs = []
    for base_lr, noise in ((0.003, 0.02), (0.01, 0.02), (0.03, 0.02), (0.06, 0.1)):
        rng = np.random.default_rng(int(1e6 * base_lr))
        loss = (0.2 + 2 * np.exp(-np.arange(300) / 30)) * np.exp(noise * rng.normal(size=300))
        runs.append(make_run(loss, run_id=f"{base_lr:g}", base_lr=base_lr))
    app = of_study(open_app, monkeypatch, tmp_path, runs, "lr_sweep")
    assert "times as noisy as at 0.03" in text_of(app)
    changes = [float(value.rstrip("%")) for value in app.dataframe[0].value["late noise"]]
    assert changes[3] > 3 * changes[2]
