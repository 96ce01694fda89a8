import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from reviews import ReviewConflict, agenda, audit, comments, decisions, new_id, open_store

COLUMNS = "id, at, person_id, person_name, action, kind, object_id, is_private"
CHANGES = {
    "update": "UPDATE {table} SET {column} = 'forged'",
    "delete": "DELETE FROM {table}",
    "replace": "INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
    "upsert": "INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT (id) DO UPDATE SET {column} = 'forged'",
    "truncate": "TRUNCATE {table} CASCADE",
}


def test_every_change_is_told_with_who_when_and_what_before_and_after(store, team, review, items):
    decisions.decide(store, team.bob, items[0].id, "reject", "Noise.", 1)
    agenda.close(store, team.ana, review.id, "Done.", seen=review.version)
    newest = audit.read(store, team.vera, review.id)
    closed, decision, item = newest[0], newest[1], newest[2]
    assert (closed.person_name, closed.action, closed.kind, closed.object_id) == (
        "Ana",
        "changed",
        "reviews",
        review.id,
    )
    assert (closed.before["state"], closed.after["state"]) == ("open", "closed")
    assert closed.before.keys() == closed.after.keys() == {"state", "words", "closed_at"}
    assert (decision.person_name, decision.action, decision.before) == ("Bob", "created", None)
    assert (decision.after["reason"], decision.after["item_id"]) == ("Noise.", items[0].id)
    assert (item.before, item.after) == ({"num_decisions": 0}, {"num_decisions": 1})
    assert newest[0].at >= newest[1].at >= review.opened_at


def test_a_change_that_fails_leaves_no_entry(store, team, review, items):
    decisions.decide(store, team.bob, items[0].id, "reject", "Noise.", 1)
    before = audit.num_changes(store, team.bob, review.id)
    with pytest.raises(ReviewConflict):
        decisions.decide(store, team.ana, items[0].id, "accept", "Late.", 1, fix="warmup")
    assert audit.num_changes(store, team.bob, review.id) == before


@pytest.mark.parametrize("table", ["audit", "comment_edits"])
@pytest.mark.parametrize("change", CHANGES)
def test_the_database_itself_refuses_to_change_what_was_written(store, team, review, table, change):
    kind = store.engine.dialect.name
    comment = comments.write(store, team.ana, review.id, "First.", new_id())
    comments.edit(store, team.ana, comment.id, "Second.", comment.version)
    statement = CHANGES[change].format(table=table, column="person_name" if table == "audit" else "text")
    with store.engine.connect() as connection:
        rows = connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).all()
    with pytest.raises(DatabaseError) as caught, store.engine.begin() as connection:
        connection.execute(text(statement))
    unknown = {"postgresql": {"replace"}, "sqlite": {"truncate"}}[kind]
    assert ("syntax error" if change in unknown else f"{table} can only grow") in str(caught.value)
    with store.engine.connect() as connection:
        assert connection.execute(text(f"SELECT * FROM {table} ORDER BY id")).all() == rows
    assert rows


def test_the_entries_of_a_review_are_read_page_by_page(store, team, review):
    for _ in range(5):
        comments.write(store, team.ana, review.id, "Hm.", new_id())
    everything = audit.read(store, team.ana, review.id)
    first = audit.read(store, team.ana, review.id, num=4)
    rest = audit.read(store, team.ana, review.id, before_id=first[-1].id)
    assert [entry.id for entry in (*first, *rest)] == [entry.id for entry in everything]


def test_the_number_of_changes_grows_for_those_who_may_see_them(store, team, review):
    before = audit.num_changes(store, team.bob, review.id)
    draft = comments.write(store, team.ana, review.id, "Hm.", new_id(), is_draft=True)
    assert audit.num_changes(store, team.bob, review.id) == before
    assert audit.num_changes(store, team.ana, review.id) == before + 1
    comments.publish(store, team.ana, draft.id, draft.version)
    assert audit.num_changes(store, team.bob, review.id) == before + 1


def test_the_audit_outlives_the_process(url, store, team, review):
    other = open_store(url)
    assert [entry.id for entry in audit.read(other, team.vera)] == [entry.id for entry in audit.read(store, team.vera)]
    other.close()
