"""One point of a review: its evidence, what was decided, the form to decide, and what is said about it."""

import streamlit as st

from app_pages import callbacks, meeting, review_words, shown, words
from app_pages.meeting import Meeting
from app_pages.pictures import show
from app_pages.review_evidence import picture_of_item, said_numbers
from app_pages.review_outcome import show_outcome
from app_pages.review_threads import show_threads
from reviews import ReviewConflict, decisions
from reviews.agenda import AgendaItem
from reviews.anchors import Anchor
from reviews.models import Decision

NO_FIX = "none"


def show_item(seen: Meeting, entry: AgendaItem) -> None:
    """Shows a point with all that belongs to it."""
    item = entry.item
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(f"Point {item.position}", anchor=False, width="content")
        st.badge(review_words.KINDS[item.kind])
        if item.kind == "fix":
            label, color, icon = words.FIX_STATES.get(item.content["state"], (item.content["state"], "gray", None))
            st.badge(shown.sentence(label), icon=icon, color=color)
    st.markdown(shown.sentence(item.title))
    show_evidence(seen, entry)
    show_decisions(seen, entry)
    about = [*([Anchor("finding", item.code)] if item.kind == "finding" else []), Anchor("item", item.id)]
    show_threads(seen, about, item.id)  # of a finding, on the pictures of its runs, too


def show_evidence(seen: Meeting, entry: AgendaItem) -> None:
    """Shows the picture, the numbers and the command of a point."""
    item = entry.item
    if seen.then is not None and (picture := picture_of_item(item, seen.then.diagnosis)) is not None:
        show(picture, f"evidence_{item.id}")
    numbers = said_numbers(item)
    if numbers:
        st.caption(shown.sentence(numbers))
    if item.content.get("command"):
        st.code(item.content["command"], language="bash", wrap_lines=True)
        st.markdown(f"**Fixed when** {shown.sentence(item.content['fixed_when'])}")


def show_decisions(seen: Meeting, entry: AgendaItem) -> None:
    """Shows what was decided, earlier decisions folded, and the form."""
    with st.container(border=True):
        with st.container():  # a place of its own: what comes into it moves no field that somebody types into
            if entry.decision is None:
                st.markdown(f"**{review_words.UNDECIDED}**")
            else:
                show_decision(seen, entry.decision)
            if len(entry.decisions) > 1:
                with st.expander(f"{len(entry.decisions) - 1} earlier"):
                    for earlier in reversed(entry.decisions[:-1]):
                        show_decision(seen, earlier, is_last=False)
        if seen.can_write:
            show_form(seen, entry)


def show_decision(seen: Meeting, made: Decision, is_last: bool = True) -> None:
    """Shows one decision: what, whose task, why, and what came of it."""
    _, color, icon = review_words.CHOICES[made.choice]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(shown.sentence(review_words.decided(made)), icon=icon, color=color)
        st.markdown(f"Owner **{shown.sentence(made.owner.name)}**", width="content")
        decided_by = f"decided by {made.decided_by.name}, {review_words.when(made.decided_at)}"
        st.caption(shown.sentence(decided_by), width="content")
    st.markdown("  \n".join(shown.sentence(line) for line in made.reason.splitlines()))
    show_outcome(seen, made, is_last)


def show_form(seen: Meeting, entry: AgendaItem) -> None:
    """Shows the form to decide once it is asked for; what is in it stays until it is sent or cancelled."""
    item, opened = entry.item, meeting.writing("decision").get(entry.item.id)
    if opened is None:
        label = "Decide" if entry.decision is None else "Decide again"
        st.button(label, icon=":material/gavel:", key=f"decide_{item.id}", on_click=open_form, args=(entry,))
        return
    with st.container():
        if opened["seen"] != item.version and entry.decision is not None:
            show_conflict(entry)
    show_fields(seen, entry)
    with st.container(horizontal=True):
        st.button("Decide", type="primary", key=f"send_{item.id}", on_click=decide, args=(entry,))
        st.button("Cancel", key=f"cancel_{item.id}", on_click=close_form, args=(item.id,))


