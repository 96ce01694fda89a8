"""Sign-off by people: agreement with the decisions as they were on the page."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reviews.agenda import Agenda, read_agenda
from reviews.errors import ReviewConflict
from reviews.models import Person, SignOff
from reviews.store import ReviewStore
from reviews.values import now


@dataclass(frozen=True)
class Signed:
    """One sign-off, and whether the decisions are still those that were signed."""

    sign_off: SignOff
    is_current: bool


def sign(store: ReviewStore, actor: Person, review_id: str, seen: str) -> SignOff:
    """Signs the decisions, on an open or a closed review; signing again renews it.

    Args:
        store: The store.
        actor: Who signs.
        review_id: The review.
        seen: `Agenda.digest` of the page: nobody signs what they have not seen, or decided themselves since.
    """
    try:
        return write_sign_off(store, actor, review_id, seen)
    except IntegrityError:  # signed in another window at the same time
        return write_sign_off(store, actor, review_id, seen)


def write_sign_off(store: ReviewStore, actor: Person, review_id: str, seen: str) -> SignOff:
    """Adds or renews a sign-off."""
    with store.writing(actor) as (session, person):
        found = read_agenda(session, review_id)
        if not has_seen(found, person, seen):
            raise ReviewConflict(
                "A decision was made meanwhile. You sign what you have seen. Look at the agenda and sign again", found
            )
        sign_off = session.get(SignOff, (found.review.id, person.id))
        if sign_off is None:
            sign_off = SignOff(review_id=found.review.id, person_id=person.id, person=person)
            session.add(sign_off)
        sign_off.decisions, sign_off.signed_at = found.digest, now()
    return sign_off


def has_seen(found: Agenda, person: Person, seen: str) -> bool:
    """Whether a page with this digest lacks nothing, or the person's own last decisions alone."""
    made = sorted((each for entry in found.items for each in entry.decisions), key=lambda each: each.decided_at)
    own = []
    while found.digest_without(own) != seen:
        if not made or made[-1].decided_by_id != person.id:
            return False
        own.append(made.pop())
    return True


def read(store: ReviewStore, actor: Person, review_id: str) -> tuple[Signed, ...]:
    """Returns who signed, in order of time."""
    with store.reading(actor) as (session, _):
        return read_signed(session, review_id, read_agenda(session, review_id).digest)


def read_signed(session: Session, review_id: str, digest: str) -> tuple[Signed, ...]:
    """Reads sign-offs within a transaction; `digest` is that of the decisions now."""
    wanted = select(SignOff).where(SignOff.review_id == review_id).order_by(SignOff.signed_at, SignOff.person_id)
    return tuple(Signed(entry, entry.decisions == digest) for entry in session.scalars(wanted))
