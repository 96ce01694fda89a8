"""The server's gate, spoken to as a server speaks to it: hosts, uploads, files of pages, and open pages."""

import threading

import pytest
import streamlit as st

from app_pages import gate, sessions, way_back
from app_pages.gate import Gate
from tests.app_pages.apart import run_apart
from tests.app_pages.signing_in import AUTH, ROLES, SECRET, claims_of, cookie_of

HOST = "steps.example.org"
UPLOAD, FILE = "/_stcore/upload_file/session/1", "/media/abc.json"


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """A server with a login; a test may take it away."""
    found = {"auth": AUTH, "roles": ROLES}
    monkeypatch.setattr(sessions, "section", lambda name: found.get(name, {}))
    monkeypatch.setattr(gate, "get_cookie_secret", lambda: SECRET)
    monkeypatch.setattr(sessions, "_ended", {})
    monkeypatch.setattr(sessions, "_needs_login", threading.Event())
    monkeypatch.setattr(sessions, "is_unreadable", lambda: False)
    for variable in (gate.HOSTS_VARIABLE, gate.OPEN_VARIABLE, sessions.CLAIM_VARIABLE, sessions.HOURS_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
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


def tampered(cookie: str) -> str:
    """Returns a cookie with one letter changed."""
    place = cookie.index("=") + 20
    return cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]


BAD_COOKIES = {
    "missing": "",
    "tampered": tampered(cookie_of(claims_of("ana"))),
    "signed by another": cookie_of(claims_of("ana"), "another secret"),
    "expired": cookie_of(claims_of("ana", age=7200)),
    "older than a working day": cookie_of(claims_of("ana", age=13 * 3600, lasts=10**7)),
    "not logged in": cookie_of(claims_of("ana", is_logged_in=False)),
    "not claims": cookie_of(["ana"]),
    "in parts of which one is missing": cookie_of("chunks-3"),
}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("cookie", BAD_COOKIES.values(), ids=BAD_COOKIES)
def test_no_file_is_taken_without_a_sign_in_that_counts(cookie, method):
    behind = Behind()
    assert ask(UPLOAD, cookie=cookie, method=method, behind=behind)[0] == 401
    assert behind.scopes == []


@pytest.mark.parametrize("cookie", BAD_COOKIES.values(), ids=BAD_COOKIES)
def test_no_file_of_a_page_is_given_without_a_sign_in_that_counts(cookie):
    assert ask(FILE, cookie=cookie)[0] == 401


def test_with_a_sign_in_files_pass_as_far_as_the_role_reaches():
    by_person = {who: cookie_of(claims_of(who)) for who in ("mallory", "vera", "ana", "adam")}
    assert [ask(UPLOAD, cookie=cookie)[0] for cookie in by_person.values()] == [403, 403, 200, 200]
    assert [ask(FILE, cookie=cookie)[0] for cookie in by_person.values()] == [403, 200, 200, 200]


def test_under_a_path_of_its_own_the_same_is_closed(monkeypatch):
    monkeypatch.setattr(st, "get_option", lambda _name: "/team/steps/")
    assert ask(f"/team/steps{UPLOAD}")[0] == 401
    assert ask(f"/team/steps{UPLOAD}", cookie=cookie_of(claims_of("ana")))[0] == 200


def test_what_shows_the_sign_in_page_is_open():
    assert [ask(path)[0] for path in ("/", "/review", "/_stcore/health", "/static/js/a.js")] == [200] * 4


def test_after_signing_out_the_cookie_is_worth_nothing():
    cookie = cookie_of(claims_of("ana"))
    assert ask(FILE, cookie=cookie)[0] == 200
    assert ask("/auth/logout", cookie=cookie)[0] == 200
    assert ask(FILE, cookie=cookie)[0] == 401


def test_an_open_page_goes_on_while_its_sign_in_counts():
    behind = Behind()
    sent = talk([{"type": "websocket.receive", "bytes": b"1"}] * 2, cookie=cookie_of(claims_of("ana")), behind=behind)
    assert [message["type"] for message in behind.messages] == ["websocket.connect"] + ["websocket.receive"] * 2
    assert sent[-1]["bytes"] == b"late"
    assert dict(behind.scopes[0]["headers"])[b"sec-websocket-protocol"].endswith(b"earlier-session")


def test_an_open_page_is_cut_off_at_its_first_word_after_its_sign_in_has_ended():
    behind, claims = Behind(), claims_of("ana")

    def end_and_speak():
        sessions.end(sessions.read_login(claims))
        return {"type": "websocket.receive", "bytes": b"2"}

    sent = talk([{"type": "websocket.receive", "bytes": b"1"}, end_and_speak], cookie=cookie_of(claims), behind=behind)
    assert [message.get("bytes") for message in behind.messages] == [None, b"1"]
    assert sent[-1] == {"type": "websocket.close", "code": gate.GONE}


@pytest.mark.parametrize("cookie", BAD_COOKIES.values(), ids=BAD_COOKIES)
def test_without_a_sign_in_a_page_is_a_new_one_and_never_goes_on_with_an_earlier_one(cookie):
    behind = Behind()
    talk([], cookie=cookie, behind=behind)
    assert dict(behind.scopes[0]["headers"])[b"sec-websocket-protocol"] == b"streamlit, xsrf"


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


