import copy
import json

import pytest

from analysis.frozen import FrozenRun
from reviews import (
    ReviewError,
    agenda,
    bring_in,
    comments,
    decisions,
    evidence,
    exchange,
    new_id,
    open_store,
    people,
    sign_offs,
)
from reviews.anchors import Anchor
from tests.reviews.diagnoses import DIAGNOSIS, NAMES

WRONG = [  # where, and what stands there instead
    (("schema",), "steadystep.review/9"), (("people",), KeyError), (("people", 0), "Ana"),
    (("people", 0, "name"), 5), (("people", 0, "name"), "a\x00"), (("people", 0, "subject"), ["x"]),
    (("review", "state"), "ajar"), (("review", "closed_at"), None), (("review", "opened_by"), 99),
    (("review", "opened_by"), -1), (("review", "opened_at"), "yesterday"),
    (("review", "opened_at"), "2026-11-28"), (("review", "title"), None), (("diagnosis",), {"schema": "x"}),
    (("items", 0, "content"), "text"), (("items", 0, "content", "sentence"), 1),
    (("items", 0, "kind"), "script"), (("items", 0, "weight"), "9"), (("items", 0, "weight"), True),
    (("items", 0, "decisions", 0, "choice"), "maybe"), (("items", 0, "decisions", 0, "owner"), 99),
    (("items", 0, "decisions", 0, "outcome"), "true"), (("items", 0, "decisions"), 7),
    (("comments", 1, "parent"), 1), (("comments", 1, "parent"), 10**9),
    (("comments", 0, "anchor_kind"), "planet"), (("comments", 0, "text"), None),
    (("comments", 0, "text"), "x" * 20_001), (("comments", 0, "first_step"), 2**70),
    (("comments", 0, "author"), None), (("comments", 0, "edits"), None), (("sign_offs", 0, "person"), "Bob"),
    (("sign_offs",), KeyError), (("items", 0, "weight"), 2**40), (("items", 0, "code"), "x" * 65),
    (("comments", 0, "parent"), "1"), (("evidence",), "all"), (("evidence", 0), "a"), (("evidence", 0, "num_rows"), -1),
    (("evidence", 0, "num_rows"), True), (("evidence", 0, "run_id"), ""), (("evidence", 0, "digest"), KeyError),
    (("evidence", 0, "record"), {"name": "x"}), (("evidence", 0, "record"), {"status": {}}),
]  # fmt: skip


NOTED = (FrozenRun("a", 40, "d1", {"status": "running", "base_lr": 0.1, "resumed_at": [7, 9]}), FrozenRun(NAMES[0], 3))


@pytest.fixture
def review(store, team):
    """A review with notes of its runs."""
    return agenda.open_review(store, team.ana, DIAGNOSIS, "fingerprint-1", frozen=NOTED)


@pytest.fixture
def told(store, team, review, items):
    """A review with all that one can hold, whose words are hostile; its export."""
    made = decisions.decide(store, team.ana, items[0].id, "probe", NAMES[0], 1)
    decisions.decide(store, team.bob, items[0].id, "accept", NAMES[4], made.number + 1, team.ana.id, "warmup")
    made = decisions.decide(store, team.bob, items[3].id, "accept", "Yes.", 1)
    decisions.link_outcome(store, team.ana, made.id, "refuted", "ledger", NAMES[2], made.version)
    agenda.add_question(store, team.ana, review.id, NAMES[1])
    for name in NAMES:
        root = comments.write(store, team.ana, review.id, name, new_id(), Anchor("figure", name))
        reply = comments.write(store, team.bob, review.id, name, new_id(), parent_id=root.id)
        comments.write(store, team.ana, review.id, "Deeper.", new_id(), parent_id=reply.id)
        comments.edit(store, team.bob, reply.id, f"{name} edited", reply.version)
    comments.write(store, team.ana, review.id, "Here.", new_id(), Anchor("steps", "a", 3, 2**40))
    about = comments.write(store, team.ana, review.id, "On this.", new_id(), Anchor("item", items[2].id))
    comments.resolve(store, team.bob, about.id)
    comments.write(store, team.bob, review.id, "My draft.", new_id(), is_draft=True)
    sign_offs.sign(store, team.bob, review.id, agenda.read(store, team.bob, review.id).digest)
    agenda.close(store, team.ana, review.id, NAMES[-1], seen=review.version)
    return exchange.export_review(store, team.vera, review.id)


