import threading

import pytest

from reviews import ReviewConflict, ReviewError, agenda, audit, comments, mentions, new_id
from reviews.anchors import Anchor
from tests.reviews.diagnoses import NAMES


def texts(store, person, review, anchor=None):
    threads = comments.read_threads(store, person, review.id, anchor)
    return [[thread.root.text, *(reply.text for reply in thread.replies)] for thread in threads]


def test_answers_stand_in_the_thread_of_their_question(store, team, review):
    first = comments.write(store, team.ana, review.id, "Why?", new_id(), Anchor("run", "a"))
    second = comments.write(store, team.bob, review.id, "Look at step 5.", new_id(), parent_id=first.id)
    comments.write(store, team.ana, review.id, "I see.", new_id(), parent_id=second.id)
    comments.write(store, team.bob, review.id, "Another thing.", new_id())
    assert texts(store, team.vera, review) == [["Why?", "Look at step 5.", "I see."], ["Another thing."]]
    assert texts(store, team.vera, review, Anchor("run", "a")) == [["Why?", "Look at step 5.", "I see."]]


@pytest.mark.parametrize(
    "anchor",
    [
        Anchor(),
        Anchor("run", "a"),
        Anchor("steps", "a", 0, 2**40),
        Anchor("finding", "range-end"),
        Anchor("figure", "f"),
    ],
)
def test_a_thread_is_about_a_run_steps_a_finding_or_a_figure(store, team, review, anchor):
    comments.write(store, team.ana, review.id, "Here.", new_id(), anchor)
    assert [thread.anchor for thread in comments.read_threads(store, team.vera, review.id)] == [anchor]


@pytest.mark.parametrize(
    "anchor",
    [
        Anchor("run"), Anchor("review", "a"), Anchor("planet", "a"), Anchor("run", "a", 1, 2), Anchor("steps", "a"),
        Anchor("steps", "a", 5, 4), Anchor("steps", "a", -1, 4), Anchor("steps", "a", 0, 2**63),
        Anchor("steps", "a", 0.5, 4), Anchor("steps", "a", True, 4), Anchor("run", "x" * 201), Anchor("item", "none"),
    ],
)  # fmt: skip
def test_an_anchor_that_points_nowhere_is_refused(store, team, review, anchor):
    with pytest.raises(ReviewError):
        comments.write(store, team.ana, review.id, "Here.", new_id(), anchor)
    assert texts(store, team.ana, review) == []


def test_a_comment_sent_again_is_stored_once(store, team, review):
    name = new_id()
    first = comments.write(store, team.ana, review.id, "Once.", name)
    again = comments.write(store, team.ana, review.id, "Once.", name)
    assert (again.id, again.text) == (first.id, "Once.")
    assert texts(store, team.ana, review) == [["Once."]]


def test_a_comment_sent_again_after_the_review_was_closed_was_stored_before(store, team, review):
    name = comments.write(store, team.ana, review.id, "In time.", new_id()).id
    agenda.close(store, team.bob, review.id, "", seen=review.version)
    assert comments.write(store, team.ana, review.id, "In time.", name).id == name
    with pytest.raises(ReviewError, match="was closed on"):
        comments.write(store, team.ana, review.id, "Too late.", new_id())


def test_a_comment_sent_eight_times_at_the_same_moment_is_stored_once(store, team, review):
    name, start, answers = new_id(), threading.Barrier(8), []

    def send():
        start.wait()
        answers.append(comments.write(store, team.ana, review.id, "Once.", name).id)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [name] * 8
    assert texts(store, team.ana, review) == [["Once."]]
    assert sum(entry.kind == "comments" for entry in audit.read(store, team.ana, review.id)) == 1


def test_an_id_of_somebody_else_is_refused(store, team, review):
    name = comments.write(store, team.ana, review.id, "Mine.", new_id()).id
    with pytest.raises(ReviewError, match="is taken"):
        comments.write(store, team.bob, review.id, "Mine.", name)
    for wrong in ("", "short", "x" * 65, "with space in it", "../../etc/passwd", "' OR 1=1 --", None, "ok-id-\x00-end"):
        with pytest.raises(ReviewError, match="Make it with new_id"):
            comments.write(store, team.bob, review.id, "Mine.", wrong)
    assert texts(store, team.ana, review) == [["Mine."]]


def test_an_edit_keeps_what_was_there_before(store, team, review):
    comment = comments.write(store, team.ana, review.id, "First.", new_id())
    for text in ("Second.", "Third."):
        comment = comments.edit(store, team.ana, comment.id, text, comment.version)
    assert texts(store, team.vera, review) == [["Third."]]
    assert [edit.text for edit in comments.read_edits(store, team.vera, comment.id)] == ["First.", "Second."]


def test_an_edit_in_two_windows_is_a_conflict_that_shows_the_newest_text(store, team, review):
    comment = comments.write(store, team.ana, review.id, "First.", new_id())
    comments.edit(store, team.ana, comment.id, "Second.", comment.version)
    with pytest.raises(ReviewConflict) as caught:
        comments.edit(store, team.ana, comment.id, "Other.", 1)
    assert caught.value.theirs.text == "Second."


