"""Text from outside is shown letter by letter."""

import pytest

from app_pages import shown


def test_characters_that_change_direction_or_control_are_spelled_out():
    assert shown.name("a\u202eb\x00c") == "a<U+202E>b<U+0000>c"


def test_long_names_are_cut_and_lines_joined():
    assert len(shown.name("x" * 500)) == shown.LONGEST
    assert shown.literal("two\nlines") == "two lines"


@pytest.mark.parametrize(
    "markup", ["*a*", "_a_", "`a`", "[a](b)", "![a](b)", "$a$", "~~a~~", "# a", "<b>", "a|b", "&lt;"]
)
def test_markup_is_escaped(markup):
    escaped = shown.sentence(markup)
    assert escaped != markup
    assert escaped.replace("\\", "") == markup


@pytest.mark.parametrize("link", ["http://a.b", "www.a.b", "me@a.b", ":material/warning:", ":red[x]", ":rocket:"])
def test_what_would_become_a_link_or_an_icon_is_broken_by_an_invisible_joiner(link):
    shown_link = shown.sentence(link)
    assert shown.JOINER in shown_link
    assert shown_link.replace(shown.JOINER, "").replace("\\", "") == link


@pytest.mark.parametrize("start", ["1. a", "- a", "+ a", "12) a"])
def test_a_sentence_never_becomes_a_list(start):
    assert "\\" in shown.sentence(start)


def test_plain_sentences_stay_as_they_are():
    assert shown.sentence("At 0.3 the loss rises, in 3 of 3 seeds.") == "At 0.3 the loss rises, in 3 of 3 seeds."
