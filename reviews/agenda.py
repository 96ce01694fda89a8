"""Reviews and their agenda: opened on a frozen diagnosis, closed with a summary."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from analysis.frozen import FrozenRun
from reviews.access import find_review
from reviews.errors import ReviewConflict, ReviewError
from reviews.evidence import write_entries
from reviews.models import Decision, Item, Person, Review, Screen, Snapshot
from reviews.store import ReviewStore
from reviews.values import MAX_NAME, check_id, check_name, check_text, new_id, now

DIAGNOSIS = "steadystep.diagnosis/"
FINDING_WEIGHT, CONFIRMED_WEIGHT, FIX_WEIGHT, FAILED_WEIGHT = 400, 300, 200, 100  # ours: what happened, then what to do


@dataclass(frozen=True)
class AgendaItem:
    """One point with what was decided.

    Attributes:
        item: The point; `item.version` is what `decide` wants as `seen`.
        decisions: All decisions, oldest first; the last one counts.
    """

    item: Item
    decisions: tuple[Decision, ...]

    @property
    def decision(self) -> Decision | None:
        """The decision that counts."""
        return self.decisions[-1] if self.decisions else None


@dataclass(frozen=True)
class Agenda:
    """A review and its points, heaviest first, then the team's own questions in the order they came."""

    review: Review
    items: tuple[AgendaItem, ...]

    @property
    def digest(self) -> str:
        """A text that changes with every decision: what a person signs."""
        return self.digest_without(())

    def digest_without(self, left_out: Collection[Decision]) -> str:
        """Returns the digest as it was before some of the decisions."""
        facts = [
            (entry.item.position, made.number, made.choice, made.fix, made.reason, made.owner.subject)
            for entry in self.items
            for made in entry.decisions
            if made not in left_out
        ]
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def open_review(
    store: ReviewStore,
    actor: Person,
    diagnosis: Mapping[str, object],
    fingerprint: str,
    title: str = "",
    review_id: str | None = None,
    frozen: Iterable[FrozenRun] | None = None,
) -> Review:
    """Opens a review on what was seen: later runs of the study do not change it.

    Args:
        store: The store.
        actor: Who opens it, and presents at first.
        diagnosis: As `python -m analysis diagnose --json` prints it.
        fingerprint: Of the study, as it was judged.
        title: What it is called; "" is the name of the study.
        review_id: Made by the client with new_id(), so that a second click does not open a second one.
        frozen: What `analysis.frozen.freeze` notes of the runs; without it the diagnosis tells how long each was.
    """
    check_diagnosis(diagnosis)
    study = check_name("name of the study", diagnosis["study"]["name"])
    title = check_name("title", title, may_be_empty=True) or study
    review_id = check_id(review_id or new_id())
    check_text("fingerprint", fingerprint, MAX_NAME)
    try:
        with store.writing(actor) as (session, person):
            if known := session.get(Review, review_id):
                return known
            review = Review(
                id=review_id, study=study, fingerprint=fingerprint, title=title, state="open", words="",
                opened_by_id=person.id, opened_by=person, opened_at=now(), closed_at=None,
            )  # fmt: skip
            noted = None if frozen is None else write_entries(frozen)
            add_review(session, review, diagnosis, make_items(review_id, diagnosis), noted)
            return review
    except IntegrityError:  # the same click, sent twice at once
        return read(store, actor, review_id).review


