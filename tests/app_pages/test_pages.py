"""Every page, on studies of every kind."""

import subprocess
import sys
from urllib.parse import parse_qs

import numpy as np
import pytest

from analysis.charts.theme import CROSS
from analysis.runlog import RunWriter
from app_pages import shown, studies
from tests.app_pages.stores import headline_of, text_of, write_csv
from tests.studies import make_run, sweep

PAGES = ("lr_sweep", "loss", "grad_norm", "compare", "fixes", "import_logs")
STUDIES = ("edge", "steady", "one-rate", "no-rate", "lost", "sparse", "hostile")


STEADY = sweep(9.0, stride="2x2", seeds=1)


def charts_of(app):
    return app.get("vega_lite_chart")


def test_home_opens_with_the_verdict_its_pictures_the_next_experiment_and_all_checks(open_app):
    app = open_app("edge")
    assert not app.exception
    assert app.title[0].value.startswith("Above learning rate 0.1, ")
    assert app.title[0].value == shown.sentence(headline_of(sweep(0.3, stride="1x1", seeds=2), STEADY))
    assert len(charts_of(app)) == 2
    assert app.code[0].value.startswith("python -m runners.")
    said = text_of(app)
    assert "points drawn, unsmoothed" in said
    assert said.count(":material/error:") >= 3
    assert ":material/check_circle:" in said
    assert ":material/remove_circle_outline:" in said


@pytest.mark.parametrize("study", STUDIES)
def test_every_page_of_every_kind_of_study_is_shown_without_an_exception(open_app, study):
    app = open_app(study)
    assert not app.exception
    assert app.title
    for page in PAGES:
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception, page
        assert app.title, page


def test_the_files_of_a_study_are_looked_at_once_in_a_run_of_a_page_and_again_in_the_next(open_app, monkeypatch):
    looks = []
    look = studies.LiveStudy.look
    monkeypatch.setattr(studies.LiveStudy, "look", lambda study: looks.append(study) or look(study))
    app = open_app("edge", "loss")
    assert len(looks) == 1
    app.run()
    assert len(looks) == 2


def test_a_run_that_is_lost_is_named_and_never_a_line_that_just_stops(open_app):
    app = open_app("lost", "loss")
    specs = [chart.proto.spec for chart in charts_of(app)]
    assert any(CROSS in spec for spec in specs)


def test_a_study_without_learning_rates_says_what_to_log(open_app):
    assert "base_lr" in text_of(open_app("no-rate", "lr_sweep"))


def test_a_study_without_norms_says_what_to_log(open_app):
    app = open_app("no-rate", "grad_norm")
    assert "grad_norm=norm" in app.code[0].value


def test_a_sparse_log_is_never_called_stable(open_app):
    assert "cannot tell" in open_app("sparse").title[0].value.lower()


def test_without_any_run_the_page_says_what_to_do(open_app, monkeypatch, tmp_path):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "nothing"))
    monkeypatch.setattr(studies, "PROJECT", tmp_path)
    app = open_app(None)
    assert not app.exception
    assert app.title[0].value == "No runs yet"
    assert app.code[0].value == "make demo"


def test_the_percentile_moves_the_threshold_and_recounts_what_is_clipped(open_app):
    app = open_app("edge", "grad_norm")
    assert "10% of updates would be clipped" in app.info[0].value
    app.slider(key="percentile").set_value(75.0).run()
    assert "25% of updates would be clipped" in app.info[0].value
    app.slider(key="percentile").set_value(40.0).run()
    assert not app.info
    assert "60% of updates would be clipped" in app.warning[0].value
    assert "lower the learning rate instead" in app.warning[0].value


def test_links_open_the_study_and_percentile_they_name_and_nonsense_falls_back(open_app):
    assert open_app("steady").selectbox(key=studies.KEY).value == "steady"
    app = open_app("no-such-study", percentile="banana", series="no")
    assert not app.exception
    assert app.title


def address_of(app):
    """Returns the study that the address names."""
    named = app.query_params[studies.KEY]
    return named if isinstance(named, str) else named[0]


def test_the_address_names_the_study_that_is_shown_also_where_nobody_chose_it(open_app):
    app = open_app(None)
    assert address_of(app) == app.selectbox(key=studies.KEY).value
    assert not app.exception
    assert not app.warning


