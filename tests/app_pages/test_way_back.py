"""The way back to the page that somebody came for, and the cookies of the login."""

import pytest

from app_pages import way_back
from app_pages.gate import Gate
from tests.app_pages.apart import run_apart
from tests.app_pages.gating import HOST, headers_after, settings_with_login
from tests.app_pages.signing_in import AUTH, claims_of, cookie_of


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path):
    """A server with a login; a test may take it away."""
    return settings_with_login(monkeypatch, tmp_path)


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
