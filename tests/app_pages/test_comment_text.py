"""What a comment may do to a page: bold, italics, code, lists and https links, and nothing else."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app_pages.comment_text import comment_markdown

LINK = re.compile(r"(?<!\\)\]\((?P<url>[^)]*)\)")
HARMLESS_URL = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?([/?#][A-Za-z0-9\-._~:/?#@&+,=%]*)?")
SIGNS = "\\`*_{}[]<>#|~$&!:()-+=.@/ \n1aw\u202e"
PIECES = st.sampled_from(["https://", "[a](", "www.", "```", "![", "](", "<img", ":red[", "**", "x@y.z", "\n\n", "- "])
TEXTS = st.lists(st.one_of(st.text(alphabet=SIGNS, max_size=12), PIECES), max_size=20).map("".join)


def without_code(markdown: str) -> str:
    """Returns Markdown without its code, in which nothing has a meaning."""
    return re.sub(r"(?<!\\)((?:\\\\)*)`[^`]*`", r"\1", markdown)  # an even number of backslashes escapes no sign


def outside_of_allowed(markdown: str) -> str:
    """Returns what is left of Markdown without the code, links and emphasis that it may have."""
    markdown = LINK.sub("", without_code(markdown))
    return re.sub(r"(?<!\\)(\*\*|\*)", "", markdown)


def test_bold_italics_code_and_lists_are_kept():
    assert comment_markdown("**a** and *b* and `c_d`") == "**a** and *b* and `c_d`"
    assert comment_markdown("- one\n* two") == "- one\n- two"
    assert comment_markdown("1. one\n2) two") == "1. one\n2. two"


def test_a_link_to_https_is_kept_and_says_where_it_leads():
    assert comment_markdown("[run](https://example.org/a?b=1)") == "[run](https://example.org/a?b=1) (example.org)"


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](http://example.org)",
        "[x](//example.org)",
        "[x](https://user:word@example.org)",
        "[x](data:text/html,a)",
        "![x](https://example.org/a.png)",
        '[x](https://example.org "title")',
        "[x][1]\n\n[1]: https://example.org",
        "<https://example.org>",
        "https://example.org www.example.org me@example.org",
    ],
)
def test_nothing_else_becomes_a_link_or_a_picture(text):
    assert not LINK.search(comment_markdown(text).replace("\\]", ""))
    assert not re.search(r"(?<!\\)[<!]", comment_markdown(text))
    assert "://e" not in comment_markdown(text)
    assert "www.e" not in comment_markdown(text)
    assert "me@e" not in comment_markdown(text)


@pytest.mark.parametrize("line", ["# a", "> a", "---", "===", "+ a", "| a | b |", "<b>a</b>", "```", "$a$", "~~a~~"])
def test_a_line_never_becomes_a_heading_a_rule_a_quote_a_table_html_or_a_formula(line):
    (escaped,) = comment_markdown(f"before\n{line}").splitlines()[1:]
    assert escaped.startswith("\\")


def test_icons_colors_and_emoji_codes_are_literal():
    said = comment_markdown(":material/warning: :red[a] :smile: 10:30")
    assert not re.search(r":(?=[^\s\u2060])", said)


def test_direction_changing_characters_are_spelled_out():
    assert comment_markdown("a\u202eb") == "a\\<U+202E\\>b"


@given(TEXTS)
@example(":*1*")
@example("`]()`")
@example("\\`1`")
def test_whatever_is_typed_no_sign_but_those_of_what_is_allowed_keeps_a_meaning(text):
    written = comment_markdown(text)
    assert all(HARMLESS_URL.fullmatch(found["url"]) for found in LINK.finditer(without_code(written)))
    rest = outside_of_allowed(written)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`\[\]<>#|~$&!{}_]", rest)
    assert not re.search(r":(?=[^\s\u2060])", rest)
    assert not any(line.startswith("    ") for line in written.splitlines())


def test_a_comment_of_full_length_is_written_at_once():
    for piece in ("**a ", "*a", "[a](https://", "`", "- "):
        comment_markdown(piece * (20_000 // len(piece)))