@pytest.mark.parametrize(
    ("named", "said"), [("no-*such*-study", "There is no study no-*such*-study:"), (".read-0123", "read from files")]
)
def test_an_address_of_no_study_says_so_names_the_one_that_is_shown_and_follows_it(open_app, named, said):
    app = open_app(named)
    first = app.selectbox(key=studies.KEY).value
    assert address_of(app) == first
    for _ in range(2):
        (line,) = app.warning
        assert shown.sentence(said) in line.value
        assert f": {first} is shown instead. " in line.value.replace(shown.JOINER, "")
        app.run()
    app.selectbox(key=studies.KEY).set_value("steady" if first != "steady" else "edge").run()
    assert not app.warning
    app.selectbox(key=studies.KEY).set_value(first).run()
    assert not app.warning


def test_runs_are_filtered_by_name_and_their_events_listed(open_app):
    app = open_app("edge", "loss")
    assert len(app.dataframe[0].value) == 2
    app.multiselect(key="run").set_value(["1x1-1-0"]).run()
    assert app.dataframe[0].value["learning rate"].tolist() == ["1"]
    app.multiselect(key="run").set_value(["1x1-0.01-0"]).run()
    assert "No rise in 1 run" in text_of(app)


def test_names_from_logs_are_shown_letter_by_letter(open_app):
    app = open_app("hostile")
    for page in (None, *PAGES):
        if page:
            app.switch_page(f"app_pages/{page}.py").run()
        said = text_of(app)
        assert "![" not in said.replace("\\!\\[", "")
        assert "http://" not in said
        assert "<img" not in said.replace("\\<img", "")
    assert "evil" in open_app("hostile").caption[0].value


def test_a_running_study_says_how_far_it_is_and_that_the_verdict_can_change(open_app, monkeypatch, tmp_path):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path))
    with RunWriter(study="live", store=tmp_path, base_lr=0.1) as writer:
        for step, loss in enumerate(np.linspace(2, 1, 50)):
            writer.step(step, train_loss=loss)
        app = open_app("live")
        assert "0 of 1 runs finished; the verdict can change" in app.caption[0].value
        before = len(charts_of(app)[0].proto.datasets[0].data.data)
        for step in range(50, 90):
            writer.step(step, train_loss=1.0)
        app.run()
        assert not app.exception
        assert len(charts_of(app)[0].proto.datasets[0].data.data) > before


def test_a_rise_of_a_running_run_is_on_the_screen_while_it_runs_with_a_link_to_its_loss(
    open_app, monkeypatch, tmp_path
):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path))
    with RunWriter(study="live", store=tmp_path, run_id="r", name="big *run*", max_train_steps=300) as writer:
        for step in range(200):
            writer.step(step, train_loss=1.0 + 0.01 * (step % 5))
        app = open_app("live")
        assert "rise at step" not in text_of(app)
        for step in range(200, 210):
            writer.step(step, train_loss=3.0)
        app.run()
        assert not app.exception
        assert "big \\*run\\*: mid-training rise at step 200, loss 1.02 to 3" in text_of(app)
        (link,) = [link.proto for link in app.get("page_link") if link.proto.label == "See its loss"]
        assert parse_qs(link.query_string) == {"study": ["live"], "run": ["big *run*"]}
        assert "from step 200" in app.title[0].value
    app.run()
    assert not app.exception
    assert "mid-training rise at step" not in text_of(app)


def test_a_link_to_a_run_shows_that_run_alone_also_where_two_have_one_name(open_app, monkeypatch, tmp_path):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path))
    for run_id, name in (("a", "twin"), ("b", "twin"), ("c", "single")):
        with RunWriter(study="named", store=tmp_path, run_id=run_id, name=name) as writer:
            for step in range(50):
                writer.step(step, train_loss=2.0 - 0.01 * step)
    for link in ("single", "twin (b)"):
        app = open_app("named", "loss", run=link)
        assert app.multiselect(key="run").value == [{"single": "c", "twin (b)": "b"}[link]]
        assert "No rise in 1 run" in text_of(app)


def test_the_dashboard_loads_neither_torch_nor_wandb_nor_scipy_stats():
    heavy = "{'torch', 'wandb', 'scipy.stats'}"
    modules = "app, app_pages.frame, app_pages.pictures, app_pages.chosen, analysis.side_by_side"
    code = f"import sys, {modules}; sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=studies.PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-300:]


def test_a_run_of_one_step_and_a_run_of_zero_loss_are_shown(open_app, tmp_path):
    app = open_app("steady", "import_logs")
    for index, loss in enumerate(([1.0], np.zeros(40))):
        path = write_csv(make_run(loss), tmp_path / f"odd_{index}.csv")
        app.file_uploader(key="files").upload(path.name, path.read_bytes())
    app.run()
    for page in PAGES:
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception, page
