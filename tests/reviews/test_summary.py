import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from analysis.inert import JOINER, inert
from analysis.literal import literal
from reviews import agenda, comments, decisions, new_id, sign_offs, summary
from reviews.anchors import Anchor
from tests.reviews.diagnoses import DIAGNOSIS, NAMES, finding

PLAIN = {f"{name}_{end}" for name in ("bullet_list", "list_item", "paragraph") for end in ("open", "close")} | {
    "inline"
}


@pytest.fixture
def closed(store, team, review, items):
    decisions.decide(store, team.bob, items[0].id, "accept", "It is cheap.", 1, team.ana.id, "warmup")
    made = decisions.decide(store, team.bob, items[3].id, "accept", "Second choice.", 1)
    decisions.link_outcome(store, team.bob, made.id, "refuted", "run", "01ABC", made.version)
    root = comments.write(store, team.ana, review.id, "Why so late?", new_id(), Anchor("steps", "a", 3, 9))
    comments.write(store, team.bob, review.id, "No idea.", new_id(), parent_id=root.id)
    done = comments.write(store, team.ana, review.id, "Settled.", new_id())
    comments.resolve(store, team.ana, done.id)
    comments.write(store, team.ana, review.id, "Secret.", new_id(), is_draft=True)
    sign_offs.sign(store, team.bob, review.id, agenda.read(store, team.bob, review.id).digest)
    agenda.close(store, team.ana, review.id, "Warmup first.", seen=review.version)
    return summary.read(store, team.vera, review.id)


def test_the_summary_has_verdict_decisions_with_owner_and_reason_and_what_is_open(closed):
    text = summary.write_markdown(closed)
    assert "# gpt-small" in text
    assert re.search(r"Review of study gpt-small, closed on \d{4}-\d\d-\d\d\.\n\nWarmup first\.", text)
    assert "## Verdict\n\n* The best learning rate is at the edge." in text
    assert "* It rises. **Accepted warmup.** Owner Ana. Reason: It is cheap." in text
    assert "**Accepted clipping.** Owner Bob. Reason: Second choice. Refuted by run 01ABC." in text
    assert text.count("**Not decided.**") == 4
    assert "## Open comments\n\n* Run a, steps 3 to 9. Ana: Why so late? (1 answer)\n" in text
    assert re.search(r"## Signed by\n\n\* Bob, \d{4}-\d\d-\d\d\n$", text)
    assert "Settled" not in text
    assert "Secret" not in text


def test_a_study_without_sweeps_is_summed_up_by_what_was_found(store, team):
    seen = {**DIAGNOSIS, "study": {"name": "s", "sweeps": []}, "findings": [finding("range-end", sentence="Small.")]}
    review = agenda.open_review(store, team.ana, seen, "f")
    assert summary.read(store, team.ana, review.id).verdict == ("Small.",)
    assert summary.say_verdict({**seen, "findings": []}) == ("Nothing was found.",)


@pytest.mark.parametrize(
    "name", [*NAMES, "1. a", "- a", "# a", "a\n\n## b", "| a | b |", "**a**", "`a`", "&lt;", "a@b.org"]
)
def test_hostile_words_are_only_text_in_markdown(name):
    assert read_back(name) == literal(name)
    assert not re.search(r"(?i)www\.|(?<!\\)(:[/a-z]|[@$](?!\u2060))", inert(name))  # what dialects link or draw


@pytest.mark.parametrize("name", NAMES)
def test_hostile_words_call_and_link_nothing_in_a_chat(name):
    text = summary.chat_literal(name)
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", text)
    assert not re.search(r"(?<!\u2060)[*_~`@]", text)
    unescaped = text.replace("\u2060", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert unescaped == " ".join(name.split())


def test_the_chat_message_is_short_and_ends_with_the_link(store, team, review, items, closed):
    message = summary.write_chat(closed, "https://example.org/review?id=1")
    assert list(message) == ["text"]
    lines = message["text"].splitlines()
    assert lines[0] == "Review gpt-small is closed."
    assert lines[-2:] == ["4 not decided, 1 comments open.", "https://example.org/review?id=1"]
    assert "• It rises. Accepted warmup: Ana. It is cheap." in lines
    agenda.reopen(store, team.admin, review.id, closed.agenda.review.version)
    for item in items[1:3]:
        decisions.decide(store, team.bob, item.id, "reject", "word " * 3000, 1)
    text = summary.write_chat(summary.read(store, team.ana, review.id))["text"]
    assert len(text) <= summary.CHAT_CHARACTERS + 2
    assert text.endswith("\n…")


@given(st.text(alphabet="\\`*_{}[]()<>#+-.!|~$:@&=^/ \n19awW\"'", max_size=40))
@settings(derandomize=True, max_examples=400)
def test_any_signs_are_only_text_in_markdown(name):
    assert read_back(name) == literal(name)


def read_back(name: str) -> str:
    """Returns what a Markdown reader shows of a text in a list; it sees nothing but text."""
    document = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = document.parse(f"* {inert(name)}")
    inside = [child for token in tokens for child in token.children or ()]
    assert {token.type for token in tokens} <= PLAIN
    assert {child.type for child in inside} <= {"text", "text_special"}
    return "".join(child.content for child in inside).replace(JOINER, "")
