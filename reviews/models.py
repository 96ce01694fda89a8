"""The tables of reviews. reviews/migrations/ makes them; a test holds the two together."""

from typing import Annotated

from sqlalchemy import BigInteger, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from reviews.values import JsonText

ROLES = ("viewer", "reviewer", "admin")  # each may do what those before it may
CHOICES = ("accept", "reject", "probe", "leave")
OUTCOMES = ("confirmed", "refuted")
PROOFS = ("run", "ledger")
ANCHORS = ("review", "item", "run", "steps", "finding", "figure")

Key = Annotated[str, mapped_column(String(64), primary_key=True)]
Word = Annotated[str, mapped_column(String(64))]
Time = Annotated[str, mapped_column(String(32))]
Words = Annotated[str, mapped_column(Text)]


def refer(table: str, **options) -> Mapped:
    """Makes a column that refers to a row of another table."""
    return mapped_column(String(64), ForeignKey(f"{table}.id"), **options)


class Base(DeclarativeBase):
    """What all tables share."""


class Person(Base):
    """Somebody who may sign in: `subject` is what a login says, an e-mail or an id; role None is denied."""

    __tablename__ = "people"
    id: Mapped[Key]
    subject: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[Words]
    role: Mapped[str | None] = mapped_column(String(16))
    added_at: Mapped[Time]


class Review(Base):
    """One review of one state of a study."""

    __tablename__ = "reviews"
    id: Mapped[Key]
    study: Mapped[str] = mapped_column(Text, index=True)
    fingerprint: Mapped[Words]
    title: Mapped[Words]
    state: Mapped[str] = mapped_column(String(16))  # open or closed
    words: Mapped[Words]  # what the team closes with, in its own words
    opened_by_id: Mapped[str] = refer("people")
    opened_at: Mapped[Time]
    closed_at: Mapped[str | None] = mapped_column(String(32))
    version: Mapped[int] = mapped_column()
    opened_by: Mapped[Person] = relationship(lazy="joined", innerjoin=True)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Snapshot(Base):
    """The diagnosis, and what was noted of the runs, when the review was opened; never changed."""

    __tablename__ = "snapshots"
    review_id: Mapped[str] = refer("reviews", primary_key=True)
    diagnosis: Mapped[dict] = mapped_column(JsonText)
    digest: Mapped[Word]
    evidence: Mapped[list | None] = mapped_column(JsonText)  # as reviews/evidence.py writes it


class Item(Base):
    """One point of the agenda: a finding, a fix, or a question of the team."""

    __tablename__ = "items"
    __table_args__ = (UniqueConstraint("review_id", "position"),)
    id: Mapped[Key]
    review_id: Mapped[str] = refer("reviews")
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))  # finding, fix or question
    code: Mapped[Word]  # of the finding, or name of the fix
    weight: Mapped[int]
    content: Mapped[dict] = mapped_column(JsonText)
    num_decisions: Mapped[int]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @property
    def title(self) -> str:
        """What the item says in one sentence."""
        return self.content["sentence"]


class Decision(Base):
    """What was decided on an item; the one with the highest number counts, earlier ones are kept."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("item_id", "number"), Index("ix_decisions_review_id", "review_id"))
    id: Mapped[Key]
    review_id: Mapped[str] = refer("reviews")
    item_id: Mapped[str] = refer("items")
    number: Mapped[int]
    choice: Mapped[str] = mapped_column(String(16))
    fix: Mapped[str | None] = mapped_column(String(64))  # which fix is accepted
    reason: Mapped[Words]
    owner_id: Mapped[str] = refer("people")
    decided_by_id: Mapped[str] = refer("people")
    decided_at: Mapped[Time]
    outcome: Mapped[str | None] = mapped_column(String(16))
    proof_kind: Mapped[str | None] = mapped_column(String(16))
    proof: Mapped[str | None] = mapped_column(Text)  # run_id, or the time of the ledger row
    version: Mapped[int] = mapped_column()
    owner: Mapped[Person] = relationship(foreign_keys=owner_id, lazy="joined", innerjoin=True)
    decided_by: Mapped[Person] = relationship(foreign_keys=decided_by_id, lazy="joined", innerjoin=True)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class Comment(Base):
    """One contribution to a thread; the first one of a thread has its own id as `thread_id` and holds the anchor."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_review_id_thread_id", "review_id", "thread_id"),)
    id: Mapped[Key]  # made by the client, so that sending it again stores nothing twice
    review_id: Mapped[str] = refer("reviews")
    thread_id: Mapped[str] = mapped_column(String(64))
    parent_id: Mapped[str | None] = refer("comments")
    author_id: Mapped[str] = refer("people")
    anchor_kind: Mapped[str] = mapped_column(String(16))
    anchor_name: Mapped[str | None] = mapped_column(Text)  # item id, run_id, code or figure
    first_step: Mapped[int | None] = mapped_column(BigInteger)
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    text: Mapped[Words]
    is_draft: Mapped[bool]
    written_at: Mapped[Time]
    edited_at: Mapped[str | None] = mapped_column(String(32))
    resolved_at: Mapped[str | None] = mapped_column(String(32))
    resolved_by_id: Mapped[str | None] = refer("people")
    version: Mapped[int] = mapped_column()
    author: Mapped[Person] = relationship(foreign_keys=author_id, lazy="joined", innerjoin=True)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class CommentEdit(Base):
    """A published text of a comment before it was edited."""

    __tablename__ = "comment_edits"
    id: Mapped[Key]
    comment_id: Mapped[str] = refer("comments", index=True)
    text: Mapped[Words]
    replaced_at: Mapped[Time]


class Mention(Base):
    """A person named in a published comment."""

    __tablename__ = "mentions"
    comment_id: Mapped[str] = refer("comments", primary_key=True)
    person_id: Mapped[str] = refer("people", primary_key=True, index=True)


class Screen(Base):
    """Who presents a review, and the item that all see now."""

    __tablename__ = "screens"
    review_id: Mapped[str] = refer("reviews", primary_key=True)
    presenter_id: Mapped[str] = refer("people")
    item_id: Mapped[str | None] = refer("items")
    shown_at: Mapped[Time]
    presenter: Mapped[Person] = relationship(lazy="joined", innerjoin=True)


class SignOff(Base):
    """A person's agreement with the decisions of a review as they were: `decisions` is their digest."""

    __tablename__ = "sign_offs"
    review_id: Mapped[str] = refer("reviews", primary_key=True)
    person_id: Mapped[str] = refer("people", primary_key=True)
    signed_at: Mapped[Time]
    decisions: Mapped[Word]
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)


class AuditEntry(Base):
    """Who changed what, and when. The database itself refuses to change or delete one."""

    __tablename__ = "audit"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    at: Mapped[Time]
    person_id: Mapped[str] = mapped_column(String(64))
    person_name: Mapped[Words]
    review_id: Mapped[str | None] = mapped_column(String(64), index=True)
    action: Mapped[str] = mapped_column(String(16))  # created, changed or deleted
    kind: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[Words]
    before: Mapped[dict | None] = mapped_column(JsonText)
    after: Mapped[dict | None] = mapped_column(JsonText)
    is_private: Mapped[bool]  # about a draft: nobody else sees the entry


class SignOut(Base):
    """A sign-in that was ended by hand, until it would have ended by itself: `mark` tells it from any other one."""

    __tablename__ = "sign_outs"
    mark: Mapped[str] = mapped_column(String(64), primary_key=True)
    ends_at: Mapped[float] = mapped_column(Float(53), index=True)  # seconds since 1970
