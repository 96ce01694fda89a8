"""The server's gate: who gets files, and how long an open page goes on."""

import pytest
import streamlit as st

from app_pages import gate, sessions
from tests.app_pages.gating import FILE, UPLOAD, Behind, ask, settings_with_login, talk
from tests.app_pages.signing_in import claims_of, cookie_of


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path):
    """A server with a login; a test may take it away."""
    return settings_with_login(monkeypatch, tmp_path)


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
