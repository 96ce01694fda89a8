"""Try this: where a fix can be started from the dashboard, and what is then shown of it."""

import os
import signal

import pytest

from analysis.findings import diagnose
from analysis.runlog import experiments
from app_pages import words
from app_pages.experiments import SETTING, describe, last_line, loads_own_code, say_seconds, why_none
from tests.app_pages.stores import add_study, text_of, write_csv
from tests.experiments import hold_turn, pid_of, wait_for
from tests.studies import make_study, sweep, sweep_run

LOCAL = ("127.0.0.1", "127.0.0.1:8501", None)


@pytest.fixture
def unstable(tmp_path, monkeypatch, open_app):
    """Opens a page of a study of its own, which experiments may be started on."""
    add_study(tmp_path / "studies", "edge", sweep(0.3, stride="1x1", seeds=1), tmp_path / "files")
    monkeypatch.setenv(SETTING, "on")

    def opened(page=None):
        monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
        return open_app("edge", page)

    return opened


def buttons(app, label="Try this"):
    return [button for button in app.button if button.label == label]


@pytest.mark.parametrize(
    ("setting", "address", "host", "visitor", "starts"),
    [
        ("", *LOCAL, True),
        ("", "localhost", "[::1]:8501", None, True),
        ("", "0.0.0.0", "127.0.0.1:8501", None, False),
        ("", None, "127.0.0.1:8501", None, False),
        ("", "127.0.0.1", "rebound.example:8501", None, False),
        ("", "127.0.0.1", "", None, False),
        ("", "127.0.0.1", "localhost:8501", "10.0.0.7", False),
        ("on", "0.0.0.0", "team.example", "10.0.0.7", True),
        ("off", *LOCAL, False),
        ("yes", *LOCAL, False),
    ],
)
def test_experiments_start_for_this_machine_alone_unless_the_setting_says_otherwise(
    setting, address, host, visitor, starts
):
    assert (why_none(setting, address, host, visitor) == "") is starts


def test_a_setting_that_is_neither_on_nor_off_is_named():
    assert "STEADYSTEP_EXPERIMENTS=yes is neither" in why_none("yes", *LOCAL)


@pytest.mark.parametrize(("workload", "own"), [("mlp", False), ("os:system", True)])
def test_a_workload_that_a_log_names_as_a_module_is_no_code_to_load_unasked(workload, own):
    assert loads_own_code(diagnose(make_study([sweep_run(0.1, 0, 0.3, workload=workload)]))) is own


def test_a_fix_is_started_waits_is_cancelled_and_can_be_continued(unstable, tmp_path):
    app = unstable("fixes")
    count = len(buttons(app))
    assert count == len(app.code) >= 3
    with hold_turn(tmp_path / "studies"):
        buttons(app)[0].click().run()
        assert not app.exception
        assert len(buttons(app)) == count - 1
        assert "1 experiment before it" in text_of(app)
        assert words.EXPERIMENT_STATES["queued"][0] in text_of(app)
        (queued,) = experiments.list_experiments("edge", tmp_path / "studies")
        buttons(app, "Cancel")[0].click().run()
        wait_for(queued.folder, "cancelled")
        app.run()
        assert "Its rows are kept" in text_of(app)
        assert not buttons(app, "Cancel")
        buttons(app, "Continue")[0].click().run()
        assert "1 experiment before it" in text_of(app)
        first, second = experiments.list_experiments("edge", tmp_path / "studies")
        assert second.argv == first.argv
        os.kill(pid_of(second.folder), signal.SIGKILL)
        wait_for(second.folder, "lost")
    app.run()
    assert words.EXPERIMENT_STATES["lost"][0] in text_of(app)
    assert buttons(app, "Continue")


def test_an_experiment_that_failed_says_why_and_shows_its_output(unstable, tmp_path):
    command = "python -m runners.lr_sweep --study edge"
    failed = experiments.start_experiment("optimizer", command, "edge", tmp_path / "studies")
    other = experiments.start_experiment("probe", f"{command} --help", "edge", tmp_path / "studies")
    wait_for(failed.folder, "failed")
    wait_for(other.folder, "done")
    app = unstable("fixes")
    assert "the following arguments are required" in text_of(app)
    assert any(code.value.startswith("$ python -m runners.lr_sweep --study edge") for code in app.code)
    assert "Earlier experiments" in [header.value for header in app.subheader]


def test_the_next_experiment_has_the_button_too_and_without_it_a_reason(unstable, monkeypatch):
    app = unstable()
    assert len(buttons(app)) == 1
    for value, reason in (("off", words.EXPERIMENTS_OFF), ("", words.EXPERIMENTS_NOT_LOCAL)):
        monkeypatch.setenv(SETTING, value)
        app.run()
        assert not buttons(app)
        assert reason in text_of(app)
    app.switch_page("app_pages/fixes.py").run()
    assert not buttons(app)
    assert words.EXPERIMENTS_NOT_LOCAL in text_of(app)


def test_a_sample_an_upload_and_a_model_of_ones_own_have_no_button(unstable, tmp_path):
    add_study(tmp_path / "studies", "foreign", sweep(0.3, seeds=1, source="csv"), tmp_path / "foreign")
    app = unstable("import_logs")
    run = sweep_run(0.3, 0, edge=0.3)
    app.file_uploader(key="files").upload("a.csv", write_csv(run, tmp_path / "a.csv").read_bytes()).run()
    app.switch_page("app_pages/fixes.py").run()
    assert not buttons(app)
    assert words.UPLOAD_COMMANDS in text_of(app)
    app.selectbox(key="study").set_value("foreign").run()
    assert len(app.code) >= 3
    assert not buttons(app)
    assert words.OWN_COMMANDS in text_of(app)
    app.selectbox(key="study").set_value(".sample").run()
    assert not buttons(app)
    assert words.SAMPLE_COMMANDS in text_of(app)


def test_a_steady_study_offers_nothing_to_start(open_app, monkeypatch):
    monkeypatch.setenv(SETTING, "on")
    assert not buttons(open_app("steady", "fixes"))


def test_progress_and_results_are_said_in_words(tmp_path):
    progress = experiments.Progress(1200, 4500, 42.0, "1 of 9 runs ended")
    running = experiments.Experiment(tmp_path, "probe", (), "", "running", progress)
    assert describe(running) == "1,200 of 4,500 steps, 1 of 9 runs ended, about 42 s left"
    assert last_line("a\ntrained 6 runs\nnext: python -m x\n") == "trained 6 runs"
    assert last_line("") == "It printed nothing."
    assert (say_seconds(99), say_seconds(3000)) == ("99 s", "50 min")
