"""Comments beside the pictures that they are about."""

import re

from app_pages import meeting
from reviews import agenda, comments, new_id
from reviews.anchors import Anchor
from tests.app_pages.reviewing import HOSTILE, field, go_to, only_review, opened, press
from tests.app_pages.stores import text_of


def test_a_comment_on_steps_is_a_numbered_mark_and_a_line_below_wherever_its_run_is_drawn(visit, reviews):
    ana = opened(visit("ana"))
    review, me = only_review(reviews)
    run_ids = [run["run_id"] for run in agenda.read_diagnosis(reviews, me, review.id)["runs"]]
    comments.write(reviews, me, review.id, f"Look {HOSTILE}", new_id(), Anchor("steps", run_ids[0], 1, 6))
    comments.write(reviews, me, review.id, "All of it", new_id(), Anchor("run", run_ids[0]))
    comments.write(reviews, me, review.id, "Another", new_id(), Anchor("steps", run_ids[1], 2, 3))
    links = [link.proto.label for link in ana.run().get("page_link")]
    assert any(label.endswith("steps 1 to 6") for label in links)
    app = visit("vera", "loss")
    app.segmented_control(key="view").set_value("All runs").run()
    shows_marks(app, 3)
    app.switch_page("app_pages/grad_norm.py").run()
    app.selectbox(key="norm_run").set_value(run_ids[0]).run()
    shows_marks(app, 2)
    assert HOSTILE not in text_of(app)
    assert "Another" not in text_of(app)


def shows_marks(app, number: int) -> None:
    """Holds a page to so many numbered lines, and to their marks in a picture."""
    assert not app.exception
    lines = [each.value for each in app.markdown if re.fullmatch(r":yellow-badge\[\d+\]", each.value)]
    assert lines == [f":yellow-badge[{place}]" for place in range(1, number + 1)]
    marked = [chart for chart in app.get("vega_lite_chart") if '"title": "comment"' in chart.proto.spec]
    assert len(marked) == 1


def test_resolved_comments_leave_the_pictures(visit, reviews):
    opened(visit("ana"))
    review, me = only_review(reviews)
    run_id = agenda.read_diagnosis(reviews, me, review.id)["runs"][0]["run_id"]
    comment = comments.write(reviews, me, review.id, "Look", new_id(), Anchor("steps", run_id, 1, 6))
    comments.resolve(reviews, me, comment.id)
    app = visit("vera", "loss")
    app.segmented_control(key="view").set_value("All runs").run()
    assert "Look" not in text_of(app)


def test_a_comment_on_a_finding_is_marked_at_its_first_event(visit, reviews):
    app = opened(visit("ana"))
    review, me = only_review(reviews)
    entries = agenda.read(reviews, me, review.id).items
    point = next(entry.item for entry in entries if entry.item.code == "early-instability")
    app.radio(key=meeting.ITEM).set_value(point.id).run()
    press(app, "Comment")
    field(app, "text_area", "comment").input("Here it is")
    press(app, "Send")
    losses = visit("vera", "loss")
    shows_marks(losses, 1)
    assert "Here it is" in text_of(losses)
    assert "Early instability" in text_of(losses)


def test_a_comment_on_a_figure_stands_below_that_figure_and_in_the_review(visit, reviews):
    opened(visit("ana"))
    review, me = only_review(reviews)
    app = visit("ana", "figures")
    press(app, "Comment on this figure")
    field(app, "text_area", "comment").input("Nice picture")
    app = press(app, "Send")
    assert not app.exception
    assert "Nice picture" in text_of(app)
    (thread,) = comments.read_threads(reviews, me, review.id)
    assert thread.anchor.kind == "figure"
    assert "Nice picture" in text_of(go_to(visit("vera"), review.id))


def test_looking_at_losses_makes_no_store_of_reviews(visit, store, tmp_path, monkeypatch):
    monkeypatch.delenv("STEADYSTEP_REVIEWS")
    app = visit(None, "loss")
    assert not app.exception
    assert not list(store.glob("reviews.db*"))
