"""The review page, in the hands of one person."""

from analysis.findings import diagnose
from analysis.runlog import read_study
from app_pages import meeting, shown
from app_pages.review_evidence import picture_of_item, said_numbers
from reviews import agenda, exchange
from tests.app_pages.reviewing import HOSTILE, decide, field, go_to, latest, only_review, opened, press
from tests.app_pages.stores import text_of


def test_one_person_opens_a_review_decides_comments_signs_and_closes_it(visit, reviews):
    app = opened(visit())
    assert not app.exception
    assert app.title[0].value == "Monday"
    assert "Local, one person" in text_of(app)
    app = decide(app, "leave", "It *holds*.")
    assert "The decision is stored." in [each.value for each in app.success]
    press(app, "Comment")
    field(app, "text_area", "comment").input("See **this**")
    app = press(app, "Send")
    assert "See **this**" in text_of(app)
    app = press(app, "Sign these decisions")
    assert ":material/verified: Local user" in text_of(app)
    app = press(app, "Close it")
    assert not app.exception
    review, me = only_review(reviews)
    assert review.state == "closed"
    exported = exchange.export_review(reviews, me, review.id)
    assert exported["items"][0]["decisions"][0]["reason"] == "It *holds*."
    assert [comment["text"] for comment in exported["comments"]] == ["See **this**"]
    assert len(exported["sign_offs"]) == 1


def test_the_agenda_is_in_order_and_a_point_shows_its_picture_and_command(visit, reviews):
    app = opened(visit())
    review, me = only_review(reviews)
    entries = agenda.read(reviews, me, review.id).items
    assert len(app.radio(key=meeting.ITEM).options) == len(entries) > 5
    assert len(app.get("vega_lite_chart")) == 1
    fix = next(entry.item for entry in entries if entry.item.kind == "fix")
    app.radio(key=meeting.ITEM).set_value(fix.id).run()
    assert not app.exception
    assert fix.content["command"] in [code.value for code in app.code]
    assert shown.sentence(fix.title) in text_of(app)


def test_every_point_of_every_kind_of_study_has_its_picture_and_numbers(visit, reviews, store):
    for study in ("edge", "lost", "sparse", "no-rate", "hostile"):
        app = opened(visit(study=study))
        assert not app.exception, study
        diagnosis = diagnose(read_study(study, store))
        for entry in agenda.read(reviews, *latest(reviews)).items:
            picture = picture_of_item(entry.item, diagnosis)
            assert picture.chart.to_dict(), (study, entry.item.code)
            assert bool(said_numbers(entry.item)) == bool(entry.item.content.get("numbers")), (study, entry.item.code)


def test_words_of_people_are_shown_letter_by_letter(visit, reviews):
    app = opened(visit(), HOSTILE)
    assert app.title[0].value == shown.sentence(HOSTILE)
    app = decide(app, "leave", HOSTILE)
    assert shown.sentence(HOSTILE) in text_of(app)
    press(app, "Comment")
    field(app, "text_area", "comment").input(HOSTILE)
    app = press(app, "Send")
    assert HOSTILE not in text_of(app)
    assert "\\!\\[x" in text_of(app)


def test_a_review_of_another_study_says_so_instead_of_showing_its_pictures(visit, reviews):
    opened(visit())
    review, _ = only_review(reviews)
    app = go_to(visit(study="steady"), review.id)
    assert not app.exception
    assert "another study is chosen above" in text_of(app)
    assert not app.get("vega_lite_chart")


def test_an_address_of_no_review_is_one_line(visit, reviews):
    app = go_to(visit(), "nothing")
    assert "There is no review" in app.error[0].value


def test_the_summary_goes_to_a_chat_only_where_one_is_set(visit, reviews, monkeypatch):
    app = opened(visit("ana"))
    assert not any(button.label == "Send to the chat" for button in app.button)
    monkeypatch.setenv("STEADYSTEP_WEBHOOK", "http://chat.example/hook")
    press(app.run(), "Send to the chat")
    assert "Nothing was sent: the webhook is not https." in app.warning[0].value


def test_a_store_of_reviews_that_cannot_be_opened_is_one_line_and_losses_are_still_shown(visit, monkeypatch, tmp_path):
    (tmp_path / "broken.db").write_bytes(b"not a database" * 100)
    monkeypatch.setenv("STEADYSTEP_REVIEWS", str(tmp_path / "broken.db"))
    app = visit()
    assert not app.exception
    assert "The store of reviews does not answer" in app.error[0].value
    losses = visit(None, "loss")
    assert not losses.exception
    assert len(losses.get("vega_lite_chart")) == 1
