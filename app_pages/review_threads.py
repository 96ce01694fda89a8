"""What is said in a review: threads, answers, drafts, and the form that writes them."""

from collections.abc import Sequence

import streamlit as st

from app_pages import callbacks, meeting, review_words, shown, studies
from app_pages.comment_text import comment_markdown
from app_pages.meeting import Meeting
from app_pages.pictures import names_of
from reviews import comments, new_id
from reviews.anchors import Anchor
from reviews.comments import Thread
from reviews.models import Comment

WHOLE, RUN = "whole", "run"  # forms of comments on the review as a whole, and on a run
MAX_TEXT = 20_000  # as the store


def show_threads(seen: Meeting, about: Sequence[Anchor], key: str) -> None:
    """Shows the threads about something, and takes a new comment on the first of it.

    Args:
        seen: The review.
        about: What the threads are about.
        key: Names the form.
    """
    found = [thread for thread in seen.threads if thread.anchor in about]
    st.markdown(f"**Discussion, {sum(thread.is_open for thread in found)} open**")
    with st.container():  # a new comment moves no field that somebody types into
        for thread in found:
            show_thread(seen, thread, key)
    show_composer(seen, about[0], key)


def show_all_threads(seen: Meeting) -> None:
    """Shows the threads about the review as a whole, and about runs, steps and figures, with links to them."""
    st.subheader("On the whole review", anchor=False)
    show_threads(seen, [Anchor()], WHOLE)
    placed = [thread for thread in seen.threads if thread.anchor.kind in ("run", "steps", "figure")]
    if placed or seen.can_write:
        st.subheader("On runs, steps and figures", anchor=False)
    for thread in placed:
        show_place(seen, thread)
        show_thread(seen, thread, thread.root.id)
        if meeting.writing("comment").get(thread.root.id):
            show_composer(seen, thread.anchor, thread.root.id)
    show_run_composer(seen)


def show_run_composer(seen: Meeting) -> None:
    """Takes a comment on a run that the review was opened on."""
    names = {run["run_id"]: shown.name(run["name"]) for run in seen.frozen["runs"]}
    if not seen.can_write or not names:
        return
    run_id = next(iter(names))
    if meeting.writing("comment").get(RUN) is not None:
        run_id = st.selectbox(
            "Of run",
            list(names),
            format_func=lambda key: names.get(key, ""),
            key=meeting.field("run", RUN),
            persist_state="page",
            width=320,
        )
    show_composer(seen, Anchor("run", run_id), RUN, "Comment on a run")


def show_place(seen: Meeting, thread: Thread) -> None:
    """Says what a thread is about, with a link to it."""
    anchor = thread.anchor
    frozen = {run["run_id"]: shown.name(run["name"]) for run in seen.frozen["runs"]}
    names = frozen | (names_of(seen.now) if seen.now is not None else {})
    name = names.get(anchor.name, shown.name(anchor.name))
    label = f"Figure {anchor.name}" if anchor.kind == "figure" else f"Run {name}"
    if anchor.kind == "steps":
        label += f", steps {anchor.first_step:,} to {anchor.last_step:,}"
    page, query = ("figures", {"figure": anchor.name}) if anchor.kind == "figure" else ("loss", {"run": name})
    query = {studies.KEY: seen.review.study, **query}
    if anchor.kind == "steps":
        query["zoom"] = f"step {anchor.first_step} to {max(anchor.last_step, anchor.first_step + 1)}"
    st.page_link(f"app_pages/{page}.py", label=shown.sentence(label), icon=":material/place:", query_params=query)


def show_thread(seen: Meeting, thread: Thread, key: str) -> None:
    """Shows a thread, folded once it is resolved."""
    if not thread.is_open:
        count = 1 + len(thread.replies)
        with st.expander(f"Resolved, {count} comment{'s' * (count != 1)}"):
            show_comments(seen, thread, key)
        return
    with st.container(border=True):
        show_comments(seen, thread, key)


def show_comments(seen: Meeting, thread: Thread, key: str) -> None:
    """Shows the comments of a thread and what can be done with it."""
    for comment in (thread.root, *thread.replies):
        show_comment(seen, comment, key)
    if not seen.can_write or thread.root.is_draft:
        return
    with st.container(horizontal=True, gap="small"):
        about, root = {"parent_id": thread.root.id, "to": thread.root.author.name}, thread.root
        st.button("Answer", key=f"answer_{root.id}", type="tertiary", on_click=open_composer, args=(key, about))
        label = "Resolve" if thread.is_open else "Open again"
        st.button(label, key=f"resolve_{root.id}", type="tertiary", on_click=resolve, args=(root.id, thread.is_open))


