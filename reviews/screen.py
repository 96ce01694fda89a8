"""What all see now: the presenter moves, the others follow by polling."""

from reviews.access import find_review, find_row, missing
from reviews.errors import ReviewError
from reviews.models import Item, Person, Screen
from reviews.store import ReviewStore
from reviews.values import now


def read(store: ReviewStore, actor: Person, review_id: str) -> Screen:
    """Returns presenter, item on screen and since when; three look-ups by key, cheap enough for every second."""
    with store.reading(actor) as (session, _):
        return session.get(Screen, find_review(session, review_id).id)


def take_over(store: ReviewStore, actor: Person, review_id: str) -> Screen:
    """Makes the acting person the presenter; the item on screen stays."""
    with store.writing(actor) as (session, person):
        screen = session.get(Screen, find_review(session, review_id, is_open=True).id, with_for_update={"of": Screen})
        screen.presenter_id, screen.presenter = person.id, person
    return screen


def show(store: ReviewStore, actor: Person, review_id: str, item_id: str) -> Screen:
    """Puts a point on the screen; the presenter's right."""
    with store.writing(actor) as (session, person):
        screen = session.get(Screen, find_review(session, review_id, is_open=True).id, with_for_update={"of": Screen})
        if screen.presenter_id != person.id:
            raise ReviewError(f"{screen.presenter.name} presents. Only the presenter moves on. Take over first")
        item = find_row(session, Item, item_id)
        if item.review_id != screen.review_id:
            raise missing(Item, item_id)
        screen.item_id, screen.shown_at = item.id, now()
    return screen
