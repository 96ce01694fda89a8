"""Sign-outs that outlive the server: kept in the store of reviews, and looked up before every run of a page."""

import sys
import threading
import time

from analysis.runlog import RunLogError
from app_pages import sessions
from app_pages.sessions import Login

PAUSE = 10.0  # ours: seconds until a store that did not answer is asked again; each attempt can take as long
NO_ANSWER = (
    "The store of reviews does not answer, so nobody can tell who has signed out. Nobody is signed in before it does. "
    "Try again in a moment, or ask whoever runs this dashboard"
)
NOT_KEPT = "steadystep: a sign-out counts until the next restart only. {reason}"
_answered = threading.Event()  # whether the store has answered since the server began
_silent = {"until": 0.0}


def counts(login: Login) -> bool:
    """Whether a sign-in still counts: by its time, and because nobody has ended it, here or in another process.

    While the store does not answer, what this process knows decides; until its first answer nobody is signed in, for
    somebody may have signed out before the restart.
    """
    if not login.is_valid():
        return False
    if time.monotonic() < _silent["until"]:
        return _answered.is_set()
    try:
        is_ended = _was_ended(login)
    except RunLogError as error:
        _silent["until"] = time.monotonic() + PAUSE
        print(f"steadystep: sign-outs cannot be looked up. {error}", file=sys.stderr)
        return _answered.is_set()
    _answered.set()
    _silent["until"] = 0.0
    if is_ended:
        sessions.end(login)  # from now on the gate cuts off its open pages, too
    return not is_ended


def end(login: Login) -> None:
    """Ends a sign-in for good: in other tabs, in other processes, and after a restart."""
    from app_pages import review_store
    from reviews import sign_outs as kept

    sessions.end(login)
    try:
        kept.add(review_store.reviews(), login.mark, login.ends_at)
    except RunLogError as error:
        print(NOT_KEPT.format(reason=error), file=sys.stderr)


def problem() -> str:
    """Returns why nobody can be signed in now, "" if they can; what the database said is for the log of the server."""
    return NO_ANSWER if _silent["until"] and not _answered.is_set() else ""


def _was_ended(login: Login) -> bool:
    from app_pages import review_store  # with SQLAlchemy, which a server without a login does not need to start
    from reviews import sign_outs as kept

    return review_store.has_reviews() and kept.has(review_store.reviews(), login.mark)
