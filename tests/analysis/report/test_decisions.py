"""Decisions of an exported review: read as reviews/ writes them, refused in one line where they do not fit."""

import copy
import json

import pytest

from analysis.report import read_review
from analysis.report.decisions import SCHEMA, parse_review
from analysis.runlog import RunLogError
from reviews import agenda, decisions, exchange, open_store, people, sign_offs
from tests.analysis.report.known import exported, write_review
from tests.reviews.diagnoses import DIAGNOSIS, NAMES

WRONG = [  # where, and what stands there instead
    (("schema",), "steadystep.review/9"), (("review",), None), (("review", "study"), 5), (("people",), 7),
    (("people", 0, "name"), None), (("items", 0, "content"), "text"), (("items", 0, "content", "sentence"), 1),
    (("items", 0, "decisions", 1, "choice"), "maybe"), (("items", 0, "decisions", 1, "owner"), 9),
    (("items", 0, "decisions", 1, "owner"), -1), (("items", 0, "decisions", 1, "owner"), True),
    (("items", 0, "decisions"), None), (("sign_offs", 0, "person"), "Ada"), (("sign_offs",), None),
]  # fmt: skip


def test_a_review_of_the_store_is_read_as_it_was_exported(tmp_path):
    store = open_store(tmp_path / "reviews.db")
    ana = people.add_first(store, "ana@example.org", NAMES[0])
    review = agenda.open_review(store, ana, DIAGNOSIS, "fingerprint-1")
    first, second, *_ = (entry.item for entry in agenda.read(store, ana, review.id).items)
    made = decisions.decide(store, ana, first.id, "accept", NAMES[2], 1, ana.id, "warmup")
    decisions.link_outcome(store, ana, made.id, "refuted", "ledger", "row 1", made.version)
    sign_offs.sign(store, ana, review.id, agenda.read(store, ana, review.id).digest)
    path = write_review(tmp_path, exchange.export_review(store, ana, review.id))
    store.close()
    read = read_review(path)
    assert (read.study, read.fingerprint) == ("gpt-small", "fingerprint-1")
    assert read.heading.endswith(", open")
    point = read.points[0]
    assert (point.sentence, point.choice) == (first.title, "Accepted warmup")
    assert (point.owner, point.reason, point.proof) == (NAMES[0], NAMES[2], "Refuted by ledger row 1")
    assert (read.points[1].sentence, read.points[1].choice) == (second.title, "Not decided")
    assert read.signed == (f"{NAMES[0]}, {point.decided_at[:10]}",)
    assert SCHEMA == exchange.SCHEMA


def test_the_last_decision_counts_and_a_signature_before_it_says_so():
    review = parse_review(exported())
    assert [point.choice for point in review.points] == ["Accepted warmup", "Rejected", "Not decided"]
    assert review.signed == ("Ada, 2026-11-27", "Bo, 2026-11-26, before the last decision")


@pytest.mark.parametrize(
    ("place", "value"), WRONG, ids=[f"{'.'.join(map(str, place))}={value!r}" for place, value in WRONG]
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path, place, value):
    content = copy.deepcopy(exported())
    spot = content
    for word in place[:-1]:
        spot = spot[word]
    spot[place[-1]] = value
    with pytest.raises(RunLogError, match=r"review.json is no exported review \(.*Export it again$") as refused:
        read_review(write_review(tmp_path, content))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", ["{", "[]", "null", "[" * 100_000, "\ufeff{}"], ids=lambda text: repr(text[:5]))
def test_what_is_no_review_at_all_is_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(RunLogError, match="is no exported review"):
        read_review(path)


def test_bytes_that_are_no_text_and_a_missing_file_are_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(json.dumps(exported()).encode("utf-16"))
    with pytest.raises(RunLogError, match="is no exported review"):
        read_review(path)
    with pytest.raises(RunLogError, match=r"cannot be read .*--review needs an exported review"):
        read_review(tmp_path / "none.json")
