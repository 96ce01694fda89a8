"""Pictures of a review show what was seen, whatever has come to the study since."""

import numpy as np
import pytest

from analysis.runlog import RunWriter
from app_pages import review_words
from reviews import agenda
from tests.app_pages.reviewing import go_to, only_review, opened
from tests.app_pages.stores import add_study, text_of
from tests.studies import make_run, sweep

SINCE = "The study has changed since"


@pytest.fixture
def own_study(visit, tmp_path, monkeypatch):
    """A study of its own, with one run that is still being written."""
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    add_study(tmp_path / "studies", "edge", sweep(0.3, stride="1x1", seeds=1), tmp_path / "first")
    with RunWriter(study="edge", store=tmp_path / "studies", base_lr=0.1, stride="1x1") as log:
        for step in range(40):
            log.step(step, train_loss=2.0 - step / 100)
        log.sync()
        yield log


def picture_of(app) -> tuple[str, tuple[bytes, ...]]:
    """Returns the picture of the point that is looked at: what is drawn, and its data."""
    assert not app.exception
    (chart,) = app.get("vega_lite_chart")
    return chart.proto.spec, tuple(data.data.data for data in chart.proto.datasets)


def test_runs_and_steps_that_come_later_are_left_out_of_the_picture_and_counted(visit, reviews, own_study, tmp_path):
    app = opened(visit())
    then = picture_of(app)
    assert SINCE not in text_of(app)
    own_study.step(40, train_loss=9.0)
    own_study.finish()
    late = [make_run(np.linspace(2.4, 9.0, 300), run_id=f"late-{place}", base_lr=0.1) for place in range(2)]
    add_study(tmp_path / "studies", "edge", late, tmp_path / "second")
    app.run()
    assert picture_of(app) == then
    assert SINCE in text_of(app)
    assert "2 runs have come since; they are not shown. 1 run has gone on since; its later steps are" in text_of(app)


def test_of_a_review_without_notes_of_its_runs_their_number_of_rows_is_believed(visit, reviews):
    app = opened(visit())
    review, me = only_review(reviews)
    frozen = agenda.read_diagnosis(reviews, me, review.id)
    older = agenda.open_review(reviews, me, frozen, "another state")
    assert review_words.SAME_ROWS in text_of(go_to(app, older.id))
    frozen["runs"] = frozen["runs"][1:]
    older = agenda.open_review(reviews, me, frozen, "another state")
    assert "1 run has come since; it is not shown." in text_of(go_to(app, older.id))
