"""Streamlit's own files, packed once and kept: it sends them as they are, three times as many bytes."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field

PREFIX = "/static/"  # names there hold a hash of the content
KINDS = (b"text/javascript", b"application/javascript", b"text/css")  # fonts and pictures are packed as they are
LEVEL = 6  # ours: 9 saves another hundredth and takes twice as long

Message = MutableMapping[str, object]


@dataclass
class Answer:
    """An answer of the application, gathered instead of sent."""

    start: Message = field(default_factory=dict)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        """Takes the place of `send`."""
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    def packed(self) -> "Answer":
        """Returns the answer with a packed body; an ETag that is weak, for the same bytes come unpacked too."""
        body, headers = gzip.compress(self.body, LEVEL, mtime=0), []
        for key, value in self.start["headers"]:
            if key.lower() not in (b"content-length", b"accept-ranges", b"vary", b"content-encoding"):
                is_strong = key.lower() == b"etag" and not value.startswith(b"W/")
                headers.append((key, b"W/" + value if is_strong else value))
        length = str(len(body)).encode()
        ours = [(b"content-length", length), (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        return Answer({**self.start, "headers": [*headers, *ours]}, body)


class CompressedFiles:
    """ASGI middleware: packs scripts and styles of the server the first time, and sends them from memory then."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        """Wraps an ASGI application."""
        self.app = app
        self._kept: dict[str, Answer] = {}

    async def __call__(self, scope: Message, receive: Callable, send: Callable) -> None:
        """Answers from memory, or passes a request on."""
        if not may_be_packed(scope):
            await self.app(scope, receive, send)
            return
        answer = self._kept.get(scope["path"])
        if answer is None:
            answer = Answer()
            await self.app(scope, receive, answer.take)
            if is_worth_it(answer.start):
                answer = self._kept[scope["path"]] = await asyncio.to_thread(answer.packed)
        await send(answer.start)
        await send({"type": "http.response.body", "body": answer.body})


def may_be_packed(scope: Message) -> bool:
    """Whether a request is for a whole file of the server, from a browser that unpacks."""
    if scope["type"] != "http" or scope["method"] != "GET" or PREFIX not in scope["path"]:
        return False
    headers = {key.lower(): value for key, value in scope["headers"]}
    is_whole = not headers.keys() & {b"range", b"if-none-match", b"if-modified-since"}
    return is_whole and b"gzip" in headers.get(b"accept-encoding", b"")


def is_worth_it(start: Message) -> bool:
    """Whether an answer is a script or a style, in full and not packed."""
    headers = {key.lower(): value for key, value in start["headers"]}
    is_plain = start["status"] == 200 and b"content-encoding" not in headers
    return is_plain and headers.get(b"content-type", b"").startswith(KINDS)
