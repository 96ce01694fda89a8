"""Comments as Markdown that cannot do harm: bold, italics, code, lists and https links. All else is literal."""

import re

from app_pages import shown

# ours: bounded, so that no comment takes long to read
INLINE = re.compile(
    r"`(?P<code>[^`\n]{1,500})`"
    r"|\*\*(?P<bold>[^\s*](?:[^*\n]{0,498}[^\s*])?)\*\*"
    r"|\*(?P<italic>[^\s*](?:[^*\n]{0,498}[^\s*])?)\*"
    r"|(?<!!)\[(?P<label>[^\[\]\n]{1,200})\]\((?P<url>https://(?P<host>[A-Za-z0-9.-]{1,253})(?P<port>:\d{1,5})?"
    r"(?:[/?#][A-Za-z0-9\-._~:/?#@&+,=%]{0,1000})?)\)"
)
BULLET, NUMBERED = re.compile(r"\s*[-*]\s+(?=\S)"), re.compile(r"\s*(\d{1,3})[.)]\s+(?=\S)")
LINE_START = re.compile(r"^[-+=:]")  # begins a list, a rule, a heading of the line above, or a block of its own


def comment_markdown(text: str) -> str:
    r"""Returns a comment as Markdown for Streamlit, which opens links in a tab without access to this one.

    >>> comment_markdown("**yes**, see [run](https://example.org/a) <b>")
    '**yes**, see [run](https://example.org/a) (example.org) \\<b\\>'
    """
    blocks: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        kind, shown_line = write_line(line)
        if blocks and blocks[-1][0] == kind:
            blocks[-1][1].append(shown_line)
        else:
            blocks.append((kind, [shown_line]))
    joints = {"text": "  \n", "bullet": "\n", "number": "\n"}
    return "\n\n".join(joints[kind].join(lines) for kind, lines in blocks if kind != "empty")


def write_line(line: str) -> tuple[str, str]:
    """Returns what a line is, and its Markdown."""
    if not line.strip():
        return "empty", ""
    if start := BULLET.match(line):
        return "bullet", f"- {guard(write_inline(line[start.end() :]))}"
    if start := NUMBERED.match(line):
        return "number", f"{start[1]}. {guard(write_inline(line[start.end() :]))}"
    return "text", guard(write_inline(line.strip()))


def guard(line: str) -> str:
    """Takes the meaning from a sign that begins a line."""
    return LINE_START.sub(lambda found: f"\\{found[0]}", line)


def write_inline(text: str) -> str:
    """Returns the Markdown within a line."""
    parts, end = [], 0
    for found in INLINE.finditer(text):
        parts += [escape(text[end : found.start()]), write_found(found)]
        end = found.end()
    return "".join([*parts, escape(text[end:])])


def write_found(found: re.Match) -> str:
    """Returns one piece of Markdown that is allowed."""
    if found["code"]:
        code = shown.literal(found["code"]) or " "
        return f"`{code.replace(':material/', f':{shown.JOINER}material/')}`"  # Streamlit looks for icons in code, too
    if found["bold"]:
        return f"**{escape(found['bold'])}**"
    if found["italic"]:
        return f"*{escape(found['italic'])}*"
    return f"[{escape(found['label'])}]({found['url']}) ({escape(found['host'])})"  # a label can say anything


def escape(text: str) -> str:
    """Returns text that is shown letter by letter, with the spaces at its ends."""
    if not text.strip():
        return " " if text else ""
    end = shown.JOINER if text[-1] == ":" else " " * text[-1].isspace()  # a colon takes meaning from what follows it
    return f"{' ' * text[0].isspace()}{shown.sentence(text)}{end}"
