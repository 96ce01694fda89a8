"""The agenda of a review: its points in order, each with what was decided, and the one that is looked at."""

import streamlit as st

from analysis.charts.labels import shorten
from app_pages import callbacks, meeting, review_words, set_widgets, shown, words
from app_pages.meeting import FOLLOWS, ITEM, PRESENTS, Meeting
from reviews import agenda, screen
from reviews.agenda import AgendaItem

LONGEST_TITLE = 64  # letters of a point in the list


def show_agenda(seen: Meeting) -> str | None:
    """Shows the points, and returns the one that is looked at."""
    if not seen.agenda.items:
        st.markdown("Nothing was found and there is nothing to fix. The team can still ask a question.")
        ask_question(seen)
        return None
    ids = [entry.item.id for entry in seen.agenda.items]
    if set_widgets.value_of(ITEM) not in ids:
        set_widgets.put(ITEM, seen.screen.item_id if seen.screen.item_id in ids else ids[0])
    titles = {entry.item.id: title_of(entry) for entry in seen.agenda.items}
    num_open = sum(entry.decision is None for entry in seen.agenda.items)
    st.subheader(f"Agenda, {num_open} of {len(ids)} to decide", anchor=False)
    item_id = st.radio(
        "Agenda",
        ids,
        format_func=lambda key: titles.get(key, ""),
        captions=[shown.sentence(review_words.decided(entry.decision)) for entry in seen.agenda.items],
        label_visibility="collapsed",
        **set_widgets.heard(ITEM, go_to_chosen, seen.review.id),
    )
    ask_question(seen)
    return item_id


def title_of(entry: AgendaItem) -> str:
    """Returns a point in a few words."""
    item = entry.item
    names = {"finding": words.check_name(item.code), "fix": words.FIX_NAMES.get(item.code, item.code)}
    return f"{item.position}. {shown.sentence(names.get(item.kind) or shorten(item.title, LONGEST_TITLE))}"


def go_to_chosen(review_id: str) -> None:
    """Goes to the point that was clicked: everybody's page with the presenter, else this page alone.

    The switches are looked at now: one may have been turned after the page was drawn that was clicked on.
    """
    item_id = set_widgets.value_of(ITEM)
    if set_widgets.value_of(PRESENTS):
        meeting.act(lambda store, me: screen.show(store, me, review_id, item_id))
    elif set_widgets.value_of(FOLLOWS):
        set_widgets.put(FOLLOWS, False)


def ask_question(seen: Meeting) -> None:
    """Takes a question of the team as a further point."""
    if not seen.can_write:
        return
    with st.popover("Add a question", icon=":material/add:"):
        st.text_area("Question to decide", key="question", max_chars=1000, persist_state="page")
        st.button("Add to the agenda", on_click=add_question, args=(seen.review.id,))


@callbacks.uninterrupted()
def add_question(review_id: str) -> None:
    """Stores the question; what was typed stays until it is stored."""
    text = st.session_state.get("question") or ""
    if meeting.act(lambda store, me: agenda.add_question(store, me, review_id, text)) is not None:
        st.session_state["question"] = ""
