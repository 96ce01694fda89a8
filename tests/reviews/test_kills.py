"""The store under kill -9: of the dashboard that writes, and of the database server."""

import subprocess

import pytest
from sqlalchemy import text

from reviews import Person, audit, comments, open_store, people
from tests.bench.reviews import add_writers, hammer, start_writers
from tests.reviews.postgresql import Server

NUM_WRITERS, NEVER_ENDS = 4, 10**6
ROUNDS = (3, 40, 90)  # acknowledged comments before the kill


@pytest.fixture
def own_server():
    """A server that may be killed."""
    server = Server()
    server.start()
    yield server
    server.stop()


def read_until_killed(process: subprocess.Popen, num: int, kill) -> set[str]:
    """Reads `num` acknowledged ids, kills, and returns all that were acknowledged by then."""
    acknowledged = [process.stdout.readline().strip() for _ in range(num)]
    kill()
    rest, _ = process.communicate()
    assert process.returncode is not None
    return {*acknowledged, *rest.split()}


def check_all(url: str, admin: Person, review_id: str, acknowledged: set[str]) -> None:
    """Every acknowledged comment is there, once, with its entry in the audit; sent again, it is not doubled."""
    store = open_store(url)
    stored = [thread.root.id for thread in comments.read_threads(store, admin, review_id)]
    entries = [entry.object_id for entry in audit.read(store, admin, review_id, num=10**6) if entry.kind == "comments"]
    assert len(acknowledged) >= sum(ROUNDS)
    assert acknowledged <= set(stored)
    assert len(stored) - len(acknowledged) <= NUM_WRITERS * len(ROUNDS)  # in flight at each kill
    assert sorted(stored) == sorted(entries) == sorted(set(stored))
    name = min(acknowledged)
    writer = people.sign_in(store, f"writer-{int(name.split('-')[1])}")
    assert comments.write(store, writer, review_id, "sent again", name).text != "sent again"
    assert len(comments.read_threads(store, admin, review_id)) == len(stored)
    store.close()


def test_kills_of_a_dashboard_lose_no_acknowledged_comment_of_sqlite(tmp_path):
    url = f"sqlite:///{tmp_path}/reviews.db"
    store = open_store(url)
    admin, review_id = add_writers(store, NUM_WRITERS * len(ROUNDS))
    acknowledged = set()
    for place, num in enumerate(ROUNDS):
        process = start_writers(url, review_id, place * NUM_WRITERS, NUM_WRITERS, NEVER_ENDS)
        acknowledged |= read_until_killed(process, num, process.kill)
        with store.engine.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    store.close()
    check_all(url, admin, review_id, acknowledged)


def test_kills_of_the_postgresql_server_lose_no_acknowledged_comment(own_server):
    url = own_server.url(own_server.make_database())
    store = open_store(url)
    admin, review_id = add_writers(store, NUM_WRITERS * len(ROUNDS))
    acknowledged = set()
    for place, num in enumerate(ROUNDS):
        process = start_writers(url, review_id, place * NUM_WRITERS, NUM_WRITERS, NEVER_ENDS)
        acknowledged |= read_until_killed(process, num, own_server.kill)
        own_server.start()
    # a dashboard that was open all the while goes on by itself
    assert len(comments.read_threads(store, admin, review_id)) >= len(acknowledged)
    store.close()
    check_all(url, admin, review_id, acknowledged)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_fifty_people_who_write_at_once_lose_and_double_nothing(kind, request, tmp_path):
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/reviews.db"
    else:
        server = request.getfixturevalue("server")
        url = server.url(server.make_database())
    done = hammer(url, num_writers=50, num=40, num_processes=5)
    assert (done.num_sent, done.num_lost, done.num_doubled) == (2000, 0, 0)
