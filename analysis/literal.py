"""Text from logs, made fit to be seen: one line, no control and no direction-changing characters.

Charts show it as it is; pages pass it through app_pages/shown.py, for Streamlit reads Markdown.
"""

import unicodedata

LONGEST = 80  # letters of a name


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
