"""Callbacks that change the reviews, while Streamlit wants to run the page anew."""

import tomllib
from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.state import SafeSessionState, SessionState

from app_pages import callbacks
from app_pages.studies import PROJECT


def test_a_rerun_that_is_asked_for_waits_until_the_callback_has_ended(monkeypatch):
    def ask():
        raise RerunException(RerunData())

    state = SafeSessionState(SessionState(), ask)
    monkeypatch.setattr(callbacks, "get_script_run_ctx", lambda: SimpleNamespace(session_state=state))
    with pytest.raises(RerunException):
        state["form"] = "open"
    with callbacks.uninterrupted():
        state["form"] = "open"
        with callbacks.uninterrupted():
            assert state["form"] == "open"
        state["form"] = "closed"
    with pytest.raises(RerunException):
        state["form"] = "open"
    with callbacks.uninterrupted():
        assert state["form"] == "closed"


def test_outside_of_a_page_nothing_has_to_wait(monkeypatch):
    monkeypatch.setattr(callbacks, "get_script_run_ctx", lambda: None)
    with callbacks.uninterrupted():
        pass


def test_two_clicks_of_a_visitor_are_done_one_after_the_other():
    """Streamlit's own default starts a second thread for the second click while the callback of the first goes on."""
    settings = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text())
    assert settings["runner"]["fastReruns"] is False
