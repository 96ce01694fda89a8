"""Presenting: one person shows a point, the pages of the others go there, and anybody can leave and re-join."""

import streamlit as st

from analysis.runlog import RunLogError
from app_pages import meeting, people, review_store, set_widgets, shown
from app_pages.meeting import FOLLOWS, ITEM, PRESENTS, Meeting
from reviews import audit, screen

REFRESH = "2s"  # ours: a page follows within two seconds


def show_screen(seen: Meeting) -> None:
    """Shows who presents, and the switches to present and to follow."""
    if seen.review.state != "open":
        return
    mine, name = seen.screen.presenter_id == seen.me.id, shown.sentence(seen.screen.presenter.name)
    set_widgets.put(FOLLOWS, mine or set_widgets.value_of(FOLLOWS) is not False)  # whoever takes over is followed again
    set_widgets.put(PRESENTS, mine and set_widgets.value_of(PRESENTS) is True)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if seen.can_write:
            help_ = "The pages of all who follow go where yours goes."
            st.toggle("Present", help=help_, **set_widgets.heard(PRESENTS, take_over, seen.review.id))
        if not mine:
            st.toggle(f"Follow {name}", **set_widgets.heard(FOLLOWS, follow, seen.screen.item_id))
            entry = seen.entry(seen.screen.item_id)
            where = f" is at point {entry.item.position}" if entry else " presents"
            st.caption(f"{name}{where}.", width="content")


def take_over(review_id: str) -> None:
    """Makes whoever looks the presenter, with the point that they look at."""
    if not set_widgets.value_of(PRESENTS):
        return
    item_id = set_widgets.value_of(ITEM)

    def present(store, me):
        taken = screen.take_over(store, me, review_id)
        return screen.show(store, me, review_id, item_id) if item_id else taken

    if meeting.act(present) is None:
        set_widgets.put(PRESENTS, False)


def follow(item_id: str | None) -> None:
    """Goes to the presenter's point again."""
    if set_widgets.value_of(FOLLOWS) and item_id:
        set_widgets.put(ITEM, item_id)


@st.fragment(run_every=REFRESH)
def keep_up(review_id: str, num_changes: int, item_id: str | None) -> None:
    """Redraws the page once anything in the review has changed, and goes where the presenter goes.

    Somebody who is writing is not taken away from it: the page says that the others have moved on.
    """
    try:
        store = review_store.reviews()
        me = people.current(store)
        if me is None:
            st.rerun()
        now = screen.read(store, me, review_id)
        changed = audit.num_changes(store, me, review_id) != num_changes
    except RunLogError as error:  # the next look may reach it again
        st.caption(shown.sentence(str(error)))
        return
    follows = set_widgets.value_of(FOLLOWS) and now.presenter_id != me.id
    if follows and now.item_id not in (None, item_id):
        if meeting.is_writing(item_id):
            st.caption("The presenter has moved on. Your page stays here until you send or cancel what you write.")
        else:
            set_widgets.put(ITEM, now.item_id)
            st.rerun()
    if changed:
        st.rerun()