def show_fields(seen: Meeting, entry: AgendaItem) -> None:
    """Shows what a decision is made of."""
    item = entry.item
    fixes = [fix["fix"] for fix in seen.frozen["fixes"]]
    choices = [choice for choice in review_words.CHOICES if choice != "accept" or fixes or item.kind == "question"]
    choice = st.segmented_control(
        "Decision",
        choices,
        format_func=lambda key: review_words.CHOICES[key][0],
        required=True,
        key=meeting.field("choice", item.id),
        persist_state="page",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if choice == "accept" and item.kind != "fix":
            options = ([NO_FIX] if item.kind == "question" else []) + fixes
            st.selectbox(
                "Which fix",
                options,
                format_func=lambda key: words.FIX_NAMES.get(key, shown.name(key)),
                key=meeting.field("fix", item.id),
                persist_state="page",
                width=320,
            )
        st.selectbox(
            "Owner",
            list(seen.team),
            format_func=lambda key: shown.name(seen.team[key].name) if key in seen.team else "",
            key=meeting.field("owner", item.id),
            persist_state="page",
            width=240,
        )
    st.text_area("Reason", key=meeting.field("reason", item.id), max_chars=5000, persist_state="page")


def open_form(entry: AgendaItem) -> None:
    """Opens the form on the point as it was seen; a decision that comes later is a conflict."""
    item = entry.item
    meeting.writing("decision")[item.id] = {"seen": item.version}
    first = entry.decision.choice if entry.decision else "accept" if item.kind == "fix" else "probe"
    st.session_state.setdefault(meeting.field("choice", item.id), first)

    def choose_me(_store, me):
        st.session_state.setdefault(meeting.field("owner", item.id), me.id)

    meeting.act(choose_me)


def close_form(item_id: str) -> None:
    """Closes the form and forgets what is in it."""
    meeting.writing("decision").pop(item_id, None)
    for what in ("choice", "fix", "owner", "reason"):
        st.session_state.pop(meeting.field(what, item_id), None)


def show_conflict(entry: AgendaItem) -> None:
    """Says that somebody else decided while the form was open."""
    made, item = entry.decision, entry.item
    name, said = shown.sentence(made.decided_by.name), shown.sentence(review_words.decided(made))
    st.warning(
        f"{name} decided on this point while you were writing: **{said}**. Nothing of yours is lost: it is below. "
        "Theirs stands until you decide again, and both are kept.",
        icon=":material/call_split:",
    )
    st.button("I have read it", key=f"read_{item.id}", on_click=take_note, args=(item.id, item.version))


def take_note(item_id: str, version: int) -> None:
    """Goes on in view of the decision of somebody else."""
    if (opened := meeting.writing("decision").get(item_id)) is not None:
        opened["seen"] = version


@callbacks.uninterrupted()
def decide(entry: AgendaItem) -> None:
    """Sends the decision; if somebody else was faster, theirs is shown, and the form stays as it is."""
    item_id = entry.item.id
    opened = meeting.writing("decision").get(item_id)
    if opened is None:
        return
    choice, fix = meeting.typed("choice", item_id), meeting.typed("fix", item_id)
    values = {
        "choice": choice,
        "reason": meeting.typed("reason", item_id),
        "seen": opened["seen"],
        "owner_id": meeting.typed("owner", item_id) or None,
        "fix": fix if choice == "accept" and fix not in ("", NO_FIX) else None,
    }

    def send(store, me):
        try:
            return decisions.decide(store, me, item_id, **values)
        except ReviewConflict:
            return None  # the page reads the agenda again, and shows theirs above the form

    if meeting.act(send) is not None:
        close_form(item_id)
        meeting.say("The decision is stored.")
