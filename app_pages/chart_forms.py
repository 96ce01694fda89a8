"""The forms that take a comment beside a picture: on a run, on the steps that are zoomed into, or on a figure."""

from collections.abc import Sequence

import streamlit as st

from analysis.results import Diagnosis, RunDiagnosis
from app_pages import callbacks, meeting, review_words, shown
from app_pages.chart_comments import ChartComments, say_steps, whole_steps
from app_pages.pictures import names_of
from reviews import comments, new_id
from reviews.anchors import Anchor

STEPS = "steps"  # names the form of steps; a page has one


def show_steps_form(
    told: ChartComments, diagnosis: Diagnosis, runs: Sequence[RunDiagnosis], detail: tuple[float, float] | None
) -> None:
    """Takes a comment on a run or on steps of it; those that were zoomed into stay while the form is open.

    Args:
        told: What is said already.
        diagnosis: The study.
        runs: Runs of the picture.
        detail: What is zoomed into, None for nothing.
    """
    if not told.can_write or not runs:
        return
    opened = meeting.writing("comment").get(STEPS)
    if opened is None:
        show_opening(told, whole_steps(detail) if detail else None)
        return
    names = names_of(diagnosis)
    with st.container(border=True):
        st.markdown(f"**Comment on {say_steps(*opened['about']) if opened['about'] else 'a run as a whole'}**")
        st.selectbox(
            "Of run",
            [judged.run.run_id for judged in runs],
            format_func=lambda key: names.get(key, shown.name(key)),
            key=meeting.field("run", STEPS),
            width=320,
        )
        show_fields(told, STEPS)


def show_figure_form(told: ChartComments, figure: str) -> None:
    """Takes a comment on a figure."""
    if not told.can_write:
        return
    key = f"figure_{figure}"
    if meeting.writing("comment").get(key) is None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            show_button("Comment on this figure", key, figure)
            st.caption(f"For review {shown.sentence(told.review.title)}.", width="content")
        meeting.show_said()
        return
    with st.container(border=True):
        st.markdown(f"**Comment on figure {shown.sentence(figure)}**")
        show_fields(told, key)


def show_opening(told: ChartComments, steps: tuple[int, int] | None) -> None:
    """Shows the buttons that open the form of a run; without steps to be about, one of them says what to do."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_button("Comment on a run", STEPS, None, key="open_run")
        show_button("Comment on these steps", STEPS, steps, is_off=steps is None)
        hint = "" if steps is not None else " For steps, zoom into them first."
        st.caption(f"For review {shown.sentence(told.review.title)}.{hint}", width="content")
    meeting.show_said()


def show_button(label: str, form: str, about: object, key: str = "", is_off: bool = False) -> None:
    """Shows a button that opens a form."""
    icon, key = ":material/add_comment:", key or f"open_{form}"
    st.button(label, icon=icon, disabled=is_off, key=key, on_click=open_form, args=(form, about))


def show_fields(told: ChartComments, key: str) -> None:
    """Shows the text field and what is done with it."""
    st.text_area("Comment", key=meeting.field("comment", key), help=review_words.MARKDOWN_HELP)
    with st.container(horizontal=True):
        st.button("Send", type="primary", on_click=send, args=(told.review.id, key), key=f"send_{key}")
        st.button("Cancel", on_click=close_form, args=(key,), key=f"cancel_{key}")
    meeting.show_said()


def open_form(key: str, about: object) -> None:
    """Opens a form; the comment has its id from now on, so that sending it twice stores it once."""
    meeting.writing("comment")[key] = {"id": new_id(), "about": about}


def close_form(key: str) -> None:
    """Closes a form and forgets what is in it."""
    meeting.writing("comment").pop(key, None)
    for what in ("run", "comment"):
        st.session_state.pop(meeting.field(what, key), None)


@callbacks.uninterrupted()
def send(review_id: str, key: str) -> None:
    """Stores the comment; what was typed stays until it is stored."""
    opened = meeting.writing("comment").get(key)
    if opened is None:
        return
    run_id, text, about = meeting.typed("run", key), meeting.typed("comment", key), opened["about"]
    if key == STEPS:
        anchor = Anchor("steps", run_id, *about) if about else Anchor("run", run_id)
    else:
        anchor = Anchor("figure", about)
    if meeting.act(lambda store, me: comments.write(store, me, review_id, text, opened["id"], anchor)) is not None:
        close_form(key)
