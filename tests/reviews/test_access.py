import threading

import pytest

from reviews import (
    ReviewError,
    agenda,
    audit,
    bring_in,
    comments,
    decisions,
    evidence,
    exchange,
    mentions,
    new_id,
    people,
    screen,
    sign_offs,
    summary,
)
from tests.reviews.diagnoses import DIAGNOSIS

READING = {
    "list": lambda store, who, review, item, comment: agenda.list_reviews(store, who),
    "agenda": lambda store, who, review, item, comment: agenda.read(store, who, review),
    "diagnosis": lambda store, who, review, item, comment: agenda.read_diagnosis(store, who, review),
    "evidence": lambda store, who, review, item, comment: evidence.read(store, who, review),
    "threads": lambda store, who, review, item, comment: comments.read_threads(store, who, review),
    "edits": lambda store, who, review, item, comment: comments.read_edits(store, who, comment),
    "mentions": lambda store, who, review, item, comment: mentions.read(store, who),
    "screen": lambda store, who, review, item, comment: screen.read(store, who, review),
    "sign-offs": lambda store, who, review, item, comment: sign_offs.read(store, who, review),
    "audit": lambda store, who, review, item, comment: audit.read(store, who, review),
    "all audit": lambda store, who, review, item, comment: audit.read(store, who),
    "changes": lambda store, who, review, item, comment: audit.num_changes(store, who, review),
    "people": lambda store, who, review, item, comment: people.read(store, who),
    "export": lambda store, who, review, item, comment: exchange.export_review(store, who, review),
    "summary": lambda store, who, review, item, comment: summary.read(store, who, review),
}
WRITING = {
    "open": lambda store, who, review, item, comment: agenda.open_review(store, who, DIAGNOSIS, "f"),
    "question": lambda store, who, review, item, comment: agenda.add_question(store, who, review, "Why?"),
    "close": lambda store, who, review, item, comment: agenda.close(store, who, review, "", 1),
    "decide": lambda store, who, review, item, comment: decisions.decide(store, who, item, "reject", "No.", 1),
    "link": lambda store, who, review, item, comment: decisions.link_outcome(
        store, who, item, "confirmed", "run", "a", 1
    ),
    "comment": lambda store, who, review, item, comment: comments.write(store, who, review, "Hm.", new_id()),
    "draft": lambda store, who, review, item, comment: comments.write(
        store, who, review, "Hm.", new_id(), is_draft=True
    ),
    "edit": lambda store, who, review, item, comment: comments.edit(store, who, comment, "Hm.", 1),
    "publish": lambda store, who, review, item, comment: comments.publish(store, who, comment, 1),
    "discard": lambda store, who, review, item, comment: comments.discard(store, who, comment, 1),
    "resolve": lambda store, who, review, item, comment: comments.resolve(store, who, comment),
    "take over": lambda store, who, review, item, comment: screen.take_over(store, who, review),
    "show": lambda store, who, review, item, comment: screen.show(store, who, review, item),
    "sign": lambda store, who, review, item, comment: sign_offs.sign(store, who, review, "seen"),
}
ADMIN_ONLY = {
    "add": lambda store, who, review, item, comment: people.add(store, who, "eve@example.org", "Eve", "admin"),
    "set role": lambda store, who, review, item, comment: people.set_role(store, who, who.id, "admin"),
    "reopen": lambda store, who, review, item, comment: agenda.reopen(store, who, review, 1),
    "import": lambda store, who, review, item, comment: bring_in.import_review(store, who, {"schema": exchange.SCHEMA}),
}


@pytest.fixture
def things(store, team, review, items):
    comment = comments.write(store, team.ana, review.id, "Mine.", new_id())
    return review.id, items[0].id, comment.id


def answer(call, store, who, things) -> str:
    with pytest.raises(ReviewError) as caught:
        call(store, who, *things)
    return str(caught.value)


