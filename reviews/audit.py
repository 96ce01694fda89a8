"""The record of every change, to read: who, when, what before and after. reviews/recording.py writes it."""

from collections.abc import Sequence

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from reviews.access import find_review
from reviews.models import AuditEntry, Person
from reviews.store import ReviewStore

KINDS = ("people", "reviews", "snapshots", "items", "decisions", "comments", "screens", "sign_offs")


def is_visible(person: Person) -> ColumnElement[bool]:
    """Leaves out what others did to their drafts."""
    return or_(~AuditEntry.is_private, AuditEntry.person_id == person.id)


def read(
    store: ReviewStore,
    actor: Person,
    review_id: str | None = None,
    num: int = 200,
    before_id: int | None = None,
    kinds: Sequence[str] = (),
) -> tuple[AuditEntry, ...]:
    """Returns entries, newest first.

    Args:
        store: The store.
        actor: Who reads.
        review_id: Of this review; None for the whole store.
        num: At most so many.
        before_id: Older than this entry: pages on.
        kinds: Of these kinds of things; none for all.
    """
    with store.reading(actor) as (session, person):
        wanted = choose(select(AuditEntry), session, person, review_id, kinds)
        if before_id is not None:
            wanted = wanted.where(AuditEntry.id < before_id)
        return tuple(session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(num)))


def num_changes(store: ReviewStore, actor: Person, review_id: str | None = None, kinds: Sequence[str] = ()) -> int:
    """Returns a number that grows with every change that this person may see: for polling; chosen as for `read`.

    A count, not the highest id: with several writers a lower id can become visible after a higher one.
    """
    with store.reading(actor) as (session, person):
        return session.scalar(choose(select(func.count()).select_from(AuditEntry), session, person, review_id, kinds))


def choose(wanted: Select, session: Session, person: Person, review_id: str | None, kinds: Sequence[str]) -> Select:
    """Returns a question about the entries that are chosen and may be seen."""
    wanted = wanted.where(is_visible(person))
    if review_id is not None:
        wanted = wanted.where(AuditEntry.review_id == find_review(session, review_id).id)
    return wanted.where(AuditEntry.kind.in_(kinds)) if kinds else wanted
