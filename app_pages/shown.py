"""Text from outside, shown literally: names of runs and studies, and sentences that quote them.

Streamlit reads Markdown in headings, captions, labels and messages: an image in a run name would be fetched by the
browser of everybody who looks at it. So no text from a log reaches Streamlit but through here.
"""

import re

from analysis.literal import LONGEST, literal, name

__all__ = ["LONGEST", "literal", "name", "sentence"]

JOINER = "\u2060"  # invisible; breaks what Markdown would turn into a link, an icon or an emoji
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_LIST_START = re.compile(r"^(\d+)([.)])(?=\s)|^([-+])(?=\s)")
_LINKS = re.compile(r"(?i)(:)(?=\S)|(www)(?=\.)|(?<=\S)(@)")


def sentence(text: str) -> str:
    r"""Returns text that Markdown shows letter by letter.

    >>> sentence("run ![x](//evil) *1*")
    'run \\!\\[x\\](//evil) \\*1\\*'
    """
    escaped = _MARKUP.sub(r"\\\1", literal(text))
    escaped = _LIST_START.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", escaped)
    return _LINKS.sub(lambda found: found[0] + JOINER, escaped)
