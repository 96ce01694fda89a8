"""Who is named in a comment: `@` and the name or the subject of somebody in the list."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reviews.models import Comment, Mention, Person
from reviews.store import ReviewStore

MAX_MENTIONS = 100  # ours: of one comment; the others are text


def find_mentions(text: str, people: tuple[Person, ...]) -> set[str]:
    """Returns the ids of the people named after an @; of names that begin alike the longest counts."""
    names = [(word, person.id) for person in people for word in {person.name, person.subject}]
    found = set()
    for place in [place for place, sign in enumerate(text) if sign == "@"][:MAX_MENTIONS]:
        if text[max(0, place - 1) : place].isalnum():  # the @ of an e-mail names nobody
            continue
        rest = text[place + 1 :]
        fitting = [(len(word), who) for word, who in names if begins_with(rest, word)]
        longest = max((length for length, _ in fitting), default=0)
        found |= {who for length, who in fitting if length == longest}
    return found


def begins_with(text: str, word: str) -> bool:
    """Returns whether a text begins with a word that ends there, in large or small letters."""
    rest = text[len(word) :]
    return text[: len(word)].casefold() == word.casefold() and not (rest[:1].isalnum() or rest[:1] == "_")


def note_mentions(session: Session, comment: Comment) -> None:
    """Stores who is named in a comment; of a draft nobody learns."""
    session.execute(delete(Mention).where(Mention.comment_id == comment.id))
    if comment.is_draft or "@" not in comment.text:
        return
    people = tuple(session.scalars(select(Person).where(Person.role.is_not(None))))
    for person_id in find_mentions(comment.text, people):
        session.add(Mention(comment_id=comment.id, person_id=person_id))


def read(store: ReviewStore, actor: Person, num: int = 100) -> tuple[Comment, ...]:
    """Returns the comments that name the acting person, newest first."""
    with store.reading(actor) as (session, person):
        wanted = select(Comment).join(Mention, Mention.comment_id == Comment.id)
        wanted = wanted.where(Mention.person_id == person.id, ~Comment.is_draft)
        return tuple(session.scalars(wanted.order_by(Comment.written_at.desc(), Comment.id.desc()).limit(num)))
