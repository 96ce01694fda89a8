"""What the reviews of a study have decided, for its report."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from app_pages import people, review_store
from reviews import Person, ReviewStore, agenda, exchange

if TYPE_CHECKING:
    from analysis.report import Review


def find_reader(study: str) -> Callable[[], tuple["Review", ...]]:
    """Returns what reads the decisions of a study once they are asked for, by then outside of the page.

    Raises:
        RunLogError: The store of reviews does not answer.
    """
    if not review_store.has_reviews():
        return tuple
    store = review_store.reviews()
    me = people.current(store)
    return lambda: read_decided(store, me, study)


def read_decided(store: ReviewStore, me: Person | None, study: str) -> tuple["Review", ...]:
    """Returns the reviews of a study in which something was decided, the newest first."""
    from analysis.report.decisions import parse_review  # with the templates, which only a click needs

    found = (exchange.export_review(store, me, each.id) for each in agenda.list_reviews(store, me, study))
    return tuple(review for review in map(parse_review, found) if any(point.decided_at for point in review.points))
