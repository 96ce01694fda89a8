import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from analysis.runlog import list_studies
from reviews import ReviewError, agenda, comments, engines, new_id, open_store, people, screen
from reviews.engines import connect, parse_url
from reviews.migrating import FOLDER, KNOWN, NEWEST, current_revision, migrate
from reviews.models import Base

ROOT = Path(__file__).parents[2]
OLD_ROWS = """
INSERT INTO people VALUES ('p1', 'ana@example.org', 'Ana', 'admin', 't0'), ('p2', 'b', 'Bob', 'reviewer', 't0');
INSERT INTO reviews VALUES ('r1', 's', 'f', 'Old', 'open', '', 'p1', 't1', NULL, 1);
INSERT INTO reviews VALUES ('r2', 's', 'f', 'Empty', 'open', '', 'p2', 't2', NULL, 1);
INSERT INTO snapshots VALUES ('r1', '{"findings": [], "fixes": []}', 'd');
INSERT INTO items VALUES ('i1', 'r1', 1, 'finding', 'range-end', 9, '{"sentence": "Small."}', 0, 1);
INSERT INTO items VALUES ('i2', 'r1', 2, 'question', 'question', 0, '{"sentence": "Why?"}', 0, 1);
INSERT INTO comments (id, review_id, parent_id, author_id, anchor_kind, text, is_draft, written_at, version) VALUES
  ('c1', 'r1', NULL, 'p1', 'review', 'Root.', false, 't1', 1),
  ('c2', 'r1', 'c1', 'p2', 'review', 'Answer.', false, 't2', 1),
  ('c3', 'r1', 'c2', 'p1', 'review', 'Answer to it.', false, 't3', 1),
  ('c4', 'r1', NULL, 'p2', 'review', 'Other.', false, 't4', 1)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """A store without a table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/reviews.db"
    server = request.getfixturevalue("server")
    return server.url(server.make_database())


def test_the_migrations_make_the_tables_of_the_models_to_the_column(store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_known_revisions_are_those_of_the_folder():
    assert tuple(revision.revision for revision in ScriptDirectory(FOLDER).walk_revisions())[::-1] == KNOWN
    assert len(KNOWN) >= 2


def test_a_store_of_the_first_schema_is_brought_up_to_date_with_all_it_holds(empty_url):
    engine = connect(parse_url(empty_url))
    migrate(engine, KNOWN[0])
    with engine.begin() as connection:
        for statement in OLD_ROWS.split(";\n"):
            connection.execute(text(statement))
    engine.dispose()
    store = open_store(empty_url)
    ana = people.sign_in(store, "ana@example.org")
    threads = comments.read_threads(store, ana, "r1")
    assert [(t.root.text, [reply.text for reply in t.replies]) for t in threads] == [
        ("Root.", ["Answer.", "Answer to it."]),
        ("Other.", []),
    ]
    assert [entry.item.title for entry in agenda.read(store, ana, "r1").items] == ["Small.", "Why?"]
    assert (screen.read(store, ana, "r1").item_id, screen.read(store, ana, "r1").presenter.name) == ("i1", "Ana")
    assert (screen.read(store, ana, "r2").item_id, screen.read(store, ana, "r2").presenter.name) == (None, "Bob")
    comments.write(store, ana, "r1", "New.", new_id(), parent_id="c3")
    assert len(comments.read_threads(store, ana, "r1")[0].replies) == 3
    store.close()


def test_processes_that_open_a_new_store_at_once_make_its_tables_once(empty_url):
    code = "import sys; sys.stdin.readline(); from reviews import open_store; open_store().close()"
    environment = os.environ | {"STEADYSTEP_REVIEWS": empty_url}
    opening = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment
        )
        for _ in range(3)
    ]
    for process in opening:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in opening] == [b""] * 3
    assert [process.returncode for process in opening] == [0] * 3
    store = open_store(empty_url)
    with store.engine.connect() as connection:
        assert current_revision(connection) == NEWEST
    store.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(empty_url):
    engine = connect(parse_url(empty_url))
    migrate(engine, KNOWN[0])
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE sign_offs (x INTEGER)"))  # which the second revision wants to make
    with pytest.raises(Exception, match="already exists"):
        migrate(engine)
    with engine.connect() as connection:
        assert current_revision(connection) == KNOWN[0]
        assert "thread_id" not in {column["name"] for column in inspect(connection).get_columns("comments")}
        assert not inspect(connection).has_table("screens")
    engine.dispose()


def test_a_store_of_a_newer_version_is_left_alone(empty_url):
    store = open_store(empty_url)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(ReviewError, match=r"newer version \(schema 9999\).*Update Steadystep"):
        open_store(empty_url)


def test_without_a_url_the_reviews_lie_in_the_run_store_and_are_no_study(tmp_path, monkeypatch):
    monkeypatch.delenv("STEADYSTEP_REVIEWS", raising=False)
    monkeypatch.setenv("STEADYSTEP_STORE", str(tmp_path / "studies"))
    store = open_store()
    people.add_first(store, "a", "Ana")
    store.close()
    path = tmp_path / "studies" / "reviews.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list_studies() == ()


def test_what_sqlite_acknowledges_is_on_disk(store, url):
    if store.engine.dialect.name != "sqlite":
        settings = {"fsync": "on", "synchronous_commit": "on", "lock_timeout": "1min"}
        ask = "SHOW {}"
    else:
        settings = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 60_000}
        ask = "PRAGMA {}"
    with store.engine.connect() as connection:
        assert {name: connection.execute(text(ask.format(name))).scalar() for name in settings} == settings


@pytest.mark.parametrize(
    "url", ["mysql://u:hush@h/d", "sqlite://", "sqlite:///:memory:", "http://hush@x", "://hush", "x://["]
)
def test_another_kind_of_url_is_refused_without_its_password(url):
    with pytest.raises(ReviewError, match=r"sqlite:///FILE or postgresql://") as caught:
        open_store(url)
    assert "hush" not in str(caught.value)


def test_a_store_that_cannot_be_opened_says_so_in_one_line(tmp_path, server):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "other.db").write_text("no database, but long enough to be taken for one\n" * 50)
    gone = server.url("no_such_database")
    for url in (tmp_path / "file" / "reviews.db", tmp_path / "other.db", gone, gone.replace(f":{server.port}", ":1")):
        with pytest.raises(ReviewError) as caught:
            open_store(url)
        assert "\n" not in str(caught.value)
        assert server.password not in str(caught.value)


def test_a_writer_that_waits_too_long_says_so_and_can_send_again(store, url, team, review, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_MS", 50)
    hasty, name = open_store(url), new_id()
    with store.engine.begin() as connection:  # which on SQLite takes the only lock there is
        if connection.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE comments IN EXCLUSIVE MODE"))
        with pytest.raises(ReviewError, match=r"does not answer \(.*lock.*\).*nothing is stored twice") as caught:
            comments.write(hasty, team.ana, review.id, "Late.", name)
    assert "\n" not in str(caught.value)
    comments.write(hasty, team.ana, review.id, "Late.", name)
    assert [thread.root.text for thread in comments.read_threads(hasty, team.ana, review.id)] == ["Late."]
    hasty.close()


def test_a_reader_sees_one_state_while_others_write(store, team, review):
    with store.reading(team.vera) as (session, _):
        count = text("SELECT count(*) FROM comments")
        before = session.execute(count).scalar()
        writer = threading.Thread(target=comments.write, args=(store, team.ana, review.id, "Now.", new_id()))
        writer.start()
        writer.join()
        assert session.execute(count).scalar() == before
    assert len(comments.read_threads(store, team.vera, review.id)) == 1
