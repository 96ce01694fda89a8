"""What a sign-in is worth: who it speaks for, in which role, and until when. Pages and the server's gate ask here."""

import hashlib
import math
import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import streamlit as st

ROLES = ("viewer", "reviewer", "admin")  # as in reviews: each may do what those before it may
CLAIM_VARIABLE, HOURS_VARIABLE = "STEADYSTEP_ROLE_CLAIM", "STEADYSTEP_SESSION_HOURS"
HOURS = 12.0  # ours: a working day
EVERYBODY = "*"
_needs_login = threading.Event()
_ended: dict[str, float] = {}  # sign-ins that were ended by hand, until when they would have lasted


@dataclass(frozen=True)
class Login:
    """A sign-in that counts.

    Attributes:
        subject: Who, as the provider calls them for good.
        name: What they are called.
        role: One of ROLES, None for somebody who may see nothing.
        ends_at: When it ends, in seconds since 1970.
        mark: Tells this sign-in from any other one.
    """

    subject: str
    name: str
    role: str | None
    ends_at: float
    mark: str

    def is_valid(self) -> bool:
        """Whether it still counts."""
        return time.time() < self.ends_at and self.mark not in _ended

    def may(self, role: str) -> bool:
        """Whether it counts and has this role, or one that may do more."""
        return self.role is not None and self.is_valid() and ROLES.index(self.role) >= ROLES.index(role)


def section(name: str) -> Mapping[str, object]:
    """Returns a section of .streamlit/secrets.toml, empty where there is none."""
    found = st.secrets.get(name) if st.secrets.load_if_toml_exists() else None
    return found if isinstance(found, Mapping) else {}


def login_is_on() -> bool:
    """Whether people sign in here; otherwise this is one person on their own machine.

    Settings that cannot be read, or are gone since the server began, close the door: a slip of the pen opens nothing.
    """
    return bool(section("auth")) or _needs_login.is_set() or is_unreadable()


def is_unreadable() -> bool:
    """Whether there are settings that cannot be read."""
    return not st.secrets.load_if_toml_exists() and any(map(os.path.exists, st.get_option("secrets.files")))


def keep_login() -> None:
    """Has this server ask for a sign-in until it ends, whatever becomes of its settings."""
    _needs_login.set()


def providers() -> tuple[str | None, ...]:
    """Returns the names of the providers of [auth]; None is the one without a name."""
    auth = section("auth")
    named = tuple(name for name, value in auth.items() if isinstance(value, Mapping) and "client_id" in value)
    return (None,) * ("client_id" in auth) + named


def read_login(claims: Mapping[str, object]) -> Login | None:
    """Returns the sign-in that claims of a provider tell of; None where it does not count, or does not any more."""
    subject = claims.get("sub")
    if claims.get("is_logged_in") is not True or not isinstance(subject, str) or not subject.isprintable():
        return None
    ends_at = end_of(claims)
    provider = claims.get("provider")
    owner = subject if provider in (None, "default") else f"{provider}:{subject}"
    told = [claims.get(key) for key in ("name", "preferred_username", "email")]
    name = next((" ".join(word.split()) for word in told if isinstance(word, str) and word.strip()), subject)
    facts = repr([claims.get(key) for key in ("iss", "sub", "aud", "iat", "exp", "nonce", "at_hash")])
    login = Login(owner, name[:200], role_of(claims), ends_at, hashlib.sha256(facts.encode()).hexdigest())
    return login if login.is_valid() else None


def end_of(claims: Mapping[str, object]) -> float:
    """Returns when a sign-in ends: with its token, and a working day after it began at the latest."""
    try:
        most = float(os.environ.get(HOURS_VARIABLE) or HOURS) * 3600
    except ValueError:
        most = HOURS * 3600
    times = [claims.get("exp"), claims.get("iat")]
    if not all(type(each) in (int, float) and math.isfinite(each) for each in times):
        return -math.inf
    return min(times[0], times[1] + most)


def role_of(claims: Mapping[str, object]) -> str | None:
    """Returns the highest role that a sign-in has.

    The lists of [roles] give roles to values of the role claim if one is set, else to a person's subject or confirmed
    e-mail. Without lists the role claim itself says viewer, reviewer or admin.
    """
    claim, lists = os.environ.get(CLAIM_VARIABLE), section("roles")
    if claim:
        names = words_of(claims.get(claim))
    else:
        names = {claims.get("sub")} | ({claims.get("email")} if claims.get("email_verified") is True else set())
    for role in reversed(ROLES):
        listed = words_of(lists.get(role)) if lists else {role} if claim else set()
        if listed & names or EVERYBODY in listed:
            return role
    return None


def words_of(value: object) -> set[str]:
    """Returns the texts of a value that is one text or several."""
    values = [value] if isinstance(value, str) else value if isinstance(value, Iterable) else []
    return {each for each in values if isinstance(each, str)}


def end(login: Login) -> None:
    """Ends a sign-in for good: also in other tabs, and for whoever has copied its cookie."""
    now = time.time()
    for mark in [mark for mark, until in _ended.items() if until < now]:
        del _ended[mark]
    _ended[login.mark] = login.ends_at
