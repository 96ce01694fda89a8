"""The buttons that give the report away."""

from analysis.findings import diagnose
from analysis.report.decisions import parse_review
from app_pages import downloads
from tests.analysis.report.known import exported
from tests.studies import make_study, sweep


def test_the_findings_page_offers_both_and_writes_nothing_before_a_click(open_app, monkeypatch):
    monkeypatch.setattr(downloads, "write_report", lambda *_: 1 / 0)
    app = open_app("edge")
    assert not app.exception
    buttons = [button.proto for button in app.get("download_button")]
    assert [button.label for button in buttons] == ["Download report", "As Markdown"]
    assert all(button.deferred_file_id and button.ignore_rerun for button in buttons)


def test_a_study_of_hostile_names_has_them_too(open_app):
    app = open_app("hostile")
    assert not app.exception
    assert len(app.get("download_button")) == 2


def test_each_is_written_once_for_each_state_of_the_study_and_of_its_reviews(monkeypatch):
    asked, decided = [], parse_review(exported())
    monkeypatch.setattr(downloads, "write_report", lambda _study, writer, _: asked.append(writer) or f"{len(asked)}")
    first = diagnose(make_study(sweep(9.0, lrs=(0.1,), seeds=1), "downloads"))
    later = diagnose(make_study(sweep(9.0, lrs=(0.1,), seeds=2), "downloads"))
    wanted = [(first, "write_html"), (first, "write_html"), (first, "write_markdown"), (later, "write_html")]
    wanted += [(later, "write_html", (decided,)), (later, "write_html", (decided,))]
    assert [downloads.written(*each) for each in wanted] == ["1", "1", "2", "3", "4", "4"]


def test_what_is_written_is_the_report():
    diagnosis = diagnose(make_study(sweep(9.0, lrs=(0.1,), seeds=1)))
    assert downloads.write_report(diagnosis, "write_markdown").startswith("## ")
