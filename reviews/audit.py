"""The record of every change, to read: who, when, what before and after. reviews/recording.py writes it."""

from sqlalchemy import func, or_, select
from sqlalchemy.sql import ColumnElement

from reviews.access import find_review
from reviews.models import AuditEntry, Person
from reviews.store import ReviewStore


def is_visible(person: Person) -> ColumnElement[bool]:
    """Leaves out what others did to their drafts."""
    return or_(~AuditEntry.is_private, AuditEntry.person_id == person.id)


def read(
    store: ReviewStore, actor: Person, review_id: str | None = None, num: int = 200, before_id: int | None = None
) -> tuple[AuditEntry, ...]:
    """Returns entries, newest first: of a review, or of the whole store; `before_id` pages on."""
    with store.reading(actor) as (session, person):
        wanted = select(AuditEntry).where(is_visible(person))
        if review_id is not None:
            wanted = wanted.where(AuditEntry.review_id == find_review(session, review_id).id)
        if before_id is not None:
            wanted = wanted.where(AuditEntry.id < before_id)
        return tuple(session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(num)))


def num_changes(store: ReviewStore, actor: Person, review_id: str) -> int:
    """Returns a number that grows with every change of a review that this person may see: for polling.

    A count, not the highest id: with several writers a lower id can become visible after a higher one.
    """
    with store.reading(actor) as (session, person):
        found = find_review(session, review_id)
        return session.scalar(select(func.count()).where(AuditEntry.review_id == found.id, is_visible(person)))
