"""Decisions on points of the agenda. Two at once: one is stored, the other gets to see it; nothing is overwritten."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from reviews.access import find_review, find_row
from reviews.errors import ReviewConflict, ReviewError
from reviews.models import CHOICES, OUTCOMES, PROOFS, ROLES, Decision, Item, Person, Snapshot
from reviews.store import ReviewStore
from reviews.values import MAX_NAME, check_text, new_id, now

CONFLICT = "{name} decided {choice!r} on this point meanwhile. A decision made in view of that is needed. Decide again"
FACTS = ("choice", "fix", "reason", "owner_id", "decided_by_id")


def decide(
    store: ReviewStore,
    actor: Person,
    item_id: str,
    choice: str,
    reason: str,
    seen: int,
    owner_id: str | None = None,
    fix: str | None = None,
) -> Decision:
    """Decides on a point.

    Args:
        store: The store.
        actor: Who decides.
        item_id: The point.
        choice: "accept" a fix, "reject", "probe" (one is needed first), or "leave" as it is.
        reason: Why, in their words.
        seen: `item.version` as it was on the page.
        owner_id: Who carries it out; the acting person without it.
        fix: With "accept", the name of a fix of the diagnosis; on a point that is a fix, that fix without it.

    Raises:
        ReviewConflict: Somebody decided meanwhile; `theirs` is their Decision. The reason given here is not stored:
            send it again with the new `item.version`, or as a comment.
        ReviewError: A value is refused.
    """
    check_text("reason", reason)
    check_one_of("choice", choice, CHOICES)
    try:
        with store.writing(actor) as (session, person):
            item = find_row(session, Item, item_id)
            find_review(session, item.review_id, is_open=True)
            owner = find_owner(session, owner_id) if owner_id else person
            decision = make_decision(item, person, owner, choice, find_fix(session, item, choice, fix), reason)
            return store_decision(session, item, decision, seen)
    except (StaleDataError, IntegrityError):
        raise conflict_on(store, actor, item_id) from None


def make_decision(item: Item, person: Person, owner: Person, choice: str, fix: str | None, reason: str) -> Decision:
    """Makes the next decision on a point."""
    return Decision(
        id=new_id(), review_id=item.review_id, item_id=item.id, number=item.num_decisions + 1, choice=choice, fix=fix,
        reason=reason, owner_id=owner.id, decided_by_id=person.id, decided_at=now(),
        outcome=None, proof_kind=None, proof=None,
    )  # fmt: skip


def store_decision(session: Session, item: Item, decision: Decision, seen: int) -> Decision:
    """Stores a decision on a point that nobody has decided on since it was seen."""
    last = last_decision(session, item)
    if item.version != seen:
        if last is not None and all(getattr(last, name) == getattr(decision, name) for name in FACTS):
            return last  # the same decision sent again: its answer was lost on the way
        raise StaleDataError
    item.num_decisions = decision.number
    session.flush()  # of two at this moment the slower one fails here
    session.add(decision)
    return decision


def last_decision(session: Session, item: Item) -> Decision | None:
    """Returns the decision that counts."""
    wanted = select(Decision).where(Decision.item_id == item.id).order_by(Decision.number.desc()).limit(1)
    return session.scalar(wanted)


def conflict_on(store: ReviewStore, actor: Person, item_id: str) -> ReviewConflict:
    """Says what somebody else decided."""
    with store.reading(actor) as (session, _):
        theirs = last_decision(session, find_row(session, Item, item_id))
    if theirs is None:
        return ReviewConflict("The page is of another state. The newest one is needed. Load the page again")
    return ReviewConflict(CONFLICT.format(name=theirs.decided_by.name, choice=theirs.choice), theirs)


def find_owner(session: Session, person_id: str) -> Person:
    """Returns a person who can own a decision."""
    owner = find_row(session, Person, person_id)
    if owner.role in ROLES:
        return owner
    raise ReviewError(f"{owner.name} has no role in these reviews. An owner needs one. Choose somebody else")


def find_fix(session: Session, item: Item, choice: str, fix: str | None) -> str | None:
    """Returns which fix is accepted: one of the diagnosis."""
    if choice != "accept":
        return None
    fix = fix or (item.code if item.kind == "fix" else None)
    known = [entry["fix"] for entry in session.get(Snapshot, item.review_id).diagnosis["fixes"]]
    if item.kind == "question" and fix is None:
        return None
    return check_one_of("fix to accept", fix, known)


def check_one_of(what: str, value: object, allowed: tuple[str, ...] | list[str]) -> str:
    """Refuses a word that is not in a list."""
    if value in allowed:
        return value
    raise ReviewError(
        f"The {what} is {str(value)[:40]!r}. It needs one of: {', '.join(allowed) or 'none here'}. Choose one"
    )


def link_outcome(
    store: ReviewStore, actor: Person, decision_id: str, outcome: str, proof_kind: str, proof: str, seen: int
) -> Decision:
    """Links a decision to what "confirmed" or "refuted" it, on a closed review, too.

    Args:
        store: The store.
        actor: Who links it.
        decision_id: The decision.
        outcome: "confirmed" or "refuted".
        proof_kind: "run" or "ledger".
        proof: The run_id, or the `written_at` of the ledger row.
        seen: `decision.version` as it was on the page.
    """
    check_one_of("outcome", outcome, OUTCOMES)
    check_one_of("kind of proof", proof_kind, PROOFS)
    check_text("proof", proof, MAX_NAME)
    try:
        with store.writing(actor) as (session, _):
            decision = find_row(session, Decision, decision_id)
            if decision.version != seen:
                raise StaleDataError
            decision.outcome, decision.proof_kind, decision.proof = outcome, proof_kind, proof
        return decision
    except StaleDataError:
        with store.reading(actor) as (session, _):
            theirs = find_row(session, Decision, decision_id)
        if (theirs.outcome, theirs.proof_kind, theirs.proof) == (outcome, proof_kind, proof):
            return theirs
        raise ReviewConflict(
            f"This decision was called {theirs.outcome} meanwhile. The newest state is needed. Look and try again",
            theirs,
        ) from None
