"""The record of every change: written by the session itself with the change, so that no function can forget it."""

from sqlalchemy import inspect
from sqlalchemy.orm import Session, object_session

from reviews.models import AuditEntry, Base, Comment, CommentEdit, Mention, Person, SignOut
from reviews.values import now

ACTOR = "actor"
UNTOLD = (CommentEdit, Mention, SignOut)  # the first two follow from a comment, whose entry says more; no review's
LEFT_OUT = {"version", "diagnosis", "evidence"}  # a counter, and megabytes that never change: their digest is kept
DRAFT = {"is_draft": True}  # all that is told of a draft


def record(session: Session, _flush: object) -> None:
    """Writes an entry for every row that a flush adds, changes or deletes."""
    rows = [entry_of(row, None, values_of(row)) for row in session.new]
    rows += [entry_of(row, *changes_of(row)) for row in session.dirty]
    rows += [entry_of(row, values_of(row), None) for row in session.deleted]
    rows = [row for row in rows if row]
    if rows:
        session.connection().execute(AuditEntry.__table__.insert(), rows)


def values_of(row: Base) -> dict[str, object]:
    """Returns the columns of a row by name."""
    names = [column.key for column in inspect(row).mapper.column_attrs]
    return {name: getattr(row, name) for name in names if name not in LEFT_OUT}


def changes_of(row: Base) -> tuple[dict[str, object], dict[str, object]]:
    """Returns the changed columns of a row before and after."""
    before, after = {}, {}
    for column in inspect(row).mapper.column_attrs:
        history = inspect(row).attrs[column.key].history
        if column.key not in LEFT_OUT and history.has_changes():
            before[column.key] = history.deleted[0] if history.deleted else None
            after[column.key] = getattr(row, column.key)
    return before, after


def entry_of(row: Base, before: dict | None, after: dict | None) -> dict[str, object] | None:
    """Returns the entry of one row as columns; None where nothing is to be told."""
    if isinstance(row, UNTOLD) or before == after:
        return None
    actor: Person = object_session(row).info[ACTOR]
    is_private = isinstance(row, Comment) and row.is_draft
    if is_private:
        before, after = (DRAFT if before else None), (DRAFT if after else None)
    elif isinstance(row, Comment) and before and before.get("is_draft"):
        before, after = DRAFT, values_of(row)  # published: what it said before is nobody's business
    return {
        "at": now(),
        "person_id": actor.id,
        "person_name": actor.name,
        "review_id": row.id if row.__tablename__ == "reviews" else getattr(row, "review_id", None),
        "action": "created" if before is None else "deleted" if after is None else "changed",
        "kind": row.__tablename__,
        "object_id": " ".join(inspect(row).mapper.primary_key_from_instance(row)),
        "before": before,
        "after": after,
        "is_private": is_private,
    }
