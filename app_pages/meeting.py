"""The review that a page shows: what was read of it, and how a page changes it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from analysis.as_it_was import AsItWas, cut_back
from analysis.results import Diagnosis
from analysis.runlog import RunLogError
from app_pages import callbacks, review_store, shown
from app_pages import people as who
from app_pages.pictures import remember
from reviews import Person, ReviewStore, agenda, audit, comments, evidence, people, screen, sign_offs
from reviews.agenda import Agenda, AgendaItem
from reviews.comments import Thread
from reviews.models import ROLES, Review, Screen
from reviews.sign_offs import Signed

REVIEW, ITEM = "review", "point"  # in the address bar, and the widget
SAID, FOLLOWS, PRESENTS = "review_said", "follows", "presents"
SAID_SECONDS = 15  # ours: long enough to read a line


@dataclass(frozen=True)
class Meeting:
    """A review as it is now.

    Attributes:
        store: The store of reviews.
        me: Who looks at the page.
        agenda: The review and its points.
        frozen: The diagnosis as it was when the review was opened.
        threads: Threads of comments.
        screen: What the presenter shows.
        signed: Who signed.
        team: All who have a role, by id.
        num_changes: Grows with every change.
        then: The study as it was when the review was opened; None where another one is chosen, or it cannot be read.
        now: The study as it is now, None likewise.
    """

    store: ReviewStore
    me: Person
    agenda: Agenda
    frozen: dict[str, object]
    threads: tuple[Thread, ...]
    screen: Screen
    signed: tuple[Signed, ...]
    team: dict[str, Person]
    num_changes: int
    then: AsItWas | None
    now: Diagnosis | None

    @property
    def review(self) -> Review:
        """The review."""
        return self.agenda.review

    @property
    def can_write(self) -> bool:
        """Whether whoever looks may comment and decide."""
        return self.review.state == "open" and has_role(self.me, "reviewer")

    def entry(self, item_id: str | None) -> AgendaItem | None:
        """Returns a point of the agenda."""
        return next((entry for entry in self.agenda.items if entry.item.id == item_id), None)


def has_role(person: Person, role: str) -> bool:
    """Whether somebody has a role, or one that may do more."""
    return person.role in ROLES and ROLES.index(person.role) >= ROLES.index(role)


def read(store: ReviewStore, me: Person, review_id: str, chosen: Diagnosis | None) -> Meeting:
    """Reads a review for a page; `chosen` is the study that is chosen above.

    Raises:
        ReviewError: There is none, or it may not be read.
    """
    num_changes = audit.num_changes(store, me, review_id)  # first: what changes while we read is read again
    found = agenda.read(store, me, review_id)
    now = chosen if chosen is not None and chosen.study.name == found.review.study else None
    return Meeting(
        store,
        me,
        found,
        agenda.read_diagnosis(store, me, review_id),
        comments.read_threads(store, me, review_id),
        screen.read(store, me, review_id),
        sign_offs.read(store, me, review_id),
        {person.id: person for person in people.read(store, me)},
        num_changes,
        None if now is None else study_then(store, me, found.review, now),
        now,
    )


def study_then(store: ReviewStore, me: Person, review: Review, now: Diagnosis) -> AsItWas:
    """Returns the study as it was when a review was opened, made once for each state that it is in now."""
    if now.study.fingerprint == review.fingerprint:
        return AsItWas(now)
    key = ("as it was", review.id, now.study.fingerprint)
    return remember(key, lambda: cut_back(now, evidence.read(store, me, review.id), review.fingerprint))


@callbacks.uninterrupted()
def act(deed: Callable[[ReviewStore, Person], object]) -> object:
    """Changes the reviews as whoever looks at the page; what they refuse is said on top of the page.

    For callbacks: they run before the page does, and the frame before it, so the sign-in is looked at here again.

    Returns:
        What the deed returns; None where it was refused.
    """
    st.session_state.pop(SAID, None)
    try:
        store = review_store.reviews()
        me = who.current(store)
        return deed(store, me) if me is not None else None
    except RunLogError as error:
        say(str(error), is_good=False)
        return None


def say(line: str, is_good: bool = True) -> None:
    """Keeps a line for the top of the page."""
    st.session_state[SAID] = (line, is_good, time.monotonic())


def show_said() -> None:
    """Shows the kept line until something else is done, or it is old: others redraw the page at any time."""
    if SAID in st.session_state:
        line, is_good, at = st.session_state[SAID]
        if time.monotonic() - at > SAID_SECONDS:
            del st.session_state[SAID]
        elif is_good:
            st.success(shown.sentence(line), icon=":material/check:")
        else:
            st.warning(shown.sentence(line), icon=":material/error:")


def writing(what: str) -> dict[str, dict[str, object]]:
    """Returns the open forms of a kind, "decision" or "comment": what is known of each, by what it is about."""
    return st.session_state.setdefault(f"writing_{what}", {})


def is_writing(about: str | None) -> bool:
    """Whether a form about something is open."""
    return any(about in writing(what) for what in ("decision", "comment"))


def field(what: str, about: str) -> str:
    """Returns the key of a field of a form."""
    return f"{what}_{about}"


def typed(what: str, about: str) -> str:
    """Returns what was typed into a field."""
    return st.session_state.get(field(what, about)) or ""