def show_comment(seen: Meeting, comment: Comment, key: str) -> None:
    """Shows one comment: who, when, and what, as Markdown that can do no harm."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{shown.sentence(comment.author.name)}**", width="content")
        edited = f", changed {review_words.when(comment.edited_at)}" if comment.edited_at else ""
        st.caption(f"{review_words.when(comment.written_at)}{edited}", width="content")
        if comment.is_draft:
            st.badge("Draft, only you see it", icon=":material/edit_note:", color="violet")
        if comment.edited_at:
            show_earlier(seen, comment, key)
    st.markdown(comment_markdown(comment.text))
    if not seen.can_write or comment.author_id != seen.me.id:
        return
    with st.container(horizontal=True, gap="small"):
        about = {"edit_id": comment.id, "seen": comment.version, "text": comment.text}
        st.button("Change", key=f"edit_{comment.id}", type="tertiary", on_click=open_composer, args=(key, about))
        if comment.is_draft:
            args = (comment.id, comment.version)
            st.button("Publish", key=f"publish_{comment.id}", type="tertiary", on_click=publish, args=args)
            st.button("Discard", key=f"discard_{comment.id}", type="tertiary", on_click=discard, args=args)


def show_earlier(seen: Meeting, comment: Comment, key: str) -> None:
    """Shows the earlier texts of a comment, each until when it stood."""
    with st.popover("Earlier texts", icon=":material/history:", type="tertiary", key=f"earlier_{key}_{comment.id}"):
        for edit in comments.read_edits(seen.store, seen.me, comment.id):
            st.caption(f"Until {review_words.when(edit.replaced_at)}")
            st.markdown(comment_markdown(edit.text))


def show_composer(seen: Meeting, anchor: Anchor, key: str, opens: str = "Comment") -> None:
    """Shows the field for a comment once it is asked for."""
    if not seen.can_write:
        return
    opened = meeting.writing("comment").get(key)
    if opened is None:
        st.button(opens, icon=":material/add_comment:", key=f"write_{key}", on_click=open_composer, args=(key, {}))
        return
    label = "Change your comment" if "edit_id" in opened else "Comment"
    label = f"Answer to {shown.sentence(opened['to'])}" if "to" in opened else label
    field = meeting.field("comment", key)
    help_ = review_words.MARKDOWN_HELP
    st.text_area(label, key=field, max_chars=MAX_TEXT, persist_state="page", help=help_)
    with st.container(horizontal=True):
        args = (seen.review.id, anchor, key)
        st.button("Send", type="primary", key=f"send_comment_{key}", on_click=send, args=args)
        if "edit_id" not in opened:
            st.button("Save as draft", key=f"draft_{key}", on_click=send, args=(*args, True))
        st.button("Cancel", key=f"cancel_comment_{key}", on_click=close_composer, args=(key,))


def open_composer(key: str, about: dict[str, object]) -> None:
    """Opens the field; the comment has its id from now on, so that sending it twice stores it once."""
    meeting.writing("comment")[key] = {"id": new_id(), **about}
    if "text" in about:
        st.session_state[meeting.field("comment", key)] = about["text"]


def close_composer(key: str) -> None:
    """Closes the field and forgets what is in it."""
    meeting.writing("comment").pop(key, None)
    st.session_state.pop(meeting.field("comment", key), None)


@callbacks.uninterrupted()
def send(review_id: str, anchor: Anchor, key: str, is_draft: bool = False) -> None:
    """Stores what was typed; it stays in its field until it is stored."""
    opened, text = meeting.writing("comment").get(key), meeting.typed("comment", key)
    if opened is None:
        return

    def store_it(store, me):
        if "edit_id" in opened:
            return comments.edit(store, me, opened["edit_id"], text, opened["seen"])
        parent = opened.get("parent_id")
        return comments.write(store, me, review_id, text, opened["id"], anchor, parent, is_draft)

    if meeting.act(store_it) is not None:
        close_composer(key)


def resolve(comment_id: str, is_resolved: bool) -> None:
    """Resolves a thread, or opens it again."""
    meeting.act(lambda store, me: comments.resolve(store, me, comment_id, is_resolved))


def publish(comment_id: str, version: int) -> None:
    """Shows a draft to all."""
    meeting.act(lambda store, me: comments.publish(store, me, comment_id, version))


def discard(comment_id: str, version: int) -> None:
    """Deletes a draft."""
    meeting.act(lambda store, me: comments.discard(store, me, comment_id, version))
