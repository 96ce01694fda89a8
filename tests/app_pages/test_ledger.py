"""The ledger on the Fixes page."""

import pytest

from analysis.findings import diagnose
from analysis.fix_case import find_case
from analysis.fix_outcomes import Setting, judge_fix
from analysis.ledger import judge_row
from analysis.predictions import predict
from analysis.runlog import ledger, read_study
from tests.app_pages.stores import add_study, text_of
from tests.studies import make_study, sweep, sweep_run


@pytest.fixture(params=[(0.3,), (0.1, 0.3, 1.0)], ids=["one learning rate", "a sweep"])
def tried(request, tmp_path, monkeypatch, open_app):
    """A study at the edge whose clipping was tried, with its row in the ledger."""
    before = sweep(0.3, stride="1x1")
    after = [sweep_run(lr, seed, 9.0, stride="1x1", clip_threshold=2.0) for lr in request.param for seed in range(3)]
    add_study(tmp_path / "studies", "tried", [*before, *after], tmp_path / "files")
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    diagnosis = diagnose(read_study("tried"))
    settings = [
        Setting(
            f"clipped {clipped}, {lr:g}",
            tuple(
                judged
                for judged in diagnosis.runs
                if judged.run.base_lr == lr and ("clip_threshold" in judged.run.record) is clipped
            ),
        )
        for clipped, lr in ((False, 0.1), (True, 0.3))
    ]
    outcome = judge_fix("clip_sweep", settings[1:], settings[0])
    prediction = predict("clipping", find_case(diagnose(make_study(before))))
    ledger.add_entry("tried", judge_row(prediction, outcome, "all runs", "python -m runners.clip_sweep").to_entry())
    return request.param


def test_a_row_shows_prediction_outcome_numbers_and_the_picture_before_and_after(tried, open_app):
    app = open_app("tried", "fixes")
    assert not app.exception
    said = text_of(app)
    assert "**Predicted**  \nOutliers of the gradient norm drive the rise" in said
    assert "**Seen**  \nHeld: " in said
    assert ("before and after" in said) is (len(tried) > 1)
    assert ("where it broke, and with the fix" in said) is (len(tried) == 1)
    assert len(app.get("vega_lite_chart")) == 1


def test_a_damaged_row_is_one_line_on_the_page(tried, open_app, tmp_path):
    (path,) = (tmp_path / "studies" / "tried" / ledger.FOLDER).iterdir()
    path.write_bytes(b"{}")
    app = open_app("tried", "fixes")
    assert [error.value for error in app.error if "is damaged" in error.value]
