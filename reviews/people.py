"""Who takes part, and in which role. Only admins change that; somebody is taken out of the list by role None."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from reviews.access import find_row
from reviews.errors import ReviewError
from reviews.models import ROLES, Person
from reviews.recording import ACTOR
from reviews.store import ReviewStore
from reviews.values import check_name, new_id, now


def add_first(store: ReviewStore, subject: str, name: str) -> Person:
    """Adds the first person of an empty store, an admin: there is nobody yet who could."""
    person = make_person(subject, name, "admin")
    with store.founding(person) as session:
        session.add(person)
    return person


def sign_in(store: ReviewStore, subject: str) -> Person | None:
    """Returns the person of a login that was checked elsewhere; None where they have no role."""
    return store.signed_in(subject)


def enroll(store: ReviewStore, subject: str, name: str, role: str | None) -> Person:
    """Takes over the name and role that a login says, which was checked elsewhere: it decides, no admin is asked.

    Args:
        store: The store.
        subject: Who, as the login calls them.
        name: What they are called.
        role: Their role from now on; None for none.
    """
    wanted = make_person(subject, name, role)
    try:
        return store_login(store, wanted)
    except IntegrityError:  # the same person came in through another window at this moment
        return store_login(store, wanted)


def store_login(store: ReviewStore, wanted: Person) -> Person:
    """Adds a person, or gives a known one the name and role of their login."""
    found = Person(id=wanted.id, subject=wanted.subject, name=wanted.name, role=wanted.role, added_at=wanted.added_at)
    with store.enrolling(found) as session:
        known = session.scalar(select(Person).where(Person.subject == wanted.subject).with_for_update(key_share=True))
        if known is None:
            session.add(found)
            return found
        session.info[ACTOR] = known
        known.name, known.role = wanted.name, wanted.role
    return known


def add(store: ReviewStore, actor: Person, subject: str, name: str, role: str | None) -> Person:
    """Adds a person; one who is in the list gets this name and role."""
    wanted = make_person(subject, name, role)
    with store.writing(actor, "admin") as (session, admin):
        admins = lock_admins(session, admin)
        person = session.scalar(select(Person).where(Person.subject == subject).with_for_update(key_share=True))
        if person is None:
            session.add(wanted)
            return wanted
        check_not_last(admins, person, role)
        person.name, person.role = wanted.name, wanted.role
    return person


def set_role(store: ReviewStore, actor: Person, person_id: str, role: str | None) -> Person:
    """Gives a person another role; None takes them out of the list, what they wrote stays."""
    check_role(role)
    with store.writing(actor, "admin") as (session, admin):
        admins = lock_admins(session, admin)
        person = find_row(session, Person, person_id)
        check_not_last(admins, person, role)
        person.role = role
    return person


def read(store: ReviewStore, actor: Person) -> tuple[Person, ...]:
    """Returns all who have a role, by name; an admin sees those who lost theirs, too."""
    with store.reading(actor) as (session, person):
        wanted = select(Person).order_by(Person.name, Person.id)
        return tuple(session.scalars(wanted if person.role == "admin" else wanted.where(Person.role.is_not(None))))


def make_person(subject: str, name: str, role: str | None) -> Person:
    """Makes a person after checking each word."""
    check_role(role)
    check_name("subject", subject)
    return Person(id=new_id(), subject=subject, name=check_name("name", name), role=role, added_at=now())


def check_role(role: str | None) -> None:
    """Refuses a role that is none."""
    if role not in (*ROLES, None):
        raise ReviewError(f"Role {str(role)[:40]!r} is unknown. It needs viewer, reviewer, admin or None. Choose one")


def lock_admins(session: Session, actor: Person) -> tuple[Person, ...]:
    """Returns the admins, and has other changes of them wait: two could take each other's role at once."""
    wanted = select(Person).where(Person.role == "admin").order_by(Person.id)
    admins = tuple(session.scalars(wanted.with_for_update(key_share=True).execution_options(populate_existing=True)))
    if actor not in admins:
        raise ReviewError(f"{actor.name} is no admin any more. This needs the role admin. Ask an admin for it")
    return admins


def check_not_last(admins: tuple[Person, ...], person: Person, role: str | None) -> None:
    """Refuses to take the role of the last admin."""
    if role != "admin" and [admin.id for admin in admins] == [person.id]:
        raise ReviewError(f"{person.name} is the only admin. One is needed. Make somebody else an admin first")
