"""How a review ends: sign-offs, the summary, closing, and the review as a file or in a chat."""

import json

import streamlit as st

from app_pages import callbacks, meeting, review_words, shown, studies
from app_pages.meeting import Meeting
from reviews import agenda, bring_in, exchange, hand_off, sign_offs, summary

EXPORT = "review_export"


def show_end(seen: Meeting) -> None:
    """Shows who signed, and what can be done with the whole review."""
    st.divider()
    left, right = st.columns([4, 8], gap="medium")
    with left:
        show_signed(seen)
    with right:
        show_summary(seen)
        show_closing(seen)


def show_signed(seen: Meeting) -> None:
    """Shows who agreed to the decisions, and takes a signature."""
    st.subheader("Signed by", anchor=False)
    for signed in seen.signed:
        icon = ":material/verified:" if signed.is_current else ":material/history:"
        later = "" if signed.is_current else ", before the last decision"
        said = f"{signed.sign_off.person.name}, {review_words.when(signed.sign_off.signed_at)}{later}"
        st.markdown(f"{icon} {shown.sentence(said)}")
    if not seen.signed:
        st.caption("Nobody yet.")
    has_signed = any(signed.is_current and signed.sign_off.person_id == seen.me.id for signed in seen.signed)
    if meeting.has_role(seen.me, "reviewer") and not has_signed:
        args = (seen.review.id, seen.agenda.digest)
        st.button("Sign these decisions", icon=":material/draw:", on_click=sign, args=args)


def sign(review_id: str, digest: str) -> None:
    """Signs the decisions that were on the page."""
    meeting.act(lambda store, me: sign_offs.sign(store, me, review_id, digest))


def show_summary(seen: Meeting) -> None:
    """Shows the summary, and the review as files."""
    st.subheader("Summary", anchor=False)
    written = summary.write_markdown(summary.read(seen.store, seen.me, seen.review.id))
    with st.expander("Read it"):
        st.code(written, language="markdown", wrap_lines=True)  # as code: whoever copies it gets what is stored
    name, review_id = f"review-{seen.review.id}", seen.review.id
    with st.container(horizontal=True):
        st.download_button("Markdown", written, f"{name}.md", "text/markdown", on_click="ignore", key="summary_file")
        st.download_button(
            "Export JSON", export(seen), f"{name}.json", "application/json", on_click="ignore", key="export"
        )
    if hand_off.is_on() and meeting.has_role(seen.me, "reviewer"):
        st.button("Send to the chat", icon=":material/send:", on_click=send, args=(review_id, link_to(seen)))


def export(seen: Meeting) -> str:
    """Returns the file, written once after each change: a file made at the click is lost when the page is redrawn."""
    asked = (seen.review.id, seen.num_changes)
    known = st.session_state.get(EXPORT)
    if known is None or known[0] != asked:
        content = exchange.export_review(seen.store, seen.me, seen.review.id)
        known = st.session_state[EXPORT] = (asked, json.dumps(content, indent=1))
    return known[1]


def link_to(seen: Meeting) -> str:
    """Returns the address of the page."""
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{meeting.REVIEW}={seen.review.id}" if base else ""


def send(review_id: str, link: str) -> None:
    """Sends the summary to the chat that the admin has set."""

    def hand_over(store, me):
        return hand_off.send(summary.write_chat(summary.read(store, me, review_id), link))

    if (outcome := meeting.act(hand_over)) is not None:
        meeting.say(outcome.sentence, outcome.is_sent)


def show_closing(seen: Meeting) -> None:
    """Closes a review with the words of the team; an admin opens it again."""
    review = seen.review
    if review.state == "closed":
        if review.words.strip():
            st.markdown("  \n".join(shown.sentence(line) for line in review.words.splitlines()))
        if meeting.has_role(seen.me, "admin"):
            st.button("Open again", icon=":material/lock_open:", on_click=reopen, args=(review.id, review.version))
    elif seen.can_write:
        with st.popover("Close the review", icon=":material/lock:"):
            st.text_area("In your words (may be empty)", key="closing", max_chars=5000, persist_state="page")
            args = (review.id, review.version)
            st.button("Close it", type="primary", on_click=close, args=args)


@callbacks.uninterrupted()
def close(review_id: str, version: int) -> None:
    """Closes the review as it was on the page."""
    words = st.session_state.get("closing") or ""
    if meeting.act(lambda store, me: agenda.close(store, me, review_id, words, version)) is not None:
        st.session_state["closing"] = ""
        meeting.say("The review is closed. Signatures are still taken.")


def reopen(review_id: str, version: int) -> None:
    """Opens a closed review again."""
    meeting.act(lambda store, me: agenda.reopen(store, me, review_id, version))


def show_import() -> None:
    """Takes an exported review."""
    with st.expander("Import a review"):
        file = st.file_uploader("Exported review", type="json", key="review_file", label_visibility="collapsed")
        if file is not None:
            args = (file.getvalue(),)
            st.button("Import", icon=":material/upload_file:", on_click=bring, args=args)


@callbacks.uninterrupted()
def bring(content: bytes) -> None:
    """Stores an exported review as a new one, and shows it."""
    review = meeting.act(lambda store, me: bring_in.import_review(store, me, content))
    if review is not None:
        st.session_state[studies.NEXT] = review.study
        st.query_params[meeting.REVIEW] = review.id
