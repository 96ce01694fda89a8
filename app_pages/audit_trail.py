"""Audit trail: every change of the reviews, newest first, by review and by kind of thing, and as a file."""

import streamlit as st

from analysis.inert import formula_guard
from analysis.runlog import RunLogError
from app_pages import audit_table, people, review_words, shown
from app_pages.audit_table import KINDS, table_of, write_file
from reviews import Person, ReviewStore, agenda, audit
from reviews import people as team
from reviews.models import Review

LONGEST = 300  # letters of a change in the table; the files hold all of it
OLDER_THAN = "audit_older_than"  # ids of the entries below which each page begins, the newest page has none


def choose(found: tuple[Review, ...]) -> tuple[str | None, list[str]]:
    """Offers the reviews and the kinds, and returns what was chosen: None for all reviews, [] for all kinds."""
    titles = {review.id: f"{shown.name(review.title)}, {review_words.when(review.opened_at)}" for review in found}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        review_id = st.selectbox(
            "Review",
            list(titles),
            index=None,
            format_func=lambda key: titles.get(key, ""),
            placeholder="All reviews, and people",
            key="of_review",
            bind="query-params",
            on_change=go_to_newest,
            width=360,
        )
        kinds = st.multiselect(
            "What was changed",
            list(KINDS),
            format_func=lambda kind: KINDS.get(kind, ""),
            placeholder="Everything",
            key="of_kind",
            bind="query-params",
            on_change=go_to_newest,
            width=420,
        )
    return review_id, kinds


def go_to_newest() -> None:
    """Goes to the newest entries."""
    st.session_state[OLDER_THAN] = []


def go_to_older(entry_id: int) -> None:
    """Goes to the entries before one."""
    st.session_state[OLDER_THAN] = [*st.session_state.get(OLDER_THAN, []), entry_id]


def go_to_newer() -> None:
    """Goes back."""
    st.session_state[OLDER_THAN] = st.session_state.get(OLDER_THAN, [])[:-1]


def show_entries(store: ReviewStore, me: Person, review_id: str | None, kinds: list[str], known: dict) -> None:
    """Shows a page of entries, the way to the others, and the files."""
    num = audit.num_changes(store, me, review_id, kinds)
    passed = st.session_state.get(OLDER_THAN, [])
    before_id = passed[-1] if passed else None
    entries = audit.read(store, me, review_id, audit_table.PAGE, before_id, kinds)
    if not entries:
        st.markdown("No change of this kind yet.")
        return
    alt = "Changes of the reviews, newest first: when, who, what, and the values before and after"
    table = table_of(entries, known, LONGEST).map(lambda text: formula_guard(text) + text)  # cells can be copied
    look = {"change": st.column_config.TextColumn(width="large")}
    st.dataframe(table, hide_index=True, height="content", column_config=look, alt=alt)
    first = len(passed) * audit_table.PAGE + 1
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Changes {first:,} to {first + len(entries) - 1:,} of {num:,}. Times are UTC.", width="content")
        st.button("Newer", icon=":material/chevron_left:", disabled=not passed, on_click=go_to_newer)
        is_last = first + len(entries) > num
        st.button(
            "Older", icon=":material/chevron_right:", disabled=is_last, on_click=go_to_older, args=(entries[-1].id,)
        )
    show_files(store, me, review_id, kinds, known)
    if num > audit_table.MOST_EXPORTED:
        st.caption(f"Files hold the newest {audit_table.MOST_EXPORTED:,}. Choose a review or a kind for the others.")


def show_files(store: ReviewStore, me: Person, review_id: str | None, kinds: list[str], known: dict) -> None:
    """Shows the buttons that write all entries that were chosen; they are read on the click."""

    def written(ending: str) -> str:
        return write_file(audit.read(store, me, review_id, audit_table.MOST_EXPORTED, None, kinds), known, ending)

    with st.container(horizontal=True, gap="small"):
        for label, ending, mime in (("As CSV", ".csv", "text/csv"), ("As JSON", ".json", "application/json")):
            st.download_button(
                label,
                lambda ending=ending: written(ending),
                f"audit{ending}",
                mime,
                icon=":material/download:",
                on_click="ignore",
                type="tertiary",
                key=f"audit{ending}",
            )


store, me = people.reviews_or_stop()
st.title("Audit trail", anchor=False)
st.markdown("Every change of the reviews. The database refuses to change or delete an entry.")
try:
    found = agenda.list_reviews(store, me)
    named = {person.id: person.name for person in team.read(store, me)}
    show_entries(store, me, *choose(found), named | {review.id: review.title for review in found})
except RunLogError as error:
    st.error(shown.sentence(str(error)), icon=":material/error:")
