"""The page of the playbook's figures."""

import pytest

from analysis.figures import find_figures
from analysis.findings import diagnose
from app_pages import shown
from tests.analysis.figures.known import before_and_after_warmup, warmup_lengths
from tests.app_pages.stores import add_study, text_of
from tests.studies import make_study, sweep

STUDIES = ("edge", "steady", "one-rate", "no-rate", "lost", "sparse", "hostile")
EDGE = [*sweep(0.3, stride="1x1", seeds=2), *sweep(9.0, stride="2x2", seeds=1)]


def charts_of(app):
    return app.get("vega_lite_chart")


def choose(app, number):
    """Chooses a figure by its number."""
    return app.segmented_control(key="figure").set_value(number).run()


def figures_of(runs):
    return {figure.number: figure for figure in find_figures(diagnose(make_study(runs)))}


@pytest.mark.parametrize("study", STUDIES)
def test_every_figure_of_every_kind_of_study_is_drawn_or_says_why_not(open_app, study):
    app = open_app(study, "figures")
    assert not app.exception
    options = app.segmented_control(key="figure").options
    assert len(options) == 7
    for option in options:
        app.segmented_control(key="figure").set_value(option.split()[0]).run()
        assert not app.exception, option
        assert charts_of(app) or "python -m runners." in app.code[0].value


def test_one_that_applies_is_drawn_already_and_those_that_apply_come_first(open_app):
    app = open_app("edge", "figures")
    figures = figures_of(EDGE)
    applying = [number for number, figure in figures.items() if figure.applies]
    numbers = [option.split()[0] for option in app.segmented_control(key="figure").options]
    assert numbers[: len(applying)] == applying
    assert app.segmented_control(key="figure").value == applying[0]
    assert shown.sentence(figures[applying[0]].caption) in text_of(app)
    assert charts_of(app)


@pytest.mark.parametrize("number", ["4", "5", "7a", "7b", "9"])
def test_the_caption_on_the_page_is_the_one_that_was_computed(open_app, number):
    app = choose(open_app("edge", "figures"), number)
    assert shown.sentence(figures_of(EDGE)[number].caption) in text_of(app)
    assert charts_of(app)
    assert "drawn" in text_of(app) or "runs." in text_of(app)


def test_those_that_do_not_apply_say_why_with_their_command(open_app):
    app = open_app("edge", "figures")
    missing = {number: figure.result for number, figure in figures_of(EDGE).items() if not figure.applies}
    assert set(missing) == {"6", "8"}
    assert [code.value for code in app.code] == [
        each.command.replace("--study study", "--study edge") for each in missing.values()
    ]
    for number, each in missing.items():
        assert f"Figure {number}, " in text_of(app)
        assert shown.sentence(each.reason) in text_of(app)


def test_the_slider_judges_the_thinned_log_anew_and_the_sentence_says_what_it_finds(open_app):
    app = choose(open_app("edge", "figures"), "5")
    slider = app.slider(key="every")
    assert (slider.min, slider.max) == (1, 30)
    slider.set_value(2).run()
    assert "logged every 2 steps" in text_of(app)
    assert "Logged every 2 steps: 2 of 2 rises seen" in text_of(app)
    app.slider(key="every").set_value(30).run()
    assert "Logged every 30 steps: 0 of 2 rises seen" in text_of(app)
    app.slider(key="every").set_value(1).run()
    assert not app.exception
    assert "in 2 of 2 runs (2 seeds)." in text_of(app)


def test_a_link_names_its_figure_and_nonsense_falls_back(open_app):
    assert open_app("edge", "figures", figure="9 Two clip thresholds").segmented_control(key="figure").value == "9"
    app = open_app("edge", "figures", figure="42", every="banana")
    assert not app.exception
    assert app.segmented_control(key="figure").value == "4"


def test_a_spacing_of_a_long_run_does_not_break_the_page_of_a_short_one(open_app):
    app = open_app("edge", "figures", figure="5 What sparse logging hides", every="5000")
    assert not app.exception
    assert app.slider(key="every").value <= 30


def test_warmup_studies_show_figures_6_and_8(open_app, monkeypatch, tmp_path):
    add_study(tmp_path / "studies", "lengths", warmup_lengths(), tmp_path / "files" / "a")
    add_study(tmp_path / "studies", "moved", before_and_after_warmup(), tmp_path / "files" / "b")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    app = choose(open_app("lengths", "figures"), "6")
    assert "the shortest of 4 warmup lengths that holds is 50 steps" in text_of(app)
    assert len(charts_of(app)) == 2
    app = choose(open_app("moved", "figures"), "8")
    assert "the edge moves from 0.1 to 1, 10 times higher" in text_of(app)
    assert len(charts_of(app)) == 1


def test_names_from_logs_are_shown_letter_by_letter(open_app):
    said = text_of(open_app("hostile", "figures"))
    assert "![" not in said.replace("\\!\\[", "")
    assert "http://" not in said
