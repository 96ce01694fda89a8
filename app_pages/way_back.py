"""The way back after signing in: Streamlit forgets which page somebody came for, so a cookie keeps it."""

import re
from collections.abc import Callable, MutableMapping
from urllib.parse import quote, unquote

COOKIE = "steadystep_way_back"
SECONDS = 600  # ours: as long as a sign-in takes
LONGEST = 1500  # ours: letters of an address; a browser keeps cookies up to about 4,000
PAGE = re.compile(r"/[a-z_]{1,40}(?:\?[!-\[\]-~]*)?")  # one of ours: no other host, no line break, no backslash

Message = MutableMapping[str, object]


def remember(page: str, query: bytes, send: Callable) -> Callable:
    """Keeps the address of a page that is given out to somebody who is not signed in.

    Args:
        page: Its path below the dashboard's.
        query: Its query.
        send: Takes the answer.
    """
    address = f"{page}?{query.decode('latin-1')}"
    if not PAGE.fullmatch(address) or len(address) > LONGEST:
        return send

    async def send_and_remember(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            kind = next((value for key, value in message["headers"] if key.lower() == b"content-type"), b"")
            if kind.startswith(b"text/html"):
                message = with_header(message, b"set-cookie", cookie(quote(address, safe=""), SECONDS))
        await send(message)

    return send_and_remember


def lead_back(kept: str, base: str, send: Callable) -> Callable:
    """Leads somebody who has just signed in to the page that they came for.

    Args:
        kept: Value of the cookie.
        base: Path of the dashboard, "" for the root.
        send: Takes the answer.
    """
    address = unquote(kept)
    if not PAGE.fullmatch(address):
        return send

    async def send_and_lead(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 302:
            others = [pair for pair in message["headers"] if pair[0].lower() != b"location"]
            message = {**message, "headers": [*others, (b"location", f"{base}{address}".encode("latin-1"))]}
            message = with_header(message, b"set-cookie", cookie("", 0))
        await send(message)

    return send_and_lead


def cookie(value: str, seconds: int) -> bytes:
    """Returns the header that sets the cookie."""
    return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax".encode("latin-1")


def with_header(message: Message, name: bytes, value: bytes) -> Message:
    """Returns an answer with one more header."""
    return {**message, "headers": [*message["headers"], (name, value)]}
