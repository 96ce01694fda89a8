"""python -m analysis report."""

import pytest

from analysis.__main__ import main
from tests.analysis.report.known import exported, write_review
from tests.app_pages.stores import add_study
from tests.studies import sweep


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    add_study(root / "studies", "study", sweep(0.3, seeds=1), root / "files")
    return str(root / "studies")


def test_it_writes_one_page_and_says_where(store, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", "study", "--store", store]) == 0
    assert main(["report", "study", "--store", store, "-o", "mine.html"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "wrote report.html\nwrote mine.html\n")
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.html", "report.html"]


def test_markdown_goes_to_standard_output_or_to_a_file(store, tmp_path, capsys):
    assert main(["report", "study", "--store", store, "--markdown"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("## Above learning rate 0.1, ")
    assert main(["report", "study", "--store", store, "--markdown", "-o", str(tmp_path / "x.md")]) == 0
    written = (tmp_path / "x.md").read_text()
    assert written.splitlines()[:3] == printed.splitlines()[:3]


def test_the_decisions_of_a_review_join_it(store, tmp_path, capsys):
    review = write_review(tmp_path, exported())
    assert main(["report", "study", "--store", store, "--markdown", "--review", str(review)]) == 0
    assert "| Warm up to 3. | Accepted warmup | Bo |" in capsys.readouterr().out


def test_the_decisions_of_several_reviews_join_it_in_their_order(store, tmp_path, capsys):
    other = exported()
    other["review"] |= {"title": "Another day"}
    first = str(write_review(tmp_path, other).rename(tmp_path / "first.json"))
    more = ["--review", first, "--review", str(write_review(tmp_path, exported()))]
    assert main(["report", "study", "--store", store, "--markdown", *more]) == 0
    printed = capsys.readouterr().out
    assert printed.index("Another day, closed") < printed.index("Stride bug, closed")
    assert printed.count("### Decisions") == 1
    assert printed.count("| Warm up to 3. |") == 2


@pytest.mark.parametrize(
    "more",
    [["nothing"], ["study", "--review", "none.json"], ["study", "-o", "no/such/folder/x.html"]],
    ids=["study", "review", "output"],
)
def test_unusable_input_is_one_line_and_exit_two(store, tmp_path, more, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *more, "--store", store]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []
