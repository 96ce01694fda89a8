"""Speaking to the server's gate as a server speaks to it."""

import threading

from app_pages import gate, sessions
from app_pages.gate import Gate
from tests.app_pages.apart import run_apart
from tests.app_pages.signing_in import AUTH, ROLES, SECRET, restart

HOST = "steps.example.org"
UPLOAD, FILE = "/_stcore/upload_file/session/1", "/media/abc.json"
VARIABLES = (gate.HOSTS_VARIABLE, gate.OPEN_VARIABLE, sessions.CLAIM_VARIABLE, sessions.HOURS_VARIABLE)


def settings_with_login(monkeypatch, folder) -> dict:
    """Makes a server with a login and reviews of its own; a test may change its settings."""
    found = {"auth": AUTH, "roles": ROLES}
    monkeypatch.setattr(sessions, "section", lambda name: found.get(name, {}))
    monkeypatch.setattr(gate, "get_cookie_secret", lambda: SECRET)
    monkeypatch.setattr(sessions, "_needs_login", threading.Event())
    monkeypatch.setattr(sessions, "is_unreadable", lambda: False)
    monkeypatch.setenv("STEADYSTEP_STORE", str(folder))
    for variable in (*VARIABLES, "STEADYSTEP_REVIEWS"):
        monkeypatch.delenv(variable, raising=False)
    restart(monkeypatch)
    return found


class Behind:
    """What stands behind the gate: answers, and keeps what came through."""

    def __init__(self):
        self.scopes, self.messages = [], []

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"through"})
            return
        while (message := await receive())["type"] != "websocket.disconnect":
            self.messages.append(message)
            await send({"type": "websocket.send", "bytes": b"drawn"})
        await send({"type": "websocket.send", "bytes": b"late"})


def ask(path="/", *, cookie="", host=HOST, method="GET", server="127.0.0.1", behind=None) -> tuple[int, bytes]:
    """Asks for a path, and returns status and body."""
    headers = [(b"host", host.encode("latin-1")), *([(b"cookie", cookie.encode("latin-1"))] if cookie else [])]
    scope = {"type": "http", "path": path, "method": method, "headers": headers, "server": (server, 8501)}
    sent = []

    async def send(message):
        sent.append(message)

    run_apart(Gate(behind or Behind())(scope, None, send))
    return sent[0]["status"], sent[1]["body"]


def talk(messages, *, cookie="", host=HOST, behind, protocols="streamlit, xsrf, earlier-session") -> list[dict]:
    """Opens a page, sends messages, and returns what came back."""
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode()), (b"sec-websocket-protocol", protocols.encode())]
    scope = {"type": "websocket", "path": "/_stcore/stream", "headers": headers, "server": ("127.0.0.1", 8501)}
    sent, left = [], iter([{"type": "websocket.connect"}, *messages])

    async def receive():
        message = next(left, {"type": "websocket.disconnect"})
        return message() if callable(message) else message

    async def send(message):
        sent.append(message)

    run_apart(Gate(behind)(scope, receive, send))
    return sent


def headers_after(path, *, query=b"", cookie="", status=200, kind=b"text/html", location=None) -> list[tuple]:
    """Asks for a path, and returns the headers of the answer."""
    sent = []

    async def behind(scope, receive, send):
        headers = [(b"content-type", kind), *([(b"location", location)] if location else [])]
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(message):
        sent.append(message)

    headers = [(b"host", HOST.encode()), (b"cookie", cookie.encode())]
    scope = {"type": "http", "path": path, "method": "GET", "headers": headers, "query_string": query}
    run_apart(Gate(behind)(scope, None, send))
    return sent[0]["headers"]