def test_the_tables_above_name_every_public_function_that_takes_a_person():
    modules = (agenda, audit, bring_in, comments, decisions, evidence, exchange, mentions, people)
    modules += (screen, sign_offs, summary)
    takes_person = {
        f"{module.__name__}.{name}"
        for module in modules
        for name, function in vars(module).items()
        if getattr(function, "__module__", "") == module.__name__
        and list(getattr(getattr(function, "__code__", None), "co_varnames", ()))[:2] == ["store", "actor"]
    }
    helpers = {"agenda.change_state", "comments.conflict_on", "decisions.conflict_on", "sign_offs.write_sign_off"}
    called = {
        f"{function.__globals__[module].__name__}.{name}"
        for function in (*READING.values(), *WRITING.values(), *ADMIN_ONLY.values())
        for module, name in [
            [word for word in function.__code__.co_names if word not in ("DIAGNOSIS", "id", "new_id")][:2]
        ]
    }
    assert takes_person - {f"reviews.{name}" for name in helpers} == called


def test_a_viewer_reads_everything_that_is_public(store, team, things):
    for call in READING.values():
        call(store, team.vera, *things)


def test_a_viewer_writes_nothing(store, team, things):
    before = audit.read(store, team.admin)
    answers = {answer(call, store, team.vera, things) for call in WRITING.values()}
    assert answers == {"Vera is a viewer. This needs the role reviewer. Ask an admin for it"}
    assert len(audit.read(store, team.admin)) == len(before)


def test_what_admins_do_nobody_else_does(store, team, things):
    for who in (team.vera, team.bob):
        for call in ADMIN_ONLY.values():
            assert "This needs the role admin" in answer(call, store, who, things)


def test_who_has_no_role_gets_one_answer_whether_a_thing_exists_or_not(store, team, things):
    answers = {
        answer(call, store, who, ids)
        for who in team.outsiders
        for ids in (things, ("no-such-id",) * 3)
        for calls in (READING, WRITING)
        for call in calls.values()
    }
    assert answers == {
        "You have no role in these reviews. A role of viewer, reviewer or admin is needed. Ask an admin for one"
    }


def test_a_role_that_is_taken_away_counts_at_once_whatever_the_page_still_holds(store, team, things):
    held = team.bob
    people.set_role(store, team.admin, held.id, None)
    assert held.role == "reviewer"
    assert "You have no role" in answer(WRITING["comment"], store, held, things)
    held.role = "admin"
    assert "You have no role" in answer(READING["agenda"], store, held, things)


def test_a_login_is_a_person_only_with_a_role(store, team):
    assert people.sign_in(store, "ana@example.org").name == "Ana"
    for subject in ("dan@example.org", "nobody@example.org", "ANA@example.org", "", "a\x00", "' OR '1'='1"):
        assert people.sign_in(store, subject) is None


def test_only_an_empty_store_takes_its_first_person_unasked(store, team):
    with pytest.raises(ReviewError, match="Only an admin adds more"):
        people.add_first(store, "eve@example.org", "Eve")
    assert people.sign_in(store, "eve@example.org") is None


def test_of_many_who_want_to_be_first_one_is(store):
    start, firsts, refused = threading.Barrier(6), [], []

    def found(number):
        start.wait()
        try:
            firsts.append(people.add_first(store, f"{number}@example.org", f"Person {number}"))
        except ReviewError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=found, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(firsts), len(refused)) == (1, 5)
    assert [person.id for person in people.read(store, firsts[0])] == [firsts[0].id]


def test_the_last_admin_stays_even_when_two_take_each_others_role_at_once(store, team):
    with pytest.raises(ReviewError, match="the only admin"):
        people.set_role(store, team.admin, team.admin.id, "viewer")
    people.set_role(store, team.admin, team.bob.id, "admin")
    start = threading.Barrier(2)

    def demote(by, whom):
        start.wait()
        try:
            people.set_role(store, by, whom.id, None)
        except ReviewError:
            return

    threads = [threading.Thread(target=demote, args=pair) for pair in ((team.admin, team.bob), (team.bob, team.admin))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    left = [who for who in (team.admin, team.bob) if people.sign_in(store, who.subject)]
    assert len(left) == 1
    assert people.sign_in(store, left[0].subject).role == "admin"


def test_people_without_a_role_are_seen_by_admins_only(store, team):
    assert [person.name for person in people.read(store, team.admin)] == ["Adam", "Ana", "Bob", "Dan", "Vera"]
    assert [person.name for person in people.read(store, team.vera)] == ["Adam", "Ana", "Bob", "Vera"]


@pytest.mark.parametrize("role", ["root", "", "Admin", 1])
def test_an_unknown_role_is_refused(store, team, role):
    with pytest.raises(ReviewError, match="It needs viewer, reviewer, admin or None"):
        people.set_role(store, team.admin, team.bob.id, role)
