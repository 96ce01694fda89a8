"""Who may do what. Asked of the database in the transaction of the deed, so that a role taken away counts at once."""

from typing import TypeVar

from sqlalchemy.orm import Session

from reviews.errors import ReviewError
from reviews.models import ROLES, Base, Person, Review

Row = TypeVar("Row", bound=Base)
DENIED = "You have no role in these reviews. A role of viewer, reviewer or admin is needed. Ask an admin for one"


def require(session: Session, actor: Person | None, role: str) -> Person:
    """Returns the acting person as stored.

    Raises:
        ReviewError: They are not in the list or their role does not suffice; said before anything is looked up, so
            that the answer tells nothing about what exists.
    """
    person = session.get(Person, actor.id) if isinstance(actor, Person) else None
    if person is None or person.role not in ROLES:
        raise ReviewError(DENIED)
    if ROLES.index(person.role) < ROLES.index(role):
        raise ReviewError(f"{person.name} is a {person.role}. This needs the role {role}. Ask an admin for it")
    return person


def find_row(session: Session, table: type[Row], row_id: object) -> Row:
    """Returns a row by its id."""
    row = session.get(table, row_id) if isinstance(row_id, str) and row_id.isprintable() else None
    if row is None:
        raise missing(table, row_id)
    return row


def missing(table: type[Base], row_id: object) -> ReviewError:
    """Says that there is no such row: also of one that this person may not know of."""
    kind = table.__name__.lower()
    return ReviewError(
        f"There is no {kind} {str(row_id)[:64]!r}. The id of a stored {kind} is needed. Load the page again"
    )


def find_review(session: Session, review_id: str, is_open: bool = False, is_mine: bool = False) -> Review:
    """Returns a review.

    Args:
        session: The session.
        review_id: The review.
        is_open: Only one that can still change; it is not closed before this transaction has ended.
        is_mine: No other transaction with `is_open` runs beside this one.
    """
    review = find_row(session, Review, review_id)
    if is_open:
        session.refresh(review, with_for_update={"read": not is_mine, "of": Review})
    if is_open and review.state != "open":
        raise ReviewError(
            f"This review was closed on {review.closed_at[:10]}. Only an open one can change. Reopen it or open another"
        )
    return review
