"""Text from logs and people, made inert: shown letter by letter by Markdown, by a forge, and by a spreadsheet.

Streamlit and forges read Markdown everywhere: an image in the name of a run would be fetched by the browser of
everybody who looks at it. What is escaped, and how, is written here once; pages, reports and summaries use it.
"""

import re

from analysis.literal import literal

JOINER = "\u2060"  # invisible; breaks what would become a link, an icon, an emoji, a mention or a formula
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_LINE_START = re.compile(r"^(\d+)([.)])(?=\s)|^([-+=])")
_LINKS = re.compile(r"(?i)(:)(?=\S)|(www)(?=\.)|(?<=\S)(@)")
_REFERENCES = re.compile(rf"(?i)(@)(?!{JOINER})|(\\#)|(gh-)(?=\d)")
_FORMULA = ("=", "+", "-", "@")


def sentence(text: str) -> str:
    r"""Returns text in one line that Markdown shows letter by letter.

    >>> sentence("run ![x](//evil) *1*")
    'run \\!\\[x\\](//evil) \\*1\\*'
    """
    escaped = _MARKUP.sub(r"\\\1", literal(text))
    escaped = _LINE_START.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", escaped)
    return _LINKS.sub(lambda found: found[0] + JOINER, escaped)


def inert(text: str) -> str:
    r"""Returns text as `sentence` does, of which a forge makes no mention or reference, and a spreadsheet no formula.

    >>> inert("@all see #1").replace(JOINER, "|")
    '|@|all see \\#|1'
    """
    return formula_guard(text) + _REFERENCES.sub(lambda found: found[0] + JOINER, sentence(text))


def formula_guard(text: str) -> str:
    """Returns what must stand before a text so that no spreadsheet takes it for a formula: a joiner, or nothing."""
    return JOINER if literal(text).startswith(_FORMULA) else ""