def add_review(
    session: Session, review: Review, diagnosis: Mapping, items: list[Item], evidence: list[dict] | None
) -> None:
    """Adds a review with its snapshot, agenda and screen."""
    content = json.dumps([diagnosis, evidence], allow_nan=False, sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    session.add(review)
    session.flush()
    session.add(Snapshot(review_id=review.id, diagnosis=dict(diagnosis), digest=digest, evidence=evidence))
    session.add_all(items)
    session.flush()
    first, presenter = items[0].id if items else None, review.opened_by
    screen = Screen(review_id=review.id, presenter_id=presenter.id, item_id=first, shown_at=review.opened_at)
    screen.presenter = presenter
    session.add(screen)


def check_diagnosis(diagnosis: Mapping[str, object]) -> None:
    """Refuses what is no diagnosis."""
    schema = diagnosis.get("schema") if isinstance(diagnosis, Mapping) else type(diagnosis).__name__
    if not str(schema).startswith(DIAGNOSIS):
        raise ReviewError(
            f"A review cannot be opened on {str(schema)[:40]!r}. It needs a diagnosis as JSON ({DIAGNOSIS}1). "
            "Pass what `python -m analysis diagnose --json` prints"
        )


def make_items(review_id: str, diagnosis: Mapping[str, object]) -> list[Item]:
    """Makes the points of a diagnosis, heaviest first: what was found, what holds, what to try, what failed."""
    weighed = [
        (FINDING_WEIGHT - place, "finding", finding["code"], finding)
        for place, finding in enumerate(diagnosis["findings"])
        if finding["outcome"] == "found"
    ]
    by_state = {"confirmed": CONFIRMED_WEIGHT, "failed": FAILED_WEIGHT}
    weighed += [
        (by_state.get(fix["state"], FIX_WEIGHT) - fix["rank"], "fix", fix["fix"], fix) for fix in diagnosis["fixes"]
    ]
    weighed.sort(key=lambda entry: -entry[0])
    return [
        make_item(review_id, position, kind, code, content, weight)
        for position, (weight, kind, code, content) in enumerate(weighed, start=1)
    ]


def make_item(review_id: str, position: int, kind: str, code: str, content: Mapping, weight: int = 0) -> Item:
    """Makes one point of an agenda."""
    return Item(
        id=new_id(), review_id=review_id, position=position, kind=kind, code=code, weight=weight,
        content=dict(content), num_decisions=0,
    )  # fmt: skip


def add_question(store: ReviewStore, actor: Person, review_id: str, sentence: str) -> Item:
    """Adds a point of the team's own at the end of the agenda."""
    check_text("question", sentence)
    with store.writing(actor) as (session, _):
        review = find_review(session, review_id, is_open=True, is_mine=True)  # the next place goes to one at a time
        last = session.scalar(select(func.max(Item.position)).where(Item.review_id == review.id)) or 0
        item = make_item(review.id, last + 1, "question", "question", {"sentence": sentence})
        session.add(item)
    return item


def list_reviews(store: ReviewStore, actor: Person, study: str | None = None) -> tuple[Review, ...]:
    """Returns the reviews of a study or of all, newest first."""
    with store.reading(actor) as (session, _):
        wanted = select(Review).order_by(Review.opened_at.desc(), Review.id.desc())
        return tuple(session.scalars(wanted if study is None else wanted.where(Review.study == study)))


def read(store: ReviewStore, actor: Person, review_id: str) -> Agenda:
    """Returns a review with its points and decisions."""
    with store.reading(actor) as (session, _):
        return read_agenda(session, review_id)


def read_agenda(session: Session, review_id: str) -> Agenda:
    """Reads a review within a transaction."""
    review = find_review(session, review_id)
    items = session.scalars(select(Item).where(Item.review_id == review.id).order_by(Item.position)).all()
    wanted = select(Decision).where(Decision.review_id == review.id).order_by(Decision.number)
    decided: dict[str, list[Decision]] = {}
    for decision in session.scalars(wanted):
        decided.setdefault(decision.item_id, []).append(decision)
    return Agenda(review, tuple(AgendaItem(item, tuple(decided.get(item.id, ()))) for item in items))


def read_diagnosis(store: ReviewStore, actor: Person, review_id: str) -> dict[str, object]:
    """Returns the diagnosis as it was when the review was opened."""
    with store.reading(actor) as (session, _):
        return session.get(Snapshot, find_review(session, review_id).id).diagnosis


def close(store: ReviewStore, actor: Person, review_id: str, words: str, seen: int) -> Review:
    """Closes a review with the team's own words, which may be empty; `seen` is the version that was on the page."""
    check_text("summary", words, may_be_empty=True)
    return change_state(store, actor, "reviewer", review_id, seen, state="closed", words=words, closed_at=now())


def reopen(store: ReviewStore, actor: Person, review_id: str, seen: int) -> Review:
    """Opens a closed review again; an admin's right."""
    return change_state(store, actor, "admin", review_id, seen, state="open", closed_at=None)


def change_state(store: ReviewStore, actor: Person, role: str, review_id: str, seen: int, **changes) -> Review:
    """Changes a review that nobody else has changed since it was seen."""
    try:
        with store.writing(actor, role) as (session, _):
            review = find_review(session, review_id)
            if review.version != seen:
                raise StaleDataError
            for name, value in changes.items():
                setattr(review, name, value)
        return review
    except StaleDataError:
        theirs = read(store, actor, review_id).review
        raise ReviewConflict(
            f"The review is {theirs.state} by now: somebody changed it meanwhile. "
            "The newest state is needed. Look at it and try again",
            theirs,
        ) from None
