"""The audit trail: what was changed, chosen by review and kind, and as files."""

import csv
import io
import json

from analysis.inert import JOINER
from app_pages import audit_table
from app_pages.audit_table import write_file
from reviews import agenda, audit, comments, decisions, new_id
from tests.app_pages.reviewing import HOSTILE, only_review, opened
from tests.app_pages.stores import text_of

FORMULA = '=HYPERLINK("http://evil.example","x")'


def rows_of(app) -> list[dict]:
    """Returns the rows of the table."""
    assert not app.exception
    return app.dataframe[0].value.to_dict("records")


def test_every_change_is_a_row_and_review_and_kind_choose(visit, reviews):
    opened(visit("ana"))
    review, me = only_review(reviews)
    other = agenda.open_review(reviews, me, agenda.read_diagnosis(reviews, me, review.id), "f", "Tuesday")
    point = agenda.read(reviews, me, review.id).items[0].item
    decisions.decide(reviews, me, point.id, "leave", "It holds.", point.version)
    app = visit("vera", "audit_trail")
    rows = rows_of(app)
    assert len(rows) == audit.num_changes(reviews, me)
    assert {"Decision created", "Review created", "Person created"} <= {row["what"] for row in rows}
    app.selectbox(key="of_review").set_value(review.id).run()
    assert {row["review"] for row in rows_of(app)} == {"Monday"}
    assert len(rows_of(app)) == audit.num_changes(reviews, me, review.id)
    app.multiselect(key="of_kind").set_value(["decisions"]).run()
    (row,) = rows_of(app)
    assert (row["who"], row["review"]) == ("Ana", "Monday")
    assert "reason: It holds." in row["change"]
    assert "owner: Ana" in row["change"]
    app.selectbox(key="of_review").set_value(other.id).run()
    assert "No change of this kind yet." in text_of(app)


def test_older_changes_are_on_the_next_pages(visit, reviews, monkeypatch):
    monkeypatch.setattr(audit_table, "PAGE", 3)
    opened(visit("ana"))
    review, me = only_review(reviews)
    for number in range(5):
        comments.write(reviews, me, review.id, f"Comment {number}", new_id())
    app = visit("ana", "audit_trail")
    app.multiselect(key="of_kind").set_value(["comments"]).run()
    seen = [row["change"] for row in rows_of(app)]
    next(button for button in app.button if button.label == "Older").click().run()
    assert "Changes 4 to 5 of 5" in text_of(app)
    seen += [row["change"] for row in rows_of(app)]
    assert len(set(seen)) == 5
    assert "Comment 4" in seen[0]
    assert next(button for button in app.button if button.label == "Older").disabled
    next(button for button in app.button if button.label == "Newer").click().run()
    assert [row["change"] for row in rows_of(app)] == seen[:3]


def test_names_and_texts_that_could_do_harm_are_text_in_the_table_and_in_the_files(visit, reviews):
    opened(visit("ana", name=FORMULA), HOSTILE)
    rows = rows_of(visit("ana", "audit_trail", name=FORMULA))
    assert HOSTILE in {row["review"] for row in rows}  # a cell is drawn letter by letter
    assert {row["who"] for row in rows} == {JOINER + FORMULA}  # and may be copied
    entries = audit.read(reviews, only_review(reviews)[1])
    written = list(csv.DictReader(io.StringIO(write_file(entries, {}, ".csv"))))
    assert {row["who"] for row in written} == {f"'{FORMULA}"}
    as_stored = json.loads(write_file(entries, {}, ".json"))
    assert len(as_stored) == len(written) == len(rows)
    assert {entry["person_name"] for entry in as_stored} == {FORMULA}


def test_drafts_of_others_are_not_in_it(visit, reviews):
    opened(visit("ana"))
    review, me = only_review(reviews)
    comments.write(reviews, me, review.id, "Not sure yet", new_id(), is_draft=True)
    for person, num in (("ana", 1), ("bob", 0)):
        app = visit(person, "audit_trail")
        assert [row["what"] for row in rows_of(app)].count("Comment created") == num
        assert not any("Not sure yet" in row["change"] for row in rows_of(app))
