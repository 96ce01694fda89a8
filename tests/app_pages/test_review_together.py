"""The review page, in the hands of several people who signed in, and of those who may not."""

import json

import pytest

from app_pages import meeting, sessions
from reviews import agenda, comments, decisions, exchange
from reviews import people as team
from tests.app_pages.reviewing import field, go_to, only_review, opened, press, sees_nothing
from tests.app_pages.signing_in import claims_of
from tests.app_pages.stores import text_of


def test_a_draft_is_seen_by_its_author_alone_until_it_is_published(visit, reviews):
    app = opened(visit("ana"))
    review, _ = only_review(reviews)
    press(app, "Comment")
    field(app, "text_area", "comment").input("Not sure yet")
    app = press(app, "Save as draft")
    assert "Not sure yet" in text_of(app)
    assert "Not sure yet" not in text_of(go_to(visit("bob"), review.id))
    press(app, "Publish")
    assert "Not sure yet" in text_of(go_to(visit("bob"), review.id))


def test_somebody_who_was_slower_sees_the_decision_of_the_other_and_loses_nothing(visit, reviews):
    ana = opened(visit("ana"))
    review, me = only_review(reviews)
    bob = go_to(visit("bob"), review.id)
    for app, reason in ((ana, "Because of A"), (bob, "Because of B")):
        press(app, "Decide")
        field(app, "button_group", "choice").set_value("leave" if app is ana else "reject")
        field(app, "text_area", "reason").input(reason).run()
    press(ana, "Decide")
    bob = press(bob, "Decide")
    assert "Ana decided on this point while you were writing: **Left as it is**" in bob.warning[0].value
    assert "Because of A" in text_of(bob)
    assert field(bob, "text_area", "reason").value == "Because of B"
    assert len(agenda.read(reviews, me, review.id).items[0].decisions) == 1
    press(bob, "I have read it")
    press(bob, "Decide")
    made = agenda.read(reviews, me, review.id).items[0].decisions
    assert [(each.decided_by.name, each.reason) for each in made] == [("Ana", "Because of A"), ("Bob", "Because of B")]


def test_a_decision_that_came_while_the_form_was_open_is_shown_before_anything_is_sent(visit, reviews):
    ana = opened(visit("ana"))
    review, me = only_review(reviews)
    press(ana, "Decide")
    field(ana, "text_area", "reason").input("Because of A").run()
    point = agenda.read(reviews, me, review.id).items[0].item
    bob = team.enroll(reviews, "bob", "Bob", "reviewer")
    decisions.decide(reviews, bob, point.id, "leave", "Because of B", point.version)
    ana.run()
    assert "Bob decided on this point" in ana.warning[0].value
    assert field(ana, "text_area", "reason").value == "Because of A"


def test_pages_follow_the_presenter_and_a_viewer_can_leave_and_re_join(visit, reviews):
    ana = opened(visit("ana"))
    review, me = only_review(reviews)
    ids = [entry.item.id for entry in agenda.read(reviews, me, review.id).items]
    ana.toggle(key=meeting.PRESENTS).set_value(True).run()
    vera = go_to(visit("vera"), review.id)
    assert vera.toggle(key=meeting.FOLLOWS).value
    ana.radio(key=meeting.ITEM).set_value(ids[2]).run()
    vera.run()
    assert vera.radio(key=meeting.ITEM).value == ids[2]
    vera.radio(key=meeting.ITEM).set_value(ids[0]).run()
    assert not vera.toggle(key=meeting.FOLLOWS).value
    ana.radio(key=meeting.ITEM).set_value(ids[3]).run()
    vera.run()
    assert vera.radio(key=meeting.ITEM).value == ids[0]
    vera.toggle(key=meeting.FOLLOWS).set_value(True).run()
    assert vera.radio(key=meeting.ITEM).value == ids[3]


def test_who_left_a_presenter_in_one_review_follows_in_the_next(visit, reviews):
    ana = opened(visit("ana"))
    first, me = only_review(reviews)
    ids = [entry.item.id for entry in agenda.read(reviews, me, first.id).items]
    vera = go_to(visit("vera"), first.id)
    vera.radio(key=meeting.ITEM).set_value(ids[1]).run()
    assert not vera.toggle(key=meeting.FOLLOWS).value
    del ana.query_params[meeting.REVIEW]
    opened(ana.run())
    (second,) = [review for review in agenda.list_reviews(reviews, me) if review.id != first.id]
    assert go_to(vera, second.id).toggle(key=meeting.FOLLOWS).value
    assert vera.radio(key=meeting.ITEM).value == agenda.read(reviews, me, second.id).items[0].item.id


