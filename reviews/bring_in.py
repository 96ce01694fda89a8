"""Reading an exported review back: every value is checked, ids are new, nothing in it is ever run."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reviews.agenda import add_review, check_diagnosis
from reviews.anchors import Anchor
from reviews.decisions import check_one_of
from reviews.errors import ReviewError
from reviews.evidence import check_entries
from reviews.exchange import (
    ANCHOR_WORDS,
    COMMENT_WORDS,
    DECISION_WORDS,
    ITEM_WORDS,
    REVIEW_WORDS,
    SCHEMA,
)
from reviews.models import CHOICES, OUTCOMES, PROOFS, Comment, CommentEdit, Decision, Item, Person, Review, SignOff
from reviews.people import make_person
from reviews.store import ReviewStore
from reviews.values import MAX_TEXT, check_text, new_id

MAX_BYTES = 64 << 20  # ours: a diagnosis of 1,000 runs is about 1 MB
NUMBERS = {"weight", "first_step", "last_step", "parent", "author", "resolved_by", "owner", "decided_by", "person"}
NUMBERS |= {"item", "opened_by"}
SHORT = {"code": 64, "fix": 64, "decisions": 64}  # characters that their columns hold
MAPPINGS = {"content"}
MAY_LACK = {"closed_at", "fix", "outcome", "proof_kind", "proof", "first_step", "last_step", "edited_at", "resolved_at"}
MAY_LACK |= {"parent", "resolved_by", "anchor_name"}


def import_review(store: ReviewStore, actor: Person, exported: str | bytes | Mapping[str, object]) -> Review:
    """Stores an exported review as a new one; an admin's right, for it says what others wrote.

    People are found by their subject; those who are not in the list are added without a role.

    Raises:
        ReviewError: It is no exported review; said with the first place that does not fit. Nothing is stored then.
    """
    content = read_json(exported)
    with store.writing(actor, "admin") as (session, _):
        try:
            return store_all(session, content)
        except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise refusal(f"{type(error).__name__} {str(error)[:60]}") from error
        except IntegrityError as error:
            raise refusal("something is in it twice") from error


def read_json(exported: str | bytes | Mapping[str, object]) -> Mapping[str, object]:
    """Returns the export as values."""
    if isinstance(exported, (str, bytes)):
        if len(exported) > MAX_BYTES:
            raise refusal(f"{len(exported) >> 20} MiB, more than {MAX_BYTES >> 20}")
        try:
            exported = json.loads(exported)
        except (ValueError, RecursionError) as error:
            raise refusal(f"no JSON: {str(error)[:80]}") from error
    if not isinstance(exported, Mapping) or exported.get("schema") != SCHEMA:
        raise refusal("another schema")
    return exported


def refusal(reason: str) -> ReviewError:
    """Says why an export is refused."""
    return ReviewError(
        f"This is no exported review ({reason}). A file of the schema {SCHEMA} is needed. Export it again"
    )


def take(row: Mapping[str, object], words: tuple[str, ...]) -> dict[str, object]:
    """Returns some values of a row, each of its kind."""
    return {word: check_value(word, row[word]) for word in words}


def check_value(word: str, value: object) -> object:
    """Returns a value if it is of the kind that its name stands for."""
    if value is None and word in MAY_LACK:
        return value
    kind = int if word in NUMBERS else dict if word in MAPPINGS else str
    if type(value) is not kind:
        raise refusal(f"{word} is a {type(value).__name__}")
    if kind is str:
        check_text(word, value, SHORT.get(word, MAX_TEXT), may_be_empty=True)
    if kind is int and not word.endswith("_step") and abs(value) >= 2**31:  # Anchor.check looks at steps
        raise refusal(f"{word} is {str(value)[:20]}")
    if word.endswith("_at"):
        check_time(word, value)
    return value


def check_time(word: str, value: str) -> None:
    """Refuses what is no time in UTC, in the one form that sorts."""
    try:
        is_time = datetime.fromisoformat(value).isoformat(timespec="microseconds") == value and value.endswith("+00:00")
    except ValueError:
        is_time = False
    if not is_time:
        raise refusal(f"{word} is no time: {value[:40]!r}")


def pick(things: list, word: str, entry: Mapping[str, object]) -> str | None:
    """Returns the id of the thing at a place."""
    place = check_value(word, entry[word])
    if place is not None and not 0 <= place < len(things):
        raise refusal(f"{word} is {place}, of {len(things)}")
    return None if place is None else things[place].id


def store_all(session: Session, content: Mapping) -> Review:
    """Stores an export within a transaction."""
    people = [find_person(session, entry) for entry in content["people"]]
    session.flush()
    check_diagnosis(content["diagnosis"])
    told = content["review"]
    review = Review(id=new_id(), **take(told, REVIEW_WORDS), opened_by_id=pick(people, "opened_by", told))
    review.opened_by = people[told["opened_by"]]
    check_one_of("state", review.state, ("open", "closed"))
    if (review.state == "closed") != (review.closed_at is not None):
        raise refusal("closed without a time")
    items = [make_item(review.id, place, entry) for place, entry in enumerate(content["items"], start=1)]
    add_review(session, review, content["diagnosis"], items, check_entries(content.get("evidence")))
    session.flush()
    for item, entry in zip(items, content["items"], strict=True):
        session.add_all(make_decisions(item, entry["decisions"], people))
    add_comments(session, review.id, content["comments"], people, items)
    for entry in content["sign_offs"]:
        words = take(entry, ("signed_at", "decisions"))
        session.add(SignOff(review_id=review.id, person_id=pick(people, "person", entry), **words))
    session.flush()
    return review


def find_person(session: Session, entry: Mapping) -> Person:
    """Returns the person of a subject; one who is not in the list is added without a role."""
    person = make_person(entry["subject"], entry["name"], None)
    known = session.scalar(select(Person).where(Person.subject == person.subject))
    if known is None:
        session.add(person)
    return known or person


def make_item(review_id: str, position: int, entry: Mapping) -> Item:
    """Makes a point of the agenda."""
    words = take(entry, ITEM_WORDS)
    check_one_of("kind of an item", words["kind"], ("finding", "fix", "question"))
    check_value("sentence", words["content"]["sentence"])
    return Item(id=new_id(), review_id=review_id, position=position, num_decisions=len(entry["decisions"]), **words)


def make_decisions(item: Item, entries: list, people: list[Person]) -> list[Decision]:
    """Makes the decisions on a point."""
    made = []
    for number, entry in enumerate(entries, start=1):
        words = take(entry, DECISION_WORDS)
        check_one_of("choice", words["choice"], CHOICES)
        check_one_of("outcome", words["outcome"], (*OUTCOMES, None))
        check_one_of("kind of proof", words["proof_kind"], (*PROOFS, None))
        who = {"owner_id": pick(people, "owner", entry), "decided_by_id": pick(people, "decided_by", entry)}
        made.append(Decision(id=new_id(), review_id=item.review_id, item_id=item.id, number=number, **words, **who))
    return made


def add_comments(session: Session, review_id: str, entries: list, people: list[Person], items: list[Item]) -> None:
    """Adds comments, questions before their answers."""
    stem = new_id()
    ids = [f"{stem}-{place:07d}" for place in range(len(entries))]  # in the order of the export
    waiting, threads = dict(enumerate(entries)), {}
    while waiting:
        ready = {
            place: entry for place, entry in waiting.items() if entry["parent"] is None or entry["parent"] in threads
        }
        if not ready:
            raise refusal("answers without a question")
        for place, entry in ready.items():
            threads[place] = threads[entry["parent"]] if entry["parent"] is not None else ids[place]
            session.add(make_comment(review_id, ids, place, threads[place], entry, people, items))
            del waiting[place]
        session.flush()
    for place, entry in enumerate(entries):
        for number, edit in enumerate(entry["edits"]):
            words = take(edit, ("text", "replaced_at"))
            session.add(CommentEdit(id=f"{ids[place]}-{number:05d}", comment_id=ids[place], **words))


def make_comment(
    review_id: str, ids: list[str], place: int, thread_id: str, entry: Mapping, people: list[Person], items: list[Item]
) -> Comment:
    """Makes a published comment."""
    told = dict(entry)
    if told["anchor_kind"] == "item":
        told["anchor_name"] = pick(items, "item", {"item": told["anchor_name"]})
    words = take(told, COMMENT_WORDS)
    Anchor(*(words[word] for word in ANCHOR_WORDS)).check()
    parent = None if entry["parent"] is None else ids[entry["parent"]]
    return Comment(
        id=ids[place], review_id=review_id, thread_id=thread_id, parent_id=parent, is_draft=False,
        author_id=pick(people, "author", entry), resolved_by_id=pick(people, "resolved_by", entry), **words,
    )  # fmt: skip
