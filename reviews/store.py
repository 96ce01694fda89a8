"""Opening the store of reviews, and the only two ways in: reading and writing, each by a person."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import event, func, select, text
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker

from analysis.runlog.layout import store_folder
from reviews import access
from reviews.engines import BUSY_MS, connect, is_sqlite, parse_url, reading_engine
from reviews.errors import ReviewError
from reviews.migrating import migrate
from reviews.models import Person
from reviews.recording import ACTOR, record

URL_VARIABLE = "STEADYSTEP_REVIEWS"
FILE = "reviews.db"


class ReviewStore:
    """A store of reviews; one object serves all threads of a process."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self._turn = threading.Lock() if is_sqlite(engine) else None
        self._write = sessionmaker(engine, expire_on_commit=False)
        self._read = sessionmaker(reading_engine(engine), expire_on_commit=False, autoflush=False)
        event.listen(self._write, "after_flush", record)

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """Lets the threads of a process write to SQLite one after another: its own waiting knows no turns."""
        if self._turn is None:
            yield
        elif self._turn.acquire(timeout=BUSY_MS / 1000):
            try:
                yield
            finally:
                self._turn.release()
        else:
            raise no_answer("others write for too long")

    @contextmanager
    def reading(self, actor: Person | None, role: str = "viewer") -> Iterator[tuple[Session, Person]]:
        """Gives (session, person) on one state of the store, if the person has the role."""
        with answering(), self._read.begin() as session:
            yield session, access.require(session, actor, role)

    @contextmanager
    def writing(self, actor: Person | None, role: str = "reviewer") -> Iterator[tuple[Session, Person]]:
        """Gives (session, person) of one transaction, if the person has the role; on disk when the block has ended."""
        with answering(), self._turn_to_write(), self._write.begin() as session:
            person = access.require(session, actor, role)
            session.info[ACTOR] = person
            yield session, person

    @contextmanager
    def founding(self, first: Person) -> Iterator[Session]:
        """Gives a session in which the first person adds themselves, if there is nobody yet."""
        with answering(), self._turn_to_write(), self._write.begin() as session:
            if not is_sqlite(self.engine):
                session.execute(text("LOCK TABLE people IN EXCLUSIVE MODE"))  # SQLite has one writer anyway
            if session.scalar(select(func.count()).select_from(Person)):
                raise ReviewError("The reviews have people already. Only an admin adds more. Ask one of them")
            session.info[ACTOR] = first
            yield session

    @contextmanager
    def enrolling(self, person: Person) -> Iterator[Session]:
        """Gives a session in which a checked login writes what it says of its own person; no role is asked."""
        with answering(), self._turn_to_write(), self._write.begin() as session:
            session.info[ACTOR] = person
            yield session

    @contextmanager
    def serving(self) -> Iterator[Session]:
        """Gives a session for what the server itself keeps, which no person asks for and no audit tells."""
        with answering(), self._turn_to_write(), self._write.begin() as session:
            yield session

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """Gives a session in which the server looks something up for itself; no role is asked."""
        with answering(), self._read.begin() as session:
            yield session

    def signed_in(self, subject: str) -> Person | None:
        """Returns the person of a login that was checked, or None where nobody of that subject has a role."""
        with self.looking() as session:
            person = session.scalar(select(Person).where(Person.subject == subject)) if "\0" not in subject else None
            return person if person is not None and person.role else None

    def close(self) -> None:
        """Ends all connections."""
        self.engine.dispose()


def open_store(url: str | URL | os.PathLike | None = None) -> ReviewStore:
    """Opens a store, made or brought up to date where needed.

    Args:
        url: A file, or a URL of SQLite or PostgreSQL; else $STEADYSTEP_REVIEWS, else reviews.db in the folder of the
            run store.

    Raises:
        ReviewError: It cannot be opened, or was made by a newer version.
    """
    engine = connect(parse_url(url or os.environ.get(URL_VARIABLE) or Path(store_folder()) / FILE))
    try:
        with answering():
            migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return ReviewStore(engine)


@contextmanager
def answering() -> Iterator[None]:
    """Turns a database that does not answer into a refusal; mistakes in our own statements stay loud."""
    try:
        yield
    except (IntegrityError, DataError, ProgrammingError):
        raise
    except (DBAPIError, PoolTimeoutError) as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
        raise no_answer(said[0][:160] if said else type(error).__name__) from error


def no_answer(reason: str) -> ReviewError:
    """Says that the store cannot be used now."""
    return ReviewError(
        f"The store of reviews does not answer ({reason}). It needs a reachable database with free space. "
        "Try again in a moment: nothing is stored twice"
    )
