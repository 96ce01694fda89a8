import pytest

from reviews import ReviewConflict, ReviewError, agenda, new_id, screen
from tests.reviews.diagnoses import DIAGNOSIS, finding


def test_the_agenda_has_what_was_found_then_what_holds_then_what_to_try_then_what_failed(store, team, review):
    found = agenda.read(store, team.vera, review.id)
    assert [(entry.item.kind, entry.item.code) for entry in found.items] == [
        ("finding", "edge-of-instability"),
        ("finding", "early-instability"),
        ("fix", "optimizer"),
        ("fix", "clipping"),
        ("fix", "lower-lr"),
        ("fix", "warmup"),
    ]
    weights = [entry.item.weight for entry in found.items]
    assert weights == sorted(weights, reverse=True)
    assert [entry.item.position for entry in found.items] == [1, 2, 3, 4, 5, 6]


def test_a_review_keeps_what_was_seen_whatever_becomes_of_the_study(store, team):
    seen = {**DIAGNOSIS, "findings": [finding("range-end")]}
    review = agenda.open_review(store, team.ana, seen, "before")
    seen["findings"].append(finding("non-finite"))
    kept = agenda.read_diagnosis(store, team.vera, review.id)
    assert [entry["code"] for entry in kept["findings"]] == ["range-end"]
    assert kept["runs"] == DIAGNOSIS["runs"]
    assert agenda.read(store, team.vera, review.id).review.fingerprint == "before"


def test_a_second_click_opens_no_second_review(store, team):
    name = new_id()
    first = agenda.open_review(store, team.ana, DIAGNOSIS, "f", review_id=name)
    assert agenda.open_review(store, team.ana, DIAGNOSIS, "f", review_id=name).id == first.id
    assert [review.id for review in agenda.list_reviews(store, team.ana)] == [name]


def test_reviews_are_listed_by_study_newest_first(store, team):
    other = {**DIAGNOSIS, "study": {**DIAGNOSIS["study"], "name": "other"}}
    ids = [agenda.open_review(store, team.ana, seen, "f").id for seen in (DIAGNOSIS, other, DIAGNOSIS)]
    assert [review.id for review in agenda.list_reviews(store, team.vera)] == ids[::-1]
    assert [review.id for review in agenda.list_reviews(store, team.vera, "gpt-small")] == [ids[2], ids[0]]


def test_what_is_no_diagnosis_opens_no_review(store, team):
    for wrong in ({"schema": "other/1"}, {}, [1], "text"):
        with pytest.raises(ReviewError, match="It needs a diagnosis as JSON"):
            agenda.open_review(store, team.ana, wrong, "f")
    assert agenda.list_reviews(store, team.ana) == ()


def test_a_question_of_the_team_comes_last(store, team, review):
    agenda.add_question(store, team.bob, review.id, "Is the batch size right?")
    agenda.add_question(store, team.bob, review.id, "And the data?")
    titles = [entry.item.title for entry in agenda.read(store, team.bob, review.id).items]
    assert titles[-2:] == ["Is the batch size right?", "And the data?"]
    assert len(titles) == 8


def test_a_closed_review_takes_nothing_more_until_an_admin_opens_it_again(store, team, review, items):
    closed = agenda.close(store, team.bob, review.id, "Warmup it is.\nNext week more.", seen=review.version)
    assert (closed.state, closed.words) == ("closed", "Warmup it is.\nNext week more.")
    with pytest.raises(ReviewError, match="was closed on"):
        agenda.add_question(store, team.ana, review.id, "One more?")
    with pytest.raises(ReviewError, match="needs the role admin"):
        agenda.reopen(store, team.ana, review.id, seen=closed.version)
    agenda.reopen(store, team.admin, review.id, seen=closed.version)
    agenda.add_question(store, team.ana, review.id, "One more?")
    assert agenda.read(store, team.ana, review.id).review.state == "open"


def test_two_who_close_at_once_do_not_overwrite_each_other(store, team, review):
    agenda.close(store, team.ana, review.id, "Mine", seen=review.version)
    with pytest.raises(ReviewConflict, match="is closed by now") as caught:
        agenda.close(store, team.bob, review.id, "Also mine", seen=review.version)
    assert caught.value.theirs.words == "Mine"


def test_the_others_follow_the_presenter(store, team, review, items):
    assert screen.read(store, team.vera, review.id).item_id == items[0].id
    screen.show(store, team.ana, review.id, items[2].id)
    now = screen.read(store, team.vera, review.id)
    assert (now.item_id, now.presenter.name) == (items[2].id, "Ana")


def test_only_the_presenter_moves_on_and_anybody_may_take_over(store, team, review, items):
    with pytest.raises(ReviewError, match="Ana presents"):
        screen.show(store, team.bob, review.id, items[1].id)
    screen.take_over(store, team.bob, review.id)
    screen.show(store, team.bob, review.id, items[1].id)
    now = screen.read(store, team.ana, review.id)
    assert (now.item_id, now.presenter.name) == (items[1].id, "Bob")


def test_a_point_of_another_review_is_not_shown(store, team, review):
    other = agenda.open_review(store, team.ana, DIAGNOSIS, "f")
    foreign = agenda.read(store, team.ana, other.id).items[0].item
    with pytest.raises(ReviewError, match="There is no item"):
        screen.show(store, team.ana, review.id, foreign.id)