def test_after_signing_in_somebody_is_on_the_page_that_they_came_for():
    first = dict(headers_after("/review", query=b"study=edge&review=01AB"))
    kept = first[b"set-cookie"].decode().split(";")[0]
    assert first[b"set-cookie"].endswith(b"Max-Age=600; HttpOnly; SameSite=Lax; Secure")
    back = headers_after("/oauth2callback", cookie=kept, status=302, location=b"/")
    assert dict(back)[b"location"] == b"/review?study=edge&review=01AB"
    assert b"Max-Age=0" in dict(back)[b"set-cookie"]


def test_a_page_is_not_kept_for_who_is_signed_in_and_no_file_ever():
    cookie = cookie_of(claims_of("ana"))
    assert b"set-cookie" not in dict(headers_after("/review", cookie=cookie))
    assert b"set-cookie" not in dict(headers_after("/review", kind=b"text/css"))
    assert b"set-cookie" not in dict(headers_after("/static/js/a.js"))


@pytest.mark.parametrize(
    "kept",
    ["", "//evil.example/", "/%2F%2Fevil.example", "https://evil.example", "/\\evil", "/a%0d%0ab: c", "/a?%5c", "a"],
)
def test_the_way_back_never_leads_elsewhere(kept):
    cookie = f"{way_back.COOKIE}={kept}"
    back = headers_after("/oauth2callback", cookie=cookie, status=302, location=b"/")
    assert dict(back)[b"location"] == b"/"


@pytest.mark.parametrize(("scheme", "ends_with"), [("https", b"; Secure"), ("http", b"HttpOnly")])
def test_cookies_are_kept_to_https_where_the_login_is(settings, scheme, ends_with):
    settings["auth"] = AUTH | {"redirect_uri": f"{scheme}://{HOST}/oauth2callback"}
    sent = []

    async def behind(scope, receive, send):
        headers = [(b"set-cookie", b"a=1; HttpOnly"), (b"set-cookie", b"b=2; Secure"), (b"vary", b"cookie")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/oauth2callback", "headers": [(b"host", HOST.encode())]}
    run_apart(Gate(behind)(scope, None, send))
    first, second, vary = (value for _, value in sent[0]["headers"])
    assert first.endswith(ends_with)
    assert (second, vary) == (b"b=2; Secure", b"cookie")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "",
        "steps.example.org.evil",
        "a b",
        "\xe9.org",
        "[::1",
        "/localhost",
        "evil.example@localhost:1/",
    ],
)
def test_a_name_that_somebody_pointed_here_is_refused(host):
    behind = Behind()
    assert ask("/", host=host, behind=behind)[0] == 421
    assert behind.scopes == []


def test_a_foreign_name_opens_no_page():
    behind = Behind()
    assert talk([], host="evil.example", behind=behind) == [{"type": "websocket.close", "code": gate.GONE}]
    assert behind.scopes == []


@pytest.mark.parametrize("host", [HOST, f"{HOST}:443", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "192.0.2.7"])
def test_addresses_this_machine_and_the_name_of_the_login_are_known(host):
    assert ask("/", host=host)[0] == 200


def test_an_admin_can_allow_further_names(monkeypatch):
    monkeypatch.setenv(gate.HOSTS_VARIABLE, "lab.example.org, Other.example.org")
    assert [ask("/", host=host)[0] for host in ("lab.example.org:8501", "other.example.org")] == [200, 200]


def test_without_a_login_only_this_machine_is_answered_unless_an_admin_says_otherwise(settings, monkeypatch):
    settings.clear()
    assert [ask(UPLOAD, host="localhost", server=server)[0] for server in ("127.0.0.1", "192.0.2.2")] == [200, 403]
    monkeypatch.setenv(gate.OPEN_VARIABLE, "1")
    assert ask("/", host="192.0.2.2", server="192.0.2.2")[0] == 200


@pytest.mark.parametrize(
    ("address", "login", "is_open", "starts"),
    [
        ("127.0.0.1", False, "", True),
        ("localhost", False, "", True),
        ("::1", False, "", True),
        (None, False, "", False),
        ("0.0.0.0", False, "", False),
        ("192.0.2.2", False, "yes", False),
        ("0.0.0.0", False, "1", True),
        ("0.0.0.0", True, "", True),
    ],
)
def test_a_server_that_others_reach_starts_with_a_login_or_by_an_explicit_word(
    address, login, is_open, starts, settings, monkeypatch, capsys
):
    if not login:
        settings.clear()
    monkeypatch.setenv(gate.OPEN_VARIABLE, is_open)
    monkeypatch.setattr(st, "get_option", lambda _name: address)
    if starts:
        gate.refuse_open_server()
    else:
        with pytest.raises(SystemExit) as ended:
            gate.refuse_open_server()
        assert ended.value.code == 2
        assert "Set it, bind to 127.0.0.1" in capsys.readouterr().err


def test_settings_that_vanish_while_the_server_runs_close_it(settings, monkeypatch):
    monkeypatch.setattr(st, "get_option", lambda name: "127.0.0.1" if name == "server.address" else "")
    gate.refuse_open_server()
    settings.clear()
    assert ask(UPLOAD, host="localhost")[0] == 401
    assert ask(UPLOAD, host="localhost", cookie=cookie_of(claims_of("adam")))[0] == 403


def test_settings_that_cannot_be_read_start_no_server(settings, monkeypatch, capsys):
    settings.clear()
    monkeypatch.setattr(sessions, "is_unreadable", lambda: True)
    assert ask(UPLOAD, host="localhost")[0] == 401
    with pytest.raises(SystemExit):
        gate.refuse_open_server()
    assert "Correct it, or take it away" in capsys.readouterr().err
