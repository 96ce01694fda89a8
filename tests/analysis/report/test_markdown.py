"""The words of a report as Markdown, read back by a Markdown reader."""

import re

import pytest
from markdown_it import MarkdownIt

from analysis.inert import JOINER, inert
from analysis.report import write_markdown
from analysis.report.decisions import parse_review
from analysis.report.markdown import fence
from analysis.words import FIX_NAMES
from tests.analysis.figures.known import variants
from tests.analysis.report.known import FORMULA, HOSTILE, exported, hostile_runs, report_of
from tests.analysis.report.test_page import hostile_review
from tests.studies import sweep

READER = MarkdownIt("commonmark").enable("table")
WORDS_ONLY = {"text", "softbreak", "strong_open", "strong_close"}


def inline_of(text: str) -> list:
    """Returns all that a Markdown reader finds within blocks."""
    return [child for block in READER.parse(text) for child in block.children or ()]


def text_of(text: str) -> str:
    """Returns what people see, without what nobody sees."""
    return " ".join(child.content for child in inline_of(text)).replace(JOINER, "")


def test_it_says_verdict_findings_fixes_decisions_and_captions():
    report = report_of(variants(), parse_review(exported()))
    written = write_markdown(report)
    said = text_of(written)
    assert said.startswith(report.headline.title)
    assert report.headline.evidence in said
    for finding in report.diagnosis.findings:
        assert finding.sentence in said
    for fix in report.diagnosis.fixes:
        assert FIX_NAMES[fix.fix] in said
        assert fix.sentence in said
    for figure in report.figures:
        assert (figure.caption in said) == figure.applies or not figure.caption
    for words in ("Warm up to 3.", "Accepted warmup", "cheapest", "Confirmed by run 01J", "Not decided"):
        assert words in said
    (command,) = [block.content for block in READER.parse(written) if block.type == "fence"]
    assert command == f"{report.diagnosis.next_fix.command}\n"


def test_the_checks_and_decisions_are_tables_of_the_right_size():
    report = report_of(variants(), parse_review(exported()))
    blocks = [block.type for block in READER.parse(write_markdown(report))]
    assert blocks.count("table_open") == 2
    assert blocks.count("tr_open") == 1 + len(report.diagnosis.findings) + 1 + 3


def test_without_fixes_and_figures_it_says_so():
    said = text_of(write_markdown(report_of(sweep(9.0, lrs=(0.1,), seeds=1))))
    assert "Nothing to fix." in said
    assert "Decisions" not in said


def test_hostile_words_are_words_only():
    written = write_markdown(report_of(hostile_runs(), parse_review(hostile_review()), name=HOSTILE))
    assert {child.type for child in inline_of(written)} <= WORDS_ONLY
    assert {block.type for block in READER.parse(written)}.isdisjoint({"html_block", "code_block", "hr"})
    assert "<img src=x onerror=alert(1)></script><script>alert(2)</script> [x](javascript:alert(3))" in text_of(written)
    written.encode()


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        FORMULA,
        "@all",
        "see #12 and GH-12",
        "http://evil.example",
        "a@evil.example",
        "www.evil.example",
        ":warning:",
    ],
)
def test_no_forge_makes_a_link_a_mention_or_a_reference_of_it(text):
    shown = inert(text)
    assert not re.search(r"(?i)@\w|#\d|gh-\d|:\S|www\.", shown.replace(f":{JOINER}", ""))
    assert not shown.startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("text", ["1. one", "- one", "+ one", "* one", "# one", "> one", "===", "---", "~~~", "```"])
def test_no_start_of_a_line_makes_a_block_of_it(text):
    assert [block.type for block in READER.parse(inert(text))] == ["paragraph_open", "inline", "paragraph_close"]
    assert text_of(inert(text)) == text


def test_no_backtick_ends_a_block_of_code():
    (block,) = READER.parse("\n".join(fence("python -m x --study '```\n<img>'")))
    assert (block.type, block.content) == ("fence", "python -m x --study '``` <img>'\n")