def test_a_review_is_the_same_after_export_and_import_under_new_ids(store, team, review, told):
    text = json.dumps(told)
    again = bring_in.import_review(store, team.admin, text)
    assert again.id != review.id
    assert exchange.export_review(store, team.admin, again.id) == told
    assert exchange.export_review(store, team.admin, review.id) == told
    before = {comment.root.id for comment in comments.read_threads(store, team.admin, review.id)}
    assert before.isdisjoint({thread.root.id for thread in comments.read_threads(store, team.admin, again.id)})
    assert [signed.is_current for signed in sign_offs.read(store, team.admin, again.id)] == [True]


def test_what_was_noted_of_the_runs_comes_back_and_goes_with_the_review(store, team, review, told):
    again = bring_in.import_review(store, team.admin, json.dumps(told))
    for each in (review, again):
        assert evidence.read(store, team.vera, each.id) == NOTED


def test_of_an_export_without_notes_the_diagnosis_tells_how_long_the_runs_were(store, team, told):
    del told["evidence"]
    told["diagnosis"]["runs"][0]["num_steps"] = 12
    again = bring_in.import_review(store, team.admin, told)
    assert evidence.read(store, team.vera, again.id) == (FrozenRun("a", 12),)


def test_an_export_goes_to_another_store_whose_people_need_no_role_for_it(told, tmp_path):
    other = open_store(tmp_path / "other.db")
    admin = people.add_first(other, "admin@example.org", "Another name")
    again = bring_in.import_review(other, admin, json.dumps(told).encode())
    exported = exchange.export_review(other, admin, again.id)
    assert exported == told
    assert people.sign_in(other, "ana@example.org") is None
    other.close()


def test_drafts_stay_at_home(told, team):
    assert "My draft." not in json.dumps(told)
    assert len(told["comments"]) == 3 * len(NAMES) + 2


def test_an_answer_that_seems_older_than_its_question_comes_over(store, team, told):
    for comment in told["comments"]:
        if comment["parent"] is not None:
            comment["written_at"] = "2001-01-01T00:00:00.000000+00:00"
    again = bring_in.import_review(store, team.admin, told)
    once = exchange.export_review(store, team.admin, again.id)
    assert sorted(map(str, (c["text"] for c in once["comments"]))) == sorted(c["text"] for c in told["comments"])
    assert all(c["parent"] is None for c in once["comments"] if c["text"] in NAMES)


def change(told: dict, path: tuple, value: object) -> dict:
    """Returns a copy with one value replaced; `KeyError` as value takes it out."""
    copied = copy.deepcopy(told)
    holder = copied
    for step in path[:-1]:
        holder = holder[step]
    if value is KeyError:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return copied


def test_what_is_no_export_is_refused_in_one_line_and_leaves_nothing(store, team, told):
    before = [review.id for review in agenda.list_reviews(store, team.admin)]
    for path, value in WRONG:
        with pytest.raises(ReviewError) as caught:
            bring_in.import_review(store, team.admin, change(told, path, value))
        assert "\n" not in str(caught.value), path
        assert len(str(caught.value)) < 400, path
    assert [review.id for review in agenda.list_reviews(store, team.admin)] == before


def test_a_sign_off_that_stands_twice_is_refused(store, team, told):
    with pytest.raises(ReviewError, match="something is in it twice"):
        bring_in.import_review(store, team.admin, {**told, "sign_offs": told["sign_offs"] * 2})


def test_a_file_that_is_no_export_is_refused(store, team):
    for text in ("", "{", "[]", "null", b"\xff\xfe", "[" * 100_000, '{"schema": "steadystep.review/1"}'):
        with pytest.raises(ReviewError, match="This is no exported review"):
            bring_in.import_review(store, team.admin, text)