def test_somebody_who_is_writing_is_not_taken_away_from_it(visit, reviews):
    ana = opened(visit("ana"))
    review, me = only_review(reviews)
    ids = [entry.item.id for entry in agenda.read(reviews, me, review.id).items]
    ana.toggle(key=meeting.PRESENTS).set_value(True).run()
    bob = go_to(visit("bob"), review.id)
    press(bob, "Comment")
    field(bob, "text_area", "comment").input("Half a sent")
    ana.radio(key=meeting.ITEM).set_value(ids[1]).run()
    bob.run()
    assert bob.radio(key=meeting.ITEM).value == ids[0]
    assert "The presenter has moved on" in text_of(bob)
    assert field(bob, "text_area", "comment").value == "Half a sent"


def test_whoever_takes_over_is_followed_by_the_presenter_before(visit, reviews):
    ana = opened(visit("ana"))
    review, _ = only_review(reviews)
    ana.toggle(key=meeting.PRESENTS).set_value(True).run()
    bob = go_to(visit("bob"), review.id)
    bob.toggle(key=meeting.PRESENTS).set_value(True).run()
    ana.run()
    assert not ana.toggle(key=meeting.PRESENTS).value
    assert ana.toggle(key=meeting.FOLLOWS).value


def test_a_viewer_reads_everything_and_is_offered_nothing_that_writes(visit, reviews):
    app = opened(visit("ana"))
    review, _ = only_review(reviews)
    app = go_to(visit("vera"), review.id)
    assert app.title[0].value == "Monday"
    labels = {button.label for button in app.button}
    assert not labels & {"Decide", "Comment", "Sign these decisions", "Close it", "Add to the agenda"}
    assert not labels & {"Comment on a run", "Link it"}
    losses = visit("vera", "loss")
    assert not {button.label for button in losses.button} & {"Comment on a run", "Comment on these steps"}


def test_who_became_a_viewer_while_a_form_was_open_writes_nothing_with_it(visit, reviews):
    app = opened(visit("ana"))
    review, me = only_review(reviews)
    press(app, "Comment")
    field(app, "text_area", "comment").input("Too late")
    app.secrets["roles"] = {"viewer": ["ana"]}
    app = press(app, "Send")
    assert "Ana is a viewer. This needs the role reviewer" in app.warning[0].value
    assert comments.read_threads(reviews, me, review.id) == ()
    assert not any(button.label == "Send" for button in app.button)


def test_an_admin_takes_a_review_in_again_and_a_reviewer_is_not_offered_to(visit, reviews):
    opened(visit("ana"))
    review, me = only_review(reviews)
    content = json.dumps(exchange.export_review(reviews, me, review.id)).encode()
    assert not visit("ana").get("file_uploader")
    adam = visit("adam")
    adam.get("file_uploader")[0].upload("review.json", content).run()
    press(adam, "Import")
    assert not adam.exception
    assert len(agenda.list_reviews(reviews, me)) == 2


DENIED = {
    "without a role": claims_of("mallory"),
    "not signed in": {"is_logged_in": False},
    "expired": claims_of("ana", age=7200),
}


@pytest.mark.parametrize("claims", DENIED.values(), ids=DENIED)
def test_who_is_denied_sees_no_study_no_picker_and_nothing_of_a_page(visit, claims):
    sees_nothing(visit("ana", None, **({"is_logged_in": False} | claims)))


@pytest.mark.parametrize("page", ["review", "loss", "fixes", "import_logs"])
@pytest.mark.parametrize("claims", DENIED.values(), ids=DENIED)
def test_who_is_denied_on_a_page_that_they_have_open_sees_nothing_of_it_any_more(visit, page, claims):
    app = visit("ana", page)
    app.user = claims
    sees_nothing(app.run())


def test_a_sign_in_that_ends_clears_the_page_at_its_next_rerun_and_nothing_is_written(visit, reviews):
    app = opened(visit("ana"))
    review, me = only_review(reviews)
    press(app, "Comment")
    field(app, "text_area", "comment").input("Too late")
    sessions.end(sessions.read_login({**app.user}))
    app = press(app, "Send")
    assert "Your sign-in has ended" in text_of(app)
    assert comments.read_threads(reviews, me, review.id) == ()
