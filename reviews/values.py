"""Ids, times and texts as they are stored: letter by letter, or not at all."""

import json
import re
from datetime import UTC, datetime

from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator
from ulid import ULID

from reviews.errors import ReviewError

MAX_NAME = 200  # ours: characters of a name, title or subject
MAX_TEXT = 20_000  # ours: characters of a comment, reason or summary
CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class JsonText(TypeDecorator):
    """JSON as ASCII text: what a log may hold (U+0000, lone surrogates) is escaped, on both databases alike."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        """Writes strict JSON."""
        return None if value is None else json.dumps(value, allow_nan=False, sort_keys=True)

    def process_result_value(self, value, dialect):
        """Reads it back."""
        return None if value is None else json.loads(value)


def new_id() -> str:
    """Makes an id that sorts by time."""
    return str(ULID())


def now() -> str:
    """Returns the time, ISO 8601 in UTC to the microsecond: text that sorts."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def check_id(client_id: str) -> str:
    """Returns an id that a client made, if it can be one."""
    if isinstance(client_id, str) and CLIENT_ID.fullmatch(client_id):
        return client_id
    raise ReviewError(
        f"Id {str(client_id)[:40]!r} cannot be stored. It needs 8 to 64 letters, digits, - or _. Make it with new_id()"
    )


def check_text(what: str, text: str, most: int = MAX_TEXT, may_be_empty: bool = False) -> str:
    """Returns a text unchanged if it can be stored letter by letter."""
    if not isinstance(text, str):
        reason = f"a {type(text).__name__}, not text"
    elif not text.strip() and not may_be_empty:
        reason = "empty"
    elif len(text) > most:
        reason = f"{len(text):,} characters long"
    elif bad := next((sign for sign in text if sign == "\0" or "\ud800" <= sign <= "\udfff"), None):
        reason = f"broken by U+{ord(bad):04X}"
    else:
        return text
    raise ReviewError(f"The {what} is {reason}. It needs 1 to {most:,} characters of text. Change it and send it again")


def check_name(what: str, text: str, may_be_empty: bool = False) -> str:
    """Returns a name of one line unchanged."""
    text = check_text(what, text, MAX_NAME, may_be_empty)
    if text.splitlines() not in ([text], []):
        raise ReviewError(f"The {what} has a line break. It needs one line. Remove the break and send it again")
    return text
