"""Text from outside, shown literally: names of runs and studies, and sentences that quote them.

Streamlit reads Markdown in headings, captions, labels and messages: an image in a run name would be fetched by the
browser of everybody who looks at it. So no text from a log reaches Streamlit but through here.
"""

import re
import unicodedata

LONGEST = 80  # letters of a name
JOINER = "\u2060"  # invisible; breaks what Markdown would turn into a link, an icon or an emoji
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_LIST_START = re.compile(r"^(\d+)([.)])(?=\s)|^([-+])(?=\s)")
_LINKS = re.compile(r"(?i)(:)(?=\S)|(www)(?=\.)|(?<=\S)(@)")


def literal(text: str, longest: int | None = None) -> str:
    """Returns text without control and direction-changing characters, which are shown as <U+202E>, on one line.

    >>> literal("run" + chr(0x202E) + "1")
    'run<U+202E>1'
    """
    composed = " ".join(unicodedata.normalize("NFC", str(text)).split())
    seen = "".join(f"<U+{ord(sign):04X}>" if unicodedata.category(sign)[0] == "C" else sign for sign in composed)
    return seen if longest is None or len(seen) <= longest else seen[: longest - 1] + "…"


def name(text: str) -> str:
    """Returns a name as charts, tables and lists of choices may show it: literal, at most 80 letters."""
    return literal(text, LONGEST)


def sentence(text: str) -> str:
    r"""Returns text that Markdown shows letter by letter.

    >>> sentence("run ![x](//evil) *1*")
    'run \\!\\[x\\](//evil) \\*1\\*'
    """
    escaped = _MARKUP.sub(r"\\\1", literal(text))
    escaped = _LIST_START.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", escaped)
    return _LINKS.sub(lambda found: found[0] + JOINER, escaped)
