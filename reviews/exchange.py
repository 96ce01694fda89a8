"""A whole review as JSON: out as plain values with places in place of ids. reviews/bring_in.py reads it back."""

from sqlalchemy.orm import Session

from reviews.access import find_review
from reviews.agenda import Agenda, AgendaItem, read_agenda
from reviews.comments import threads_of
from reviews.models import Comment, CommentEdit, Decision, Person, Snapshot
from reviews.sign_offs import read_signed
from reviews.store import ReviewStore

SCHEMA = "steadystep.review/1"
REVIEW_WORDS = ("study", "fingerprint", "title", "state", "words", "opened_at", "closed_at")
ITEM_WORDS = ("kind", "code", "weight", "content")
DECISION_WORDS = ("choice", "fix", "reason", "decided_at", "outcome", "proof_kind", "proof")
ANCHOR_WORDS = ("anchor_kind", "anchor_name", "first_step", "last_step")
COMMENT_WORDS = (*ANCHOR_WORDS, "text", "written_at", "edited_at", "resolved_at")


class Places(dict):
    """Gives each thing of a kind the next number, once: what stands in an export where the store has an id."""

    def of(self, thing_id: str | None) -> int | None:
        """Returns the place of a thing."""
        return None if thing_id is None else self.setdefault(thing_id, len(self))


def export_review(store: ReviewStore, actor: Person, review_id: str) -> dict[str, object]:
    """Returns a review as plain values for JSON: all but drafts, the screen, and the audit, which stays where it arose.

    Returns:
        {"schema", "review", "diagnosis", "evidence", "people", "items", "comments", "sign_offs"}. A person is their
        place in "people", a comment's "parent" its place in "comments", and an item its place in "items".
    """
    with store.reading(actor) as (session, _):
        found = read_agenda(session, find_review(session, review_id).id)
        people, snapshot = Places(), session.get(Snapshot, found.review.id)
        review = take(found.review, REVIEW_WORDS) | {"opened_by": people.of(found.review.opened_by_id)}
        return {
            "schema": SCHEMA,
            "review": review,
            "diagnosis": snapshot.diagnosis,
            "evidence": snapshot.evidence,
            "items": [export_item(entry, people) for entry in found.items],
            "comments": export_comments(session, found, people),
            "sign_offs": [
                take(entry.sign_off, ("signed_at", "decisions")) | {"person": people.of(entry.sign_off.person_id)}
                for entry in read_signed(session, found.review.id, found.digest)
            ],
            "people": [take(session.get(Person, person_id), ("subject", "name")) for person_id in people],
        }


def take(row: object, words: tuple[str, ...]) -> dict[str, object]:
    """Returns some columns of a row."""
    return {word: getattr(row, word) for word in words}


def export_item(entry: AgendaItem, people: Places) -> dict[str, object]:
    """Returns a point of the agenda with its decisions."""
    return take(entry.item, ITEM_WORDS) | {"decisions": [export_decision(made, people) for made in entry.decisions]}


def export_decision(decision: Decision, people: Places) -> dict[str, object]:
    """Returns a decision."""
    who = {"owner": people.of(decision.owner_id), "decided_by": people.of(decision.decided_by_id)}
    return take(decision, DECISION_WORDS) | who


def export_comments(session: Session, found: Agenda, people: Places) -> list[dict[str, object]]:
    """Returns the published comments, thread by thread."""
    items, places = {entry.item.id: place for place, entry in enumerate(found.items)}, Places()
    edits: dict[str, list[CommentEdit]] = {}
    wanted = session.query(CommentEdit).join(Comment, Comment.id == CommentEdit.comment_id)
    for edit in wanted.filter(Comment.review_id == found.review.id).order_by(CommentEdit.replaced_at, CommentEdit.id):
        edits.setdefault(edit.comment_id, []).append(edit)
    exported = []
    for thread in threads_of(session, None, found.review.id):
        for comment in (thread.root, *thread.replies):
            places.of(comment.id)
        for comment in (thread.root, *thread.replies):
            row = take(comment, COMMENT_WORDS) | {
                "parent": places.of(comment.parent_id),
                "author": people.of(comment.author_id),
                "resolved_by": people.of(comment.resolved_by_id),
                "edits": [take(edit, ("text", "replaced_at")) for edit in edits.get(comment.id, ())],
            }
            if comment.anchor_kind == "item":
                row["anchor_name"] = items[comment.anchor_name]
            exported.append(row)
    return exported
