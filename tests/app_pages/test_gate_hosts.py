"""The server's gate: by which names it is asked, and by which machines."""

import pytest
import streamlit as st

from app_pages import gate, sessions
from tests.app_pages.gating import HOST, UPLOAD, Behind, ask, settings_with_login, talk
from tests.app_pages.signing_in import claims_of, cookie_of


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path):
    """A server with a login; a test may take it away."""
    return settings_with_login(monkeypatch, tmp_path)


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
