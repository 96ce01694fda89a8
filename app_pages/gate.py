"""The server's gate: who may reach it by which name, and what is closed to those who are not signed in.

Streamlit takes files from anybody who knows an address, and believes a sign-in for 30 days. Here uploads and files of
pages need a sign-in that still counts, and an open page is cut off as soon as its sign-in does not.
"""

import asyncio
import ipaddress
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import HTTPConnection
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from app_pages import sessions, sign_outs, way_back
from app_pages.sessions import Login

HOSTS_VARIABLE, OPEN_VARIABLE = "STEADYSTEP_HOSTS", "STEADYSTEP_ALLOW_OPEN"
CLOSED = {"/_stcore/upload_file/": "reviewer", "/media/": "viewer"}  # what a path needs
LOGOUT, CALLBACK = "/auth/logout", "/oauth2callback"
GONE = 1008  # WebSocket: policy violation
TOO_OPEN = (
    "steadystep: {address} can be reached from other machines, and nobody has to sign in. A team needs [auth] in "
    f".streamlit/secrets.toml (docs/deployment.md). Set it, bind to 127.0.0.1, or set {OPEN_VARIABLE}=1"
)

UNREADABLE = (
    "steadystep: .streamlit/secrets.toml cannot be read, so nobody can tell whether people have to sign in. It needs "
    "to be TOML. Correct it, or take it away"
)
HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::\d{1,5})?")

Message = MutableMapping[str, object]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_open() -> bool:
    """Whether others may come in without signing in, as the admin said."""
    return os.environ.get(OPEN_VARIABLE) == "1"


def refuse_open_server() -> None:
    """Ends the program where it would serve other machines without a login, or cannot read the settings of one."""
    if sessions.is_unreadable():
        print(UNREADABLE, file=sys.stderr)
        raise SystemExit(2)
    if sessions.login_is_on():
        sessions.keep_login()
    address = st.get_option("server.address") or "every address of this machine"
    if not (is_loopback(address) or sessions.login_is_on() or is_open()):
        print(TOO_OPEN.format(address=address), file=sys.stderr)
        raise SystemExit(2)


def is_known_host(host: str) -> bool:
    """Whether a Host header names this server: an address, localhost, or a name that an admin has allowed.

    A page of somebody else can have its own name point here (DNS rebinding), but it then asks by that name.
    """
    found = HOST.fullmatch(host)
    if found is None:
        return False
    name = (found["v6"] or found["name"]).lower()
    with_login = urlsplit(str(sessions.section("auth").get("redirect_uri", ""))).hostname
    allowed = {"localhost", with_login, *(os.environ.get(HOSTS_VARIABLE, "").replace(",", " ").lower().split())}
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return name in allowed


def find_login(scope: Message) -> Login | None:
    """Returns the sign-in of a request's cookie, if it counts."""
    cookies = HTTPConnection(scope).cookies

    def read(name: str) -> bytes | None:
        signed = cookies.get(name, "").encode("latin-1", "replace")
        return decode_signed_value(get_cookie_secret(), name, signed)

    try:
        claims = json.loads(get_cookie_with_chunks(read, USER_COOKIE_NAME) or b"{}")
    except ValueError:
        return None
    return sessions.read_login(claims) if isinstance(claims, dict) else None


async def counting_login(scope: Message) -> Login | None:
    """Returns the sign-in of a request's cookie, if nobody has ended it, here or in another process.

    The store is asked in a thread: one that is slow to answer must not hold up the pages of others.
    """
    login = find_login(scope)
    return login if login is not None and await asyncio.to_thread(sign_outs.counts, login) else None


