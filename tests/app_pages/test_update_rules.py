"""The page of the update rules."""

import inspect

import numpy as np
import pytest

from analysis.charts.theme import LIGHT
from analysis.rule_differences import find_rule_differences
from analysis.runlog import schema
from analysis.update_rules import UPDATE_RULES
from app_pages import studies
from app_pages.documents import read_sections
from app_pages.source_text import code_of
from tests.app_pages.stores import add_study, text_of
from tests.studies import make_run


def paths_of(app):
    return [chart.proto.spec for chart in app.get("vega_lite_chart")][3:9]


def test_the_page_shows_mathematics_code_differences_paths_and_sizes(open_app):
    app = open_app("edge", "update_rules")
    assert not app.exception
    assert app.title[0].value == "Update rules"
    assert "Deep Learning Tuning Playbook, FAQ" in text_of(app)
    assert len(app.latex) == 3
    assert app.code[0].value == code_of(UPDATE_RULES["momentum"])
    assert len(app.dataframe[0].value) == len(find_rule_differences(1.0))
    assert len(app.get("vega_lite_chart")) == 15
    assert "300 logged norms" in text_of(app)


@pytest.mark.parametrize("rule", UPDATE_RULES)
def test_every_rule_has_its_formulas_and_its_own_source_text(open_app, rule):
    app = open_app("edge", "update_rules")
    app.segmented_control(key="rule").set_value(rule).run()
    assert not app.exception
    formulas = read_sections("update-rules.md")[rule].formulas
    assert len(app.latex) == len(formulas) >= 1
    assert all(formula in shown.value for formula, shown in zip(formulas, app.latex, strict=True))
    assert formulas[-1].startswith(r"\theta_{t+1} = \theta_t -")
    source, code = inspect.getsource(UPDATE_RULES[rule]), app.code[0].value
    assert set(code.splitlines()) <= set(source.splitlines())
    assert '"""' not in code
    assert code.startswith(f"def {rule}(")
    assert "return UpdateRule(init, update)" in code


def test_code_is_shown_without_its_docstring_and_with_its_comments():
    def documented(x):
        """Says something.

        More.
        """
        # why
        return x

    assert code_of(documented) == "def documented(x):\n    # why\n    return x"

    def bare(x):
        return x

    assert code_of(bare) == "def bare(x):\n    return x"


def test_the_differences_are_computed_at_the_gradient_of_choice(open_app):
    app = open_app("edge", "update_rules")
    app.select_slider(key="gradient").set_value(1e-8).run()
    table = app.dataframe[0].value.set_index(["rule", "what"])["ratio, step 0"]
    assert table["Adam", "place of eps"] == "16 times"
    app.select_slider(key="gradient").set_value(1.0).run()
    table = app.dataframe[0].value.set_index(["rule", "what"])
    assert table.loc[("Adam", "place of eps"), "ratio, step 0"] == "equal"
    assert table.loc[("RMSProp", "start of v"), "ratio, step 0"] == "3.2 times"
    assert table.loc[("Momentum", "dampening 0.9"), "ratio, step 1,000"] == "0.1 times"


def test_above_its_limit_a_path_turns_orange_and_says_when_it_was_cut(open_app):
    app = open_app("edge", "update_rules")
    assert not any(LIGHT.infeasible in spec for spec in paths_of(app))
    app.slider(key="share").set_value(1.1).run()
    assert [LIGHT.infeasible in spec for spec in paths_of(app)] == [True] * 3 + [False] * 3
    said = text_of(app)
    assert "SGD, learning rate 2.2 (limit 2)" in said
    assert "Momentum, learning rate 4.18" in said
    assert "Nesterov, learning rate 1.49" in said
    assert "Cut at step 39: the loss passed a million times its start." in said
    app.select_slider(key="gamma").set_value(0.5).run()
    assert "(limit 3)" in text_of(app)
    app.slider(key="share").set_value(1.0).run()
    app.select_slider(key="condition").set_value(1000).run()
    assert not app.exception


def test_without_a_study_the_rules_are_shown_and_the_sizes_say_what_to_log(open_app, monkeypatch, tmp_path):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "nothing"))
    monkeypatch.setattr(studies, "PROJECT", tmp_path)
    app = open_app(None, "update_rules")
    assert not app.exception
    assert len(app.get("vega_lite_chart")) == 9
    assert "grad_norm=norm" in app.code[1].value


@pytest.mark.parametrize("study", ["no-rate", "lost", "hostile", "sparse"])
def test_studies_without_norms_are_told_to_log_them(open_app, study):
    app = open_app(study, "update_rules")
    assert not app.exception
    assert "No gradient norm was logged" in text_of(app)


def test_norms_that_are_not_finite_are_left_out_and_said(open_app, monkeypatch, tmp_path):
    norm = np.ones(60)
    norm[50:] = np.nan
    run = make_run(np.linspace(2, 1, 60), columns={schema.GRAD_NORM: norm}, base_lr=0.1)
    add_study(tmp_path / "studies", "own", [run], tmp_path / "files")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    app = open_app("own", "update_rules")
    assert not app.exception
    assert "50 logged norms" in text_of(app)
    assert "10 norms that are not finite are left out" in text_of(app)
