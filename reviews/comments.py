"""Threads of comments. Sent twice under one id, a comment is stored once; a draft is its author's alone."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from reviews.access import find_review, find_row, missing
from reviews.anchors import Anchor, anchor_of
from reviews.errors import ReviewConflict, ReviewError
from reviews.mentions import note_mentions
from reviews.models import Comment, CommentEdit, Item, Person, Review
from reviews.store import ReviewStore
from reviews.values import check_id, check_text, new_id, now

WHOLE = Anchor()


@dataclass(frozen=True)
class Thread:
    """A comment and the answers to it, oldest first."""

    root: Comment
    replies: tuple[Comment, ...]

    @property
    def anchor(self) -> Anchor:
        """What it is about."""
        return anchor_of(self.root)

    @property
    def is_open(self) -> bool:
        """Whether nobody has resolved it."""
        return self.root.resolved_at is None


def write(
    store: ReviewStore,
    actor: Person,
    review_id: str,
    text: str,
    comment_id: str,
    anchor: Anchor = WHOLE,
    parent_id: str | None = None,
    is_draft: bool = False,
) -> Comment:
    """Stores a comment; on disk when it returns.

    Args:
        store: The store.
        actor: Its author.
        review_id: The review.
        text: What they say, kept letter by letter.
        comment_id: Made by the client with new_id() before it first sends: the same id stores nothing twice.
        anchor: What a new thread is about.
        parent_id: The comment that is answered; the answer is about the same.
        is_draft: Kept for the author only, until `publish`.
    """
    check_id(comment_id), check_text("comment", text), anchor.check()
    try:
        with store.writing(actor) as (session, person):
            if known := session.get(Comment, comment_id):
                return check_same(known, person, review_id)
            comment = make_comment(session, person, review_id, comment_id, text, anchor, parent_id)
            comment.is_draft = bool(is_draft)
            session.add(comment)
            session.flush()
            note_mentions(session, comment)
        return comment
    except IntegrityError:  # the same comment, sent twice at once
        with store.reading(actor) as (session, person):
            return check_same(find_row(session, Comment, comment_id), person, review_id)


def make_comment(
    session: Session, person: Person, review_id: str, comment_id: str, text: str, anchor: Anchor, parent_id: str | None
) -> Comment:
    """Makes a comment of an open review; an answer is about what its thread is about."""
    review = find_review(session, review_id, is_open=True)
    parent = find_visible(session, person, parent_id) if parent_id else None
    if parent is not None and (parent.is_draft or parent.review_id != review.id):
        raise ReviewError(
            "Only a published comment of this review can be answered. Publish it first, or choose another"
        )
    about = anchor_of(parent) if parent else check_item(session, review, anchor)
    return Comment(
        id=comment_id, review_id=review.id, thread_id=parent.thread_id if parent else comment_id,
        parent_id=parent_id or None, author_id=person.id, author=person, anchor_kind=about.kind,
        anchor_name=about.name, first_step=about.first_step, last_step=about.last_step, text=text,
        written_at=now(), edited_at=None, resolved_at=None, resolved_by_id=None,
    )  # fmt: skip


def check_item(session: Session, review: Review, anchor: Anchor) -> Anchor:
    """Returns an anchor that, if it is a point of an agenda, is one of this review."""
    if anchor.kind == "item" and find_row(session, Item, anchor.name).review_id != review.id:
        raise missing(Item, anchor.name)
    return anchor


def check_same(known: Comment, person: Person, review_id: str) -> Comment:
    """Returns the stored comment of an id, if it is this person's in this review."""
    if known.author_id == person.id and known.review_id == review_id:
        return known
    raise ReviewError(f"The id {known.id!r} is taken. A comment needs an id of its own. Make it with new_id()")


def find_visible(session: Session, person: Person, comment_id: str) -> Comment:
    """Returns a comment; a draft of somebody else is not there."""
    comment = find_row(session, Comment, comment_id)
    if comment.is_draft and comment.author_id != person.id:
        raise missing(Comment, comment_id)
    return comment


def find_own(session: Session, person: Person, comment_id: str, seen: int) -> Comment:
    """Returns a comment of this person in an open review, unchanged since it was seen."""
    comment = find_visible(session, person, comment_id)
    find_review(session, comment.review_id, is_open=True)
    if comment.author_id != person.id:
        raise ReviewError(f"{comment.author.name} wrote this. Only its author changes a comment. Answer it")
    if comment.version != seen:
        raise StaleDataError
    return comment


