"""Team reviews of a study: what was found, what was decided and by whom. docs/reviews.md says how a page uses it."""

from reviews.errors import ReviewConflict, ReviewError
from reviews.models import Person
from reviews.store import ReviewStore, open_store
from reviews.values import new_id

__all__ = ["open_store", "ReviewStore", "ReviewError", "ReviewConflict", "Person", "new_id"]
