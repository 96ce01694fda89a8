"""Every test of a store runs on SQLite and on a real PostgreSQL server."""

import shutil
from dataclasses import dataclass

import pytest

from reviews import Person, ReviewStore, agenda, open_store, people
from reviews.models import Base
from tests.reviews.diagnoses import DIAGNOSIS
from tests.reviews.postgresql import Server

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Team:
    """An admin, two reviewers, a viewer, one who lost their role, and one who was never in the list."""

    admin: Person
    ana: Person
    bob: Person
    vera: Person
    dan: Person
    stranger: Person

    @property
    def outsiders(self) -> tuple[Person | None, ...]:
        return self.dan, self.stranger, None


@pytest.fixture(scope="session")
def server():
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_database(server):
    name = server.make_database()
    open_store(server.url(name)).close()
    return name


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("empty") / "reviews.db"
    open_store(path).close()
    return path


@pytest.fixture(params=KINDS)
def url(request, tmp_path):
    """A store with all tables and nobody in it."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_file"), tmp_path / "reviews.db")
        return f"sqlite:///{tmp_path}/reviews.db"
    server = request.getfixturevalue("server")
    name = request.getfixturevalue("shared_database")  # making one for each test takes most of the time
    server.empty_database(name, Base.metadata.tables)
    return server.url(name)


@pytest.fixture
def store(url) -> ReviewStore:
    store = open_store(url)
    yield store
    store.close()


@pytest.fixture
def team(store) -> Team:
    admin = people.add_first(store, "admin@example.org", "Adam")
    rest = [("ana@example.org", "Ana", "reviewer"), ("bob@example.org", "Bob", "reviewer")]
    rest += [("vera@example.org", "Vera", "viewer"), ("dan@example.org", "Dan", None)]
    stranger = Person(id="stranger", subject="s@example.org", name="Stranger", role="admin", added_at="")
    return Team(admin, *(people.add(store, admin, *who) for who in rest), stranger)


@pytest.fixture
def review(store, team):
    return agenda.open_review(store, team.ana, DIAGNOSIS, "fingerprint-1")


@pytest.fixture
def items(store, team, review):
    return [entry.item for entry in agenda.read(store, team.ana, review.id).items]
