"""What happens to a review later: outcomes of decisions, changed comments, comments on runs, and the report."""

from markupsafe import escape

from analysis.findings import diagnose
from analysis.inert import inert
from analysis.ledger import LedgerRow
from app_pages import decided, downloads, ledger
from reviews import agenda, comments, new_id
from reviews.anchors import Anchor
from tests.app_pages.reviewing import HOSTILE, decide, field, go_to, only_review, opened, press
from tests.app_pages.stores import add_study, text_of
from tests.studies import make_study, sweep


def test_a_decision_is_linked_to_a_run_that_came_since_on_a_closed_review_too(visit, reviews, tmp_path, monkeypatch):
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    add_study(tmp_path / "studies", "edge", sweep(0.3, stride="1x1", seeds=1), tmp_path / "first")
    app = decide(opened(visit("ana")), "leave", "It holds.")
    review, me = only_review(reviews)
    agenda.close(reviews, me, review.id, "", review.version)
    add_study(tmp_path / "studies", "edge", sweep(9.0, lrs=(0.1,), seeds=1, stride="9x9"), tmp_path / "second")
    app.run()
    assert field(app, "selectbox", "proof").options[0].endswith("learning rate 0.1, came since")
    press(app, "Link it")
    assert "It needs an outcome and what shows it" in app.warning[0].value
    field(app, "button_group", "outcome").set_value("confirmed")
    field(app, "selectbox", "proof").set_value("run:9x9-0.1-0").run()
    app = press(app, "Link it")
    assert "What came of the decision is stored." in app.success[0].value
    made = agenda.read(reviews, me, review.id).items[0].decision
    assert (made.outcome, made.proof_kind, made.proof) == ("confirmed", "run", "9x9-0.1-0")
    assert any("Confirmed" in each.value for each in app.markdown)
    assert any(link.proto.label.startswith("by run ") for link in app.get("page_link"))
    vera = go_to(visit("vera"), review.id)
    assert any(link.proto.label.startswith("by run ") for link in vera.get("page_link"))
    assert not any(button.label == "Link it" for button in vera.button)


def test_a_row_of_the_ledger_can_show_what_came_of_a_decision(visit, reviews, monkeypatch):
    rows = (LedgerRow("warmup", "all", "", "refuted", "", {}, {}, (), (), 10, "", "2026-11-28T10:00:00+00:00"),)
    monkeypatch.setattr(ledger, "read_ledger", lambda _diagnosis: rows)
    app = decide(opened(visit("ana")), "leave", "It holds.")
    assert field(app, "selectbox", "proof").options[0].startswith("Ledger, 2026-11-28: ")
    field(app, "button_group", "outcome").set_value("refuted")
    field(app, "selectbox", "proof").set_value(f"ledger:{rows[0].written_at}").run()
    press(app, "Link it")
    review, me = only_review(reviews)
    made = agenda.read(reviews, me, review.id).items[0].decision
    assert (made.outcome, made.proof_kind, made.proof) == ("refuted", "ledger", rows[0].written_at)
    assert "by the row of the ledger of 2026-11-28" in [link.proto.label for link in app.get("page_link")]


def test_earlier_texts_of_a_comment_are_there_for_everybody(visit, reviews):
    app = opened(visit("ana"))
    review, me = only_review(reviews)
    comment = comments.write(reviews, me, review.id, f"First {HOSTILE}", new_id())
    for text in ("Second", "Third"):
        comment = comments.edit(reviews, me, comment.id, text, comment.version)
    app = go_to(visit("vera"), review.id)
    said = [each.value for each in app.markdown]
    assert said.index("Second") > next(place for place, text in enumerate(said) if text.startswith("First "))
    assert sum(each.value.startswith("Until ") for each in app.caption) == 2
    assert HOSTILE not in text_of(app)


def test_a_run_as_a_whole_is_commented_on_in_the_review_and_beside_its_losses(visit, reviews):
    app = opened(visit("ana"))
    review, me = only_review(reviews)
    run_ids = [run["run_id"] for run in agenda.read_diagnosis(reviews, me, review.id)["runs"]]
    press(app, "Comment on a run")
    field(app, "selectbox", "run").set_value(run_ids[1])
    field(app, "text_area", "comment").input("In the review").run()
    press(app, "Send")
    losses = visit("ana", "loss")
    losses.segmented_control(key="view").set_value("All runs").run()
    press(losses, "Comment on a run")
    field(losses, "selectbox", "run").set_value(run_ids[2])
    field(losses, "text_area", "comment").input("Beside its losses").run()
    press(losses, "Send")
    assert not losses.exception
    found = {thread.root.text: thread.anchor for thread in comments.read_threads(reviews, me, review.id)}
    assert found == {"In the review": Anchor("run", run_ids[1]), "Beside its losses": Anchor("run", run_ids[2])}
    assert {"In the review", "Beside its losses"} <= set(text_of(losses).splitlines())


def test_the_report_of_the_button_has_the_decisions_of_the_study(visit, reviews):
    formula = '=HYPERLINK("http://evil.example")'
    decide(opened(visit("ana"), HOSTILE), "leave", formula)
    review, me = only_review(reviews)
    agenda.open_review(reviews, me, agenda.read_diagnosis(reviews, me, review.id), "f", "Nothing decided")
    found = decided.read_decided(reviews, me, "edge")
    assert [each.heading for each in found] == [f"{HOSTILE}, open"]
    assert decided.read_decided(reviews, me, "another") == ()
    diagnosis = diagnose(make_study(sweep(9.0, lrs=(0.1,), seeds=1), "edge"))
    for writer, write in (("write_markdown", inert), ("write_html", escape)):
        report = downloads.written(diagnosis, writer, found)
        assert "Left as it is" in report
        assert all(str(write(words)) in report for words in (formula, HOSTILE))


def test_a_store_of_reviews_that_does_not_answer_is_said_beside_the_button(visit, monkeypatch, tmp_path):
    (tmp_path / "broken.db").write_bytes(b"not a database" * 100)
    monkeypatch.setenv("STEADYSTEP_REVIEWS", str(tmp_path / "broken.db"))
    app = visit(None, None)
    assert not app.exception
    assert "The report has no decisions in it. The store of reviews does not answer" in text_of(app)
    assert len(app.get("download_button")) == 2
