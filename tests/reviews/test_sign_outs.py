import threading
import time

from sqlalchemy import select

from reviews import audit, open_store, sign_outs
from reviews.models import SignOut


def marks(store) -> list[str]:
    with store.looking() as session:
        return sorted(session.scalars(select(SignOut.mark)))


def test_a_sign_out_is_known_to_every_process_and_after_a_restart(url, store):
    sign_outs.add(store, "a" * 64, time.time() + 60)
    other = open_store(url)
    assert sign_outs.has(other, "a" * 64)
    assert not sign_outs.has(other, "b" * 64)
    other.close()


def test_those_that_are_over_anyway_are_forgotten_at_the_next_one(store):
    sign_outs.add(store, "past", time.time() - 1)
    sign_outs.add(store, "now", time.time() + 60)
    assert marks(store) == ["now"]


def test_the_same_one_from_many_tabs_at_once_is_kept_once(store):
    tabs = [threading.Thread(target=sign_outs.add, args=(store, "one", time.time() + 60)) for _ in range(8)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert marks(store) == ["one"]


def test_they_are_in_no_audit(store, team):
    before = len(audit.read(store, team.admin))
    sign_outs.add(store, "one", time.time() + 60)
    assert len(audit.read(store, team.admin)) == before
