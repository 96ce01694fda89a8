"""Sign-ins that were ended by hand: kept until they would have ended by themselves, for all processes and restarts."""

import time

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from reviews.models import SignOut
from reviews.store import ReviewStore


def add(store: ReviewStore, mark: str, ends_at: float) -> None:
    """Ends a sign-in, and forgets those that are over anyway.

    Args:
        store: The store.
        mark: Tells the sign-in from any other one.
        ends_at: When it would have ended by itself, in seconds since 1970.
    """
    try:
        with store.serving() as session:
            session.execute(delete(SignOut).where(SignOut.ends_at < time.time()))
            if session.get(SignOut, mark) is None:
                session.add(SignOut(mark=mark, ends_at=ends_at))
    except IntegrityError:  # ended in another window at this moment
        return


def has(store: ReviewStore, mark: str) -> bool:
    """Returns whether a sign-in was ended by hand; one look by key, cheap enough for every rerun of a page."""
    with store.looking() as session:
        return session.scalar(select(SignOut.mark).where(SignOut.mark == mark)) is not None