def test_only_the_author_edits(store, team, review):
    comment = comments.write(store, team.ana, review.id, "Mine.", new_id())
    for person in (team.bob, team.admin):
        with pytest.raises(ReviewError, match="Ana wrote this"):
            comments.edit(store, person, comment.id, "Yours.", comment.version)
    assert texts(store, team.ana, review) == [["Mine."]]


def test_a_draft_is_seen_by_its_author_alone_and_its_text_by_no_audit(store, team, review):
    draft = comments.write(store, team.ana, review.id, "A secret for @Bob.", new_id(), is_draft=True)
    draft = comments.edit(store, team.ana, draft.id, "A better secret for @Bob.", draft.version)
    assert texts(store, team.ana, review) == [["A better secret for @Bob."]]
    for other in (team.admin, team.bob, team.vera):
        assert texts(store, other, review) == []
        assert mentions.read(store, other) == ()
        assert [entry for entry in audit.read(store, other) if entry.object_id == draft.id] == []
        with pytest.raises(ReviewError, match="There is no comment"):
            comments.read_edits(store, other, draft.id)
    for call in (
        lambda: comments.write(store, team.bob, review.id, "Re.", new_id(), parent_id=draft.id),
        lambda: comments.edit(store, team.bob, draft.id, "Mine now.", draft.version),
        lambda: comments.publish(store, team.admin, draft.id, draft.version),
        lambda: comments.discard(store, team.bob, draft.id, draft.version),
        lambda: comments.resolve(store, team.bob, draft.id),
    ):
        with pytest.raises(ReviewError, match=f"There is no comment '{draft.id}'"):
            call()
    comments.publish(store, team.ana, draft.id, draft.version)
    assert texts(store, team.vera, review) == [["A better secret for @Bob."]]
    assert comments.read_edits(store, team.vera, draft.id) == ()
    assert [comment.id for comment in mentions.read(store, team.bob)] == [draft.id]
    told = next(entry for entry in audit.read(store, team.vera, review.id) if entry.object_id == draft.id)
    assert (told.action, told.before, told.after["text"]) == (
        "changed",
        {"is_draft": True},
        "A better secret for @Bob.",
    )
    assert not any("A secret" in str((entry.before, entry.after)) for entry in audit.read(store, team.admin))


def test_a_draft_can_be_discarded_and_what_is_published_cannot(store, team, review):
    draft = comments.write(store, team.ana, review.id, "Hm.", new_id(), is_draft=True)
    comments.discard(store, team.ana, draft.id, draft.version)
    assert texts(store, team.ana, review) == []
    told = comments.write(store, team.ana, review.id, "Said.", new_id())
    with pytest.raises(ReviewError, match="is published"):
        comments.discard(store, team.ana, told.id, told.version)


def test_a_thread_is_resolved_and_opened_again(store, team, review):
    root = comments.write(store, team.ana, review.id, "Why?", new_id())
    reply = comments.write(store, team.bob, review.id, "So.", new_id(), parent_id=root.id)
    comments.resolve(store, team.bob, reply.id)
    assert [thread.is_open for thread in comments.read_threads(store, team.vera, review.id)] == [False]
    comments.resolve(store, team.ana, root.id, is_resolved=False)
    assert [thread.is_open for thread in comments.read_threads(store, team.vera, review.id)] == [True]


def test_the_longest_name_after_an_at_is_the_one_that_is_meant(store, team):
    people = (team.ana, team.bob)
    twin = type(team.ana)(id="twin", subject="t@example.org", name="Ana Bell", role="reviewer", added_at="")
    found = lambda text: mentions.find_mentions(text, (*people, twin))  # noqa: E731
    assert found("@Ana Bell, look") == {"twin"}
    assert found("(@ana) and @BOB!") == {team.ana.id, team.bob.id}
    assert found("@ana@example.org") == {team.ana.id}
    assert found("write to x@Ana or @Anabel") == set()


@pytest.mark.parametrize("name", NAMES)
def test_hostile_words_come_back_letter_by_letter(store, team, review, name):
    comment = comments.write(store, team.ana, review.id, name, new_id(), Anchor("figure", name))
    comments.edit(store, team.ana, comment.id, name * 2, comment.version)
    (thread,) = comments.read_threads(store, team.vera, review.id)
    assert (thread.root.text, thread.anchor.name) == (name * 2, name)
    assert [edit.text for edit in comments.read_edits(store, team.vera, comment.id)] == [name]


@pytest.mark.parametrize("text", ["", " ", "a\x00b", "\ud800", "x" * 20_001, None, 5])
def test_what_cannot_be_stored_letter_by_letter_is_refused(store, team, review, text):
    with pytest.raises(ReviewError, match="It needs 1 to 20,000 characters"):
        comments.write(store, team.ana, review.id, text, new_id())
    assert texts(store, team.ana, review) == []
