import threading

import pytest

from reviews import ReviewError, agenda, audit, people


def test_a_login_adds_its_person_and_later_brings_their_name_and_role_up_to_date(store, team):
    eve = people.enroll(store, "eve", "Eve", "viewer")
    assert people.sign_in(store, "eve").role == "viewer"
    again = people.enroll(store, "eve", "Eve E.", "reviewer")
    assert again.id == eve.id
    assert (people.sign_in(store, "eve").name, people.sign_in(store, "eve").role) == ("Eve E.", "reviewer")


def test_a_login_that_says_no_role_takes_the_role_at_once_also_of_the_last_admin(store, team):
    people.enroll(store, team.admin.subject, "Adam", None)
    assert people.sign_in(store, team.admin.subject) is None
    with pytest.raises(ReviewError, match="You have no role"):
        agenda.list_reviews(store, team.admin)


def test_a_login_gives_a_role_to_somebody_that_an_import_has_added_without_one(store, team):
    assert people.sign_in(store, "dan@example.org") is None
    assert people.enroll(store, "dan@example.org", "Dan", "viewer").id == team.dan.id
    assert people.sign_in(store, "dan@example.org").role == "viewer"


def test_what_a_login_changes_is_in_the_audit_by_that_person(store, team):
    people.enroll(store, "eve", "Eve", "viewer")
    people.enroll(store, "eve", "Eve", "reviewer")
    entries = audit.read(store, team.admin)[:2]
    assert [(entry.person_name, entry.action) for entry in entries] == [("Eve", "changed"), ("Eve", "created")]
    assert entries[0].before == {"role": "viewer"}
    assert entries[0].after == {"role": "reviewer"}


def test_the_same_person_in_many_windows_at_once_is_added_once(store, team):
    found = []
    windows = [
        threading.Thread(target=lambda: found.append(people.enroll(store, "eve", "Eve", "viewer"))) for _ in range(8)
    ]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert len(found) == 8
    assert len({person.id for person in found}) == 1
    assert [person.name for person in people.read(store, team.admin)].count("Eve") == 1


@pytest.mark.parametrize(("subject", "name", "role"), [("", "Eve", "viewer"), ("e\n", "Eve", "viewer"), ("e", "", "x")])
def test_words_that_cannot_be_stored_are_refused(store, team, subject, name, role):
    with pytest.raises(ReviewError):
        people.enroll(store, subject, name, role)