def conflict_on(store: ReviewStore, actor: Person, comment_id: str) -> ReviewConflict:
    """Says that a comment was changed meanwhile."""
    with store.reading(actor) as (session, person):
        theirs = session.get(Comment, comment_id)
        theirs = theirs and find_visible(session, person, comment_id)
    return ReviewConflict("The comment was changed meanwhile. Its newest text is needed. Look and try again", theirs)


def edit(store: ReviewStore, actor: Person, comment_id: str, text: str, seen: int) -> Comment:
    """Changes the text of one's own comment; `seen` is its version on the page. Published texts are kept."""
    check_text("comment", text)
    try:
        with store.writing(actor) as (session, person):
            comment = find_own(session, person, comment_id, seen)
            if not comment.is_draft and comment.text != text:
                session.add(CommentEdit(id=new_id(), comment_id=comment.id, text=comment.text, replaced_at=now()))
                comment.edited_at = now()
            comment.text = text
            note_mentions(session, comment)
        return comment
    except StaleDataError:
        raise conflict_on(store, actor, comment_id) from None


def publish(store: ReviewStore, actor: Person, comment_id: str, seen: int) -> Comment:
    """Shows a draft to all, as of now."""
    try:
        with store.writing(actor) as (session, person):
            comment = find_own(session, person, comment_id, seen)
            if comment.is_draft:
                comment.is_draft, comment.written_at = False, now()
                note_mentions(session, comment)
        return comment
    except StaleDataError:
        raise conflict_on(store, actor, comment_id) from None


def discard(store: ReviewStore, actor: Person, comment_id: str, seen: int) -> None:
    """Deletes a draft; what was published stays."""
    try:
        with store.writing(actor) as (session, person):
            comment = find_own(session, person, comment_id, seen)
            if not comment.is_draft:
                raise ReviewError("This comment is published. Only drafts are deleted. Edit it, or resolve the thread")
            session.delete(comment)
    except StaleDataError:
        raise conflict_on(store, actor, comment_id) from None


def resolve(store: ReviewStore, actor: Person, comment_id: str, is_resolved: bool = True) -> Comment:
    """Resolves the thread of a comment, or opens it again."""
    with store.writing(actor) as (session, person):
        comment = find_visible(session, person, comment_id)
        find_review(session, comment.review_id, is_open=True)
        root = session.get(Comment, comment.thread_id, with_for_update={"of": Comment}, populate_existing=True)
        if (root.resolved_at is not None) != is_resolved:
            root.resolved_at = now() if is_resolved else None
            root.resolved_by_id = person.id if is_resolved else None
    return root


def read_threads(store: ReviewStore, actor: Person, review_id: str, anchor: Anchor | None = None) -> tuple[Thread, ...]:
    """Returns the threads of a review, oldest first: all, or those about one thing."""
    with store.reading(actor) as (session, person):
        threads = threads_of(session, person, find_review(session, review_id).id)
    return threads if anchor is None else tuple(thread for thread in threads if thread.anchor == anchor)


def threads_of(session: Session, person: Person | None, review_id: str) -> tuple[Thread, ...]:
    """Reads threads within a transaction; without a person, published comments only."""
    is_seen = ~Comment.is_draft if person is None else or_(~Comment.is_draft, Comment.author_id == person.id)
    wanted = select(Comment).where(Comment.review_id == review_id, is_seen).order_by(Comment.written_at, Comment.id)
    found = session.scalars(wanted).all()
    replies: dict[str, list[Comment]] = {comment.id: [] for comment in found if comment.parent_id is None}
    for comment in found:  # by the clocks of several machines, an answer can seem older than its question
        if comment.parent_id is not None:
            replies[comment.thread_id].append(comment)
    return tuple(Thread(comment, tuple(replies[comment.id])) for comment in found if comment.parent_id is None)


def read_edits(store: ReviewStore, actor: Person, comment_id: str) -> tuple[CommentEdit, ...]:
    """Returns the earlier texts of a comment, oldest first."""
    with store.reading(actor) as (session, person):
        comment = find_visible(session, person, comment_id)
        wanted = select(CommentEdit).where(CommentEdit.comment_id == comment.id)
        return tuple(session.scalars(wanted.order_by(CommentEdit.replaced_at, CommentEdit.id)))