def headers_of(scope: Message, name: bytes) -> list[str]:
    """Returns the values of a header."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


class Gate:
    """ASGI middleware: refuses unknown hosts, open servers, and files without a sign-in; ends pages with theirs."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        """Wraps an ASGI application."""
        self.app = app

    async def __call__(self, scope: Message, receive: Callable, send: Callable) -> None:
        """Lets a request through, or refuses it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif refusal := await why_not(scope):
            await refuse(scope, receive, send, *refusal)
        elif not sessions.login_is_on():
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self.follow(scope, receive, send)
        else:
            if path_of(scope) == LOGOUT and (login := find_login(scope)):
                await asyncio.to_thread(sign_outs.end, login)
            await self.app(scope, receive, on_the_way(scope, with_secure_cookies(send)))

    async def follow(self, scope: Message, receive: Callable, send: Callable) -> None:
        """Serves an open page until its sign-in ends; without one it is a new page, which can only offer to sign in."""
        login, is_cut = await counting_login(scope), False
        if login is None:
            scope = without_session(scope)

        async def receive_while_valid() -> Message:
            nonlocal is_cut
            message = await receive()
            if login is None or message["type"] != "websocket.receive" or login.is_valid():
                return message
            is_cut = True
            await send({"type": "websocket.close", "code": GONE})
            return {"type": "websocket.disconnect", "code": GONE}

        async def send_unless_cut(message: Message) -> None:
            if not is_cut:
                await send(message)

        await self.app(scope, receive_while_valid, send_unless_cut)


async def why_not(scope: Message) -> tuple[int, str] | None:
    """Returns status and line of a refusal, None for a request that may pass."""
    if not is_known_host((headers_of(scope, b"host") or [""])[0]):
        return 421, f"This name is not served here. Use another, or set {HOSTS_VARIABLE}."
    if not sessions.login_is_on():
        local = is_open() or not scope.get("server") or is_loopback(scope["server"][0])
        return None if local else (403, "This server has no login, so it answers its own machine alone.")
    role = next((role for start, role in CLOSED.items() if path_of(scope).startswith(start)), None)
    if role is None or scope["type"] != "http":
        return None
    login = await counting_login(scope)
    if login is None:
        return 401, "Sign in first."
    return None if login.may(role) else (403, f"This needs the role {role}.")


def path_of(scope: Message) -> str:
    """Returns the path below the one that the dashboard is served at."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return scope["path"].removeprefix(f"/{base}" if base else "")


def without_session(scope: Message) -> Message:
    """Leaves the id of an earlier page out of a request: Streamlit would go on with that page."""
    kept = [pair for pair in scope["headers"] if pair[0].lower() != b"sec-websocket-protocol"]
    words = [word.strip() for value in headers_of(scope, b"sec-websocket-protocol") for word in value.split(",")]
    header = [(b"sec-websocket-protocol", ", ".join(words[:2]).encode("latin-1"))] if words else []
    return {**scope, "headers": [*kept, *header], "subprotocols": words[:2]}


def on_the_way(scope: Message, send: Callable) -> Callable:
    """Keeps which page somebody came for until they have signed in."""
    path = path_of(scope)
    if path == CALLBACK:
        kept = HTTPConnection(scope).cookies.get(way_back.COOKIE, "")
        return way_back.lead_back(kept, scope["path"].removesuffix(CALLBACK), send)
    return send if find_login(scope) else way_back.remember(path, scope.get("query_string", b""), send)


def with_secure_cookies(send: Callable) -> Callable:
    """Keeps cookies to https where the login is at https; Streamlit leaves that open."""
    if urlsplit(str(sessions.section("auth").get("redirect_uri", ""))).scheme != "https":
        return send

    async def send_secure(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (key, value + b"; Secure" if is_open_cookie(key, value) else value) for key, value in message["headers"]
            ]
            message = {**message, "headers": headers}
        await send(message)

    return send_secure


def is_open_cookie(key: bytes, value: bytes) -> bool:
    """Whether a header sets a cookie that would be sent over http, too."""
    return key.lower() == b"set-cookie" and b"; secure" not in value.lower()


async def refuse(scope: Message, receive: Callable, send: Callable, status: int, line: str) -> None:
    """Answers with a refusal; a WebSocket is not opened."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": GONE})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": line.encode()})
