"""Review: what a team decides on a study, point by point, on the numbers as they were when it was opened."""

import streamlit as st

from analysis.frozen import freeze
from analysis.published import publish
from analysis.results import Diagnosis
from analysis.runlog import RunLogError
from app_pages import callbacks, meeting, people, review_words, set_widgets, shown, studies
from app_pages.meeting import Meeting
from app_pages.review_agenda import show_agenda
from app_pages.review_end import show_end, show_import
from app_pages.review_item import show_item
from app_pages.review_screen import keep_up, show_screen
from app_pages.review_threads import show_all_threads
from reviews import Person, ReviewStore, agenda, mentions, new_id
from reviews.models import Review

MOST_MENTIONS = 5  # ours: lines above the list of reviews


def show_reviews(store: ReviewStore, me: Person, diagnosis: Diagnosis | None) -> None:
    """Shows the reviews of the chosen study, and opens one."""
    st.markdown("A review is a meeting about one state of a study, and its record. Numbers stay as they were.")
    if diagnosis is not None and meeting.has_role(me, "reviewer"):
        show_opening(diagnosis)
    show_mentions(store, me)
    found = agenda.list_reviews(store, me)
    here = [review for review in found if diagnosis is not None and review.study == diagnosis.study.name]
    for review in here:
        show_row(review)
    if not here:
        st.markdown("No review of this study yet.")
    others = [review for review in found if review not in here]
    if others:
        with st.expander(f"{len(others)} of other studies"):
            for review in others:
                show_row(review)
    if meeting.has_role(me, "admin"):
        show_import()


def show_opening(diagnosis: Diagnosis) -> None:
    """Asks for a title, and opens a review on the study as it is now."""
    review_id = st.session_state.setdefault("new_review", new_id())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Title", placeholder=shown.name(diagnosis.study.name), max_chars=200, key="title", width=360)
        st.button(
            "Open a review", type="primary", icon=":material/add:", on_click=open_review, args=(diagnosis, review_id)
        )


@callbacks.uninterrupted()
def open_review(diagnosis: Diagnosis, review_id: str) -> None:
    """Opens a review; a second click opens the same one."""
    title = st.session_state.get("title", "").strip()
    told, study = publish(diagnosis), diagnosis.study
    opened = meeting.act(
        lambda store, me: agenda.open_review(store, me, told, study.fingerprint, title, review_id, freeze(study))
    )
    if opened is not None:
        st.session_state.pop("new_review", None)
        st.session_state["title"] = ""
        st.query_params[meeting.REVIEW] = opened.id


def show_mentions(store: ReviewStore, me: Person) -> None:
    """Shows the last comments that name whoever looks."""
    for comment in mentions.read(store, me, MOST_MENTIONS):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge("You are named", icon=":material/alternate_email:", color="violet")
            st.markdown(shown.sentence(f"{comment.author.name}: {shown.literal(comment.text, 160)}"), width="content")
            query = {meeting.REVIEW: comment.review_id}
            st.page_link("app_pages/review.py", label="Go there", icon=":material/groups:", query_params=query)


def show_row(review: Review) -> None:
    """Shows one review of the list."""
    label, color, icon = review_words.STATES[review.state]
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(label, icon=icon, color=color)
        st.markdown(f"**{shown.sentence(review.title)}**", width="content")
        st.caption(shown.sentence(review_words.opened(review)), width="content")
        query = {studies.KEY: review.study, meeting.REVIEW: review.id}
        st.page_link("app_pages/review.py", label="Go to it", icon=":material/chevron_right:", query_params=query)


def show_head(seen: Meeting, diagnosis: Diagnosis | None) -> None:
    """Shows title, state, verdict, and whether the study has changed since."""
    review = seen.review
    label, color, icon = review_words.STATES[review.state]
    st.title(shown.sentence(review.title), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(label, icon=icon, color=color)
        st.caption(shown.sentence(f"Study {review.study}. {review_words.opened(review)}."), width="content")
        st.page_link("app_pages/review.py", label="All reviews", icon=":material/list:")
    show_change(seen, diagnosis)


def show_change(seen: Meeting, diagnosis: Diagnosis | None) -> None:
    """Says what became of the study since: words, numbers and pictures are those of the day."""
    if seen.then is None:
        chosen = "no study is chosen" if diagnosis is None else "another study is chosen above"
        st.caption(f"Pictures are not shown, for {chosen}. Choose the study of this review to see them.")
    elif seen.now.study.fingerprint != seen.review.fingerprint:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge("The study has changed since", icon=":material/update:", color="orange")
            st.caption(review_words.since(seen.then), width="content")
            st.page_link("app_pages/findings.py", label="See the study now", icon=":material/troubleshoot:")


def show_review(store: ReviewStore, me: Person, review_id: str, diagnosis: Diagnosis | None) -> None:
    """Shows one review: agenda, the point that is talked about, and how it ends."""
    seen = meeting.read(store, me, review_id, diagnosis)
    if st.session_state.get("last_review") != seen.review.id:
        set_widgets.forget()
    st.session_state["last_review"] = seen.review.id
    with st.container():  # a place of its own: what comes and goes in it moves nothing below
        show_head(seen, diagnosis)
        meeting.show_said()
    with st.container():
        show_screen(seen)
    left, right = st.columns([4, 8], gap="medium")
    with left:
        item_id = show_agenda(seen)
    with right:
        with st.container():
            if (entry := seen.entry(item_id)) is not None:
                show_item(seen, entry)
        show_all_threads(seen)
    show_end(seen)
    keep_up(review_id, seen.num_changes, item_id)


store, me = people.reviews_or_stop()
chosen = studies.current()
chosen = chosen if chosen is not None and chosen.runs else None
try:
    if meeting.REVIEW in st.query_params:
        show_review(store, me, st.query_params[meeting.REVIEW], chosen)
    else:
        st.title("Review", anchor=False)
        meeting.show_said()
        show_reviews(store, me, chosen)
except RunLogError as error:
    st.error(shown.sentence(str(error)), icon=":material/error:")
    st.page_link("app_pages/review.py", label="All reviews", icon=":material/list:")
