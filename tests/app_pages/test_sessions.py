"""What a sign-in is worth: for how long, and in which role."""

import pytest
import streamlit as st
from streamlit import config
from streamlit.runtime.secrets import Secrets

from app_pages import sessions
from app_pages.sessions import read_login
from tests.app_pages.signing_in import AUTH, ROLES, claims_of


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """Settings with lists of people; a test may change them."""
    found = {"auth": AUTH, "roles": ROLES}
    monkeypatch.setattr(sessions, "section", lambda name: found.get(name, {}))
    monkeypatch.setattr(sessions, "_ended", {})
    monkeypatch.delenv(sessions.CLAIM_VARIABLE, raising=False)
    monkeypatch.delenv(sessions.HOURS_VARIABLE, raising=False)
    return found


def test_a_sign_in_counts_until_its_token_ends():
    assert read_login(claims_of("ana")).role == "reviewer"
    assert read_login(claims_of("ana", age=3601)) is None


def test_a_sign_in_counts_for_a_working_day_at_most(monkeypatch):
    month = 30 * 24 * 3600
    assert read_login(claims_of("ana", age=11 * 3600, lasts=month)) is not None
    assert read_login(claims_of("ana", age=13 * 3600, lasts=month)) is None
    monkeypatch.setenv(sessions.HOURS_VARIABLE, "24")
    assert read_login(claims_of("ana", age=13 * 3600, lasts=month)) is not None


@pytest.mark.parametrize("missing", ["exp", "iat", "sub", "is_logged_in"])
def test_without_what_tells_who_and_until_when_nobody_is_signed_in(missing):
    claims = claims_of("ana")
    del claims[missing]
    assert read_login(claims) is None


@pytest.mark.parametrize("time", ["soon", None, float("nan"), float("inf"), True])
def test_a_time_that_is_none_ends_the_sign_in(time):
    assert read_login(claims_of("ana", exp=time)) is None


def test_a_setting_that_is_no_number_leaves_the_working_day(monkeypatch):
    monkeypatch.setenv(sessions.HOURS_VARIABLE, "a day")
    assert read_login(claims_of("ana", age=13 * 3600, lasts=10**6)) is None


def test_signing_out_ends_this_sign_in_everywhere_and_no_other():
    first, second = claims_of("ana", nonce="1"), claims_of("ana", nonce="2")
    sessions.end(read_login(first))
    assert read_login(first) is None
    assert read_login(second) is not None


def test_somebody_who_is_in_no_list_has_no_role():
    found = read_login(claims_of("mallory"))
    assert found.role is None
    assert not found.may("viewer")


def test_each_role_may_do_what_those_before_it_may():
    allowed = [[read_login(claims_of(who)).may(role) for role in sessions.ROLES] for who in ("vera", "ana", "adam")]
    assert allowed == [[True, False, False], [True, True, False], [True, True, True]]


def test_an_e_mail_counts_only_once_the_provider_has_confirmed_it(settings):
    settings["roles"] = {"admin": ["ana@example.org"]}
    assert read_login(claims_of("7", email="ana@example.org")).role is None
    assert read_login(claims_of("7", email="ana@example.org", email_verified="true")).role is None
    assert read_login(claims_of("7", email="ana@example.org", email_verified=True)).role == "admin"


def test_a_star_is_everybody_who_can_sign_in(settings):
    settings["roles"] = {"viewer": ["*"], "admin": "adam"}
    assert read_login(claims_of("mallory")).role == "viewer"
    assert read_login(claims_of("adam")).role == "admin"


def test_a_claim_gives_the_role_by_its_own_words_or_by_the_lists(settings, monkeypatch):
    monkeypatch.setenv(sessions.CLAIM_VARIABLE, "groups")
    settings["roles"] = {}
    assert read_login(claims_of("ana", groups=["staff", "reviewer", "viewer"])).role == "reviewer"
    assert read_login(claims_of("ana", groups="admin")).role == "admin"
    assert read_login(claims_of("ana")).role is None
    settings["roles"] = {"viewer": ["staff"]}
    assert read_login(claims_of("ana", groups=["staff", "admin"])).role == "viewer"


def test_with_a_claim_a_name_in_the_lists_gives_nothing(monkeypatch):
    monkeypatch.setenv(sessions.CLAIM_VARIABLE, "groups")
    assert read_login(claims_of("adam")).role is None


def test_people_of_a_named_provider_are_not_those_of_another():
    assert read_login(claims_of("ana", provider="github")).subject == "github:ana"
    assert read_login(claims_of("ana")).subject == "ana"


def test_a_name_is_one_short_line_and_falls_back_to_the_subject():
    assert read_login(claims_of("ana", name="A\nna " + "x" * 300)).name == "A na " + "x" * 195
    assert read_login(claims_of("ana", name="", email="a@example.org")).name == "a@example.org"
    assert read_login(claims_of("ana", name=7)).name == "ana"


@pytest.mark.parametrize(
    ("content", "is_on", "is_unreadable"),
    [
        ("[auth]\nclient_id = 'a'", True, False),
        ("[auth", True, True),
        ("other = 1", False, False),
        (None, False, False),
    ],
)
def test_settings_that_cannot_be_read_ask_for_a_sign_in(content, is_on, is_unreadable, tmp_path, monkeypatch):
    monkeypatch.undo()
    path = tmp_path / "secrets.toml"
    if content is not None:
        path.write_text(content)
    found = Secrets()
    monkeypatch.setattr(st, "secrets", found)
    found._file_watchers_installed = True  # nothing is to be watched after the test
    before = st.get_option("secrets.files")
    config.set_option("secrets.files", [str(path)])
    try:
        assert sessions.login_is_on() == is_on
        assert sessions.is_unreadable() == is_unreadable
    finally:
        config.set_option("secrets.files", before)
