"""The run table on the Findings page, and the selection that follows through all pages."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from analysis.charts.theme import LIGHT
from app_pages import chart_files, selection
from app_pages.zoom import PARAMETER
from tests.app_pages.stores import text_of

PICKED = ["1x1-0.3-0", "1x1-0.3-1"]


def runs_of(app):
    """Returns the run table: the last table of the page."""
    return app.dataframe[-1].value


def test_the_run_table_stands_under_the_checks_with_a_color_a_verdict_and_a_small_curve(open_app):
    app = open_app("edge")
    assert [header.value for header in app.subheader][-2:] == ["What was checked", "Runs"]
    runs = runs_of(app)
    assert len(runs) == 18
    assert set(runs["verdict"]) == {"● stable", "✕ unstable"}
    assert {len(pills) for pills in runs["color"]} == {1}
    assert all(0 < len(line) <= 40 for line in runs["loss"])
    row = runs.set_index("run").loc["1x1-0.3-0"]
    assert row["events"].startswith("early at step 1")
    assert row["differs in"] == "base lr 0.3, not 0.1"
    assert "18 of 18 runs" in text_of(app)


def test_the_filter_and_the_groups_come_from_the_link(open_app):
    app = open_app("edge", filter="^2x2", group="stride", baseline="2x2-0.1-0")
    assert runs_of(app)["run"].str.startswith("2x2").all()
    assert runs_of(app).set_index("run").loc["2x2-0.1-0", "differs in"] == "the baseline"
    groups = app.dataframe[-2].value
    assert groups["stride"].tolist() == ["2x2"]
    assert groups["runs"].tolist() == [6]


def test_an_invalid_expression_is_one_line_and_the_page_goes_on(open_app):
    app = open_app("edge", filter="lr=(0.1")
    assert not app.exception
    (error,) = app.error
    assert "no regular expression" in error.value
    assert "\n" not in error.value


def test_a_study_of_hostile_names_shows_them_as_text(open_app):
    app = open_app("lost")
    assert not app.exception
    assert np.isinf(runs_of(app)["final loss"]).all()


@pytest.mark.parametrize("page", [None, "grad_norm", "clipping", "compare"])
def test_every_page_says_that_only_some_runs_are_shown_and_can_show_all_again(open_app, page):
    app = open_app("edge", page, run=PICKED)
    assert not app.exception
    assert any(badge.startswith(":blue-badge[:material/filter_alt: Only 2 runs") for badge in badges_of(app))
    app.button(key="clear picked runs").click().run()
    assert not app.exception
    assert not any("Only 2 runs" in badge for badge in badges_of(app))


def badges_of(app):
    return [element.value for element in app.markdown]


def test_the_selection_of_a_link_follows_through_the_pages(open_app):
    app = open_app("edge", run=PICKED)
    assert app.session_state[selection.PICKED][1] == PICKED
    for page in ("grad_norm", "clipping"):
        app.query_params.clear()  # as the menu does
        app.switch_page(f"app_pages/{page}.py").run()
        assert app.selectbox(key="norm_run").options == PICKED, page
        assert app.query_params[selection.PARAMETER] == PICKED
    app.query_params.clear()
    app.switch_page("app_pages/compare.py").run()
    assert app.segmented_control(key="by").value == "Runs"
    assert app.multiselect(key="compared").value == PICKED
    app.query_params.clear()
    app.switch_page("app_pages/loss.py").run()
    assert app.multiselect(key="run").value == PICKED
    app.multiselect(key="run").set_value(PICKED[:1]).run()
    app.switch_page("app_pages/grad_norm.py").run()
    assert app.selectbox(key="norm_run").options == PICKED[:1]


def test_the_loss_page_takes_axes_and_smoothing_from_the_link_and_says_what_has_no_time(open_app):
    app = open_app("edge", "loss", x="Share of training", y_scale="Linear", smooth="Moving median", smooth_steps="9")
    assert not app.exception
    assert "moving median of 9 steps" in text_of(app)
    spec = app.get("vega_lite_chart")[0].proto.spec
    assert "share of the planned steps" in spec
    timed = open_app("edge", "loss", x="Time")
    assert timed.warning[0].value == "No time was logged (elapsed_seconds), so the steps are shown."


@pytest.mark.parametrize(
    ("link", "domain"),
    [("step 10 to 20", [10.0, 20.0]), ("time 10 to 20", [0, 119]), ("step 20 to 10", [0, 119]), ("what", [0, 119])],
)
def test_a_link_opens_the_steps_that_it_names_and_a_broken_one_all(open_app, link, domain):
    app = open_app("steady", "loss", steps="The whole run", **{PARAMETER: link})
    spec = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    lines = [layer for layer in spec["layer"][0].get("layer", spec["layer"]) if layer["mark"]["type"] == "line"]
    shown = lines[0]["encoding"]["x"]["scale"]["domain"]
    assert shown == domain or (domain[0] == 0 and shown[0] == 0 and shown[1] > 100)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_spreadsheet_takes_a_name_of_a_run_for_a_formula(text):
    written = chart_files.write_csv(pd.DataFrame({"run": [text, "plain"], "train_loss": [-1.5, 2.0]}))
    assert pd.read_csv(io.StringIO(written))["run"].iloc[0].startswith("'")
    assert "-1.5" in written
    assert "'-1.5" not in written
    assert "'plain" not in written


def test_a_run_has_the_color_of_its_line_in_the_pictures(open_app):
    app = open_app("edge")
    runs = runs_of(app).set_index("run")
    config = json.loads(app.dataframe[-1].proto.columns)["color"]["type_config"]
    colors = {option["value"]: option["color"] for option in config["options"]}
    color_of = {name: colors[runs.loc[name, "color"][0]] for name in ("1x1-0.1-0", "1x1-0.1-1", "1x1-0.3-0")}
    assert set(color_of.values()) == {LIGHT.feasible, LIGHT.infeasible}
    assert color_of["1x1-0.1-0"] == color_of["1x1-0.1-1"] == LIGHT.feasible
