import threading

import pytest

from reviews import ReviewConflict, ReviewError, agenda, comments, decisions, new_id, sign_offs


def decided(store, team, review, place=0):
    return agenda.read(store, team.vera, review.id).items[place]


def test_a_decision_has_owner_and_reason_and_earlier_ones_are_kept(store, team, review, items):
    decisions.decide(store, team.ana, items[0].id, "probe", "Not sure yet.", 1)
    seen = decided(store, team, review).item.version
    decisions.decide(
        store, team.bob, items[0].id, "accept", "The probe shows it.", seen, owner_id=team.ana.id, fix="warmup"
    )
    entry = decided(store, team, review)
    assert [made.choice for made in entry.decisions] == ["probe", "accept"]
    assert (entry.decision.fix, entry.decision.reason) == ("warmup", "The probe shows it.")
    assert (entry.decision.owner.name, entry.decision.decided_by.name) == ("Ana", "Bob")
    assert entry.decisions[0].owner.name == "Ana"


def test_a_fix_that_is_accepted_is_one_of_the_diagnosis(store, team, review, items):
    with pytest.raises(ReviewError, match="needs one of: warmup, clipping, optimizer, lower-lr"):
        decisions.decide(store, team.ana, items[0].id, "accept", "Why not?", 1, fix="prayer")
    with pytest.raises(ReviewError, match="fix to accept"):
        decisions.decide(store, team.ana, items[0].id, "accept", "Which?", 1)
    assert decisions.decide(store, team.ana, items[3].id, "accept", "Yes.", 1).fix == "clipping"


@pytest.mark.parametrize(("choice", "reason"), [("maybe", "x"), ("reject", ""), ("reject", " \n")])
def test_a_decision_without_choice_or_reason_is_refused(store, team, review, items, choice, reason):
    with pytest.raises(ReviewError):
        decisions.decide(store, team.ana, items[0].id, choice, reason, 1)
    assert decided(store, team, review).decision is None


def test_an_owner_has_a_role(store, team, items):
    with pytest.raises(ReviewError, match="Dan has no role"):
        decisions.decide(store, team.ana, items[0].id, "reject", "No.", 1, owner_id=team.dan.id)


def test_the_slower_of_two_sees_the_other_decision_and_loses_nothing(store, team, review, items):
    decisions.decide(store, team.ana, items[0].id, "reject", "Noise.", 1)
    with pytest.raises(ReviewConflict, match="Ana decided 'reject' on this point meanwhile") as caught:
        decisions.decide(store, team.bob, items[0].id, "probe", "My reason.", 1)
    theirs = caught.value.theirs
    assert (theirs.choice, theirs.reason, theirs.decided_by.name) == ("reject", "Noise.", "Ana")
    comments.write(store, team.bob, review.id, "My reason.", new_id())
    again = decided(store, team, review).item.version
    decisions.decide(store, team.bob, items[0].id, "probe", "My reason.", again)
    assert [made.reason for made in decided(store, team, review).decisions] == ["Noise.", "My reason."]


def test_of_eight_who_decide_at_the_same_moment_one_is_stored_and_seven_see_it(store, team, review, items):
    start, stored, conflicts = threading.Barrier(8), [], []

    def decide(number):
        start.wait()
        try:
            stored.append(decisions.decide(store, team.ana, items[0].id, "leave", f"Reason {number}", 1))
        except ReviewConflict as conflict:
            conflicts.append(conflict.theirs.reason)

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [made.reason for made in decided(store, team, review).decisions] == [made.reason for made in stored]
    assert len(stored) == 1
    assert conflicts == [stored[0].reason] * 7


def test_the_same_decision_sent_again_is_no_conflict(store, team, review, items):
    first = decisions.decide(store, team.ana, items[0].id, "reject", "Noise.", 1)
    assert decisions.decide(store, team.ana, items[0].id, "reject", "Noise.", 1).id == first.id
    assert len(decided(store, team, review).decisions) == 1


def test_a_decision_is_linked_to_what_confirmed_it_after_the_review_is_closed_too(store, team, review, items):
    made = decisions.decide(store, team.ana, items[3].id, "accept", "Yes.", 1)
    agenda.close(store, team.ana, review.id, "", seen=review.version)
    decisions.link_outcome(store, team.bob, made.id, "confirmed", "run", "01ABC", seen=made.version)
    kept = decided(store, team, review, 3).decision
    assert (kept.outcome, kept.proof_kind, kept.proof) == ("confirmed", "run", "01ABC")
    with pytest.raises(ReviewConflict, match="called confirmed meanwhile"):
        decisions.link_outcome(store, team.ana, made.id, "refuted", "ledger", "2026-11-28", seen=made.version)


def test_a_sign_off_is_for_the_decisions_that_were_seen(store, team, review, items):
    seen = agenda.read(store, team.bob, review.id).digest
    sign_offs.sign(store, team.bob, review.id, seen)
    sign_offs.sign(store, team.bob, review.id, seen)
    assert [(s.sign_off.person.name, s.is_current) for s in sign_offs.read(store, team.vera, review.id)] == [
        ("Bob", True)
    ]
    decisions.decide(store, team.ana, items[0].id, "reject", "Noise.", 1)
    assert [signed.is_current for signed in sign_offs.read(store, team.vera, review.id)] == [False]
    with pytest.raises(ReviewConflict, match="You sign what you have seen"):
        sign_offs.sign(store, team.bob, review.id, seen)


def test_who_decided_themselves_since_has_seen_that(store, team, review, items):
    seen = agenda.read(store, team.ana, review.id).digest
    decisions.decide(store, team.ana, items[0].id, "reject", "Noise.", 1)
    decisions.decide(store, team.ana, items[1].id, "leave", "As it is.", 1)
    sign_offs.sign(store, team.ana, review.id, seen)
    assert [signed.is_current for signed in sign_offs.read(store, team.vera, review.id)] == [True]
    decisions.decide(store, team.bob, items[2].id, "leave", "Not mine.", 1)
    decisions.decide(store, team.ana, items[3].id, "leave", "Mine again.", 1)
    with pytest.raises(ReviewConflict, match="You sign what you have seen"):
        sign_offs.sign(store, team.ana, review.id, seen)
