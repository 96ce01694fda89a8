"""Sign-outs: they count at once, in every process, and after a restart of the server."""

import threading

import pytest

from analysis.runlog import RunLogError
from app_pages import review_store, sessions, sign_outs
from tests.app_pages.gating import FILE, Behind, ask, settings_with_login, talk
from tests.app_pages.reviewing import sees_nothing
from tests.app_pages.signing_in import claims_of, cookie_of, restart
from tests.app_pages.stores import text_of


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path):
    """A server with a login, and reviews of its own."""
    return settings_with_login(monkeypatch, tmp_path)


def test_after_a_restart_the_cookie_of_somebody_who_signed_out_is_worth_nothing(monkeypatch):
    gone, other = (cookie_of(claims_of("ana", nonce=nonce)) for nonce in "12")
    assert ask(FILE, cookie=gone)[0] == 200
    ask("/auth/logout", cookie=gone)
    restart(monkeypatch)
    assert [ask(FILE, cookie=cookie)[0] for cookie in (gone, other)] == [401, 200]
    behind = Behind()
    talk([], cookie=gone, behind=behind)  # a page that is opened with it is a new one, and offers to sign in
    assert dict(behind.scopes[0]["headers"])[b"sec-websocket-protocol"] == b"streamlit, xsrf"


def test_a_page_that_is_open_elsewhere_is_cleared_at_its_next_rerun(visit, monkeypatch):
    app = visit("ana")
    assert app.title[0].value == "Review"
    sign_outs.end(sessions.read_login({**app.user}))
    restart(monkeypatch)  # as in another process, or after a restart
    sees_nothing(app.run())
    assert sessions.read_login({**app.user}) is None  # the gate knows now, too


def test_looking_for_sign_outs_makes_no_store(tmp_path):
    assert sign_outs.counts(sessions.read_login(claims_of("ana")))
    assert list(tmp_path.iterdir()) == []


def silent(*_arguments):
    """Stands in for a store that does not answer."""
    raise RunLogError("The store of reviews does not answer (gone). It needs a database. Try again")


def test_a_store_that_falls_silent_shuts_nobody_out_and_is_not_asked_at_every_step(monkeypatch):
    login = sessions.read_login(claims_of("ana"))
    assert sign_outs.counts(login)
    asked = []
    monkeypatch.setattr(sign_outs, "_was_ended", lambda _login: asked.append(1) or silent())
    assert [sign_outs.counts(login) for _ in range(5)] == [True] * 5
    assert len(asked) == 1
    assert sign_outs.problem() == ""


def test_until_a_store_has_answered_nobody_is_signed_in_and_the_page_says_why(visit, monkeypatch):
    app = visit("ana")
    restart(monkeypatch)
    monkeypatch.setattr(sign_outs, "_was_ended", silent)
    app.run()
    sees_nothing(app)
    assert "Nobody is signed in before it does" in app.error[0].value
    assert "gone" not in text_of(app)  # what the database said


def test_a_sign_out_that_cannot_be_kept_counts_here_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(review_store, "reviews", silent)
    login = sessions.read_login(claims_of("ana"))
    sign_outs.end(login)
    assert not sign_outs.counts(login)
    assert "counts until the next restart only" in capsys.readouterr().err


def test_while_the_store_is_slow_the_server_goes_on_for_others(monkeypatch):
    asked_by = []
    monkeypatch.setattr(sign_outs, "_was_ended", lambda _login: asked_by.append(threading.current_thread().name))
    assert ask(FILE, cookie=cookie_of(claims_of("ana")))[0] == 200
    assert asked_by
    assert not any(name.startswith("ThreadPoolExecutor") for name in asked_by)  # where the test's loop runs
