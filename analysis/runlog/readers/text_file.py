"""Standard output as text: lines without colors, split at carriage returns too."""

import re
from collections.abc import Iterator
from pathlib import Path

HEAD_BYTES = 4096  # ours: what a reader may look at to recognise its format
PROBED_BYTES = 4 * 2**20  # ours: what may stand before the first logged step (environment, arguments, a script)
MAX_LINE = 2**20  # ours: characters; longer lines come in pieces
COLOR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def holds(path: Path, head: bytes, pattern: re.Pattern[bytes]) -> bool:
    """Returns whether a text file has the pattern in its first 4 MiB."""
    if not head or b"\0" in head:
        return False
    if pattern.search(head):
        return True
    if len(head) < HEAD_BYTES:  # that is all of it
        return False
    with path.open("rb") as file:
        return bool(pattern.search(file.read(PROBED_BYTES)))


def read_lines(path: Path) -> Iterator[str]:
    """Yields the lines of a file without colors; bytes that are no UTF-8 are replaced."""
    with path.open(encoding="utf-8", errors="replace") as text:
        for line in iter(lambda: text.readline(MAX_LINE), ""):
            yield COLOR.sub("", line).rstrip("\n") if "\x1b" in line else line.rstrip("\n")
