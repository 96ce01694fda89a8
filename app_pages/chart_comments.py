"""Comments beside the pictures that they are about: numbered marks on the steps of runs, and a list below."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from analysis.results import Diagnosis, RunDiagnosis
from analysis.runlog import RunLogError
from app_pages import meeting, people, review_store, review_words, shown, studies, words
from app_pages.comment_text import comment_markdown
from app_pages.pictures import names_of
from reviews import Person, agenda, comments
from reviews.comments import Thread
from reviews.models import Review

LONGEST = 80  # letters that a mark tells
Note = tuple[int, str]  # the step of a mark, and what it tells


@dataclass(frozen=True)
class ChartComments:
    """What is said about a picture, in the review that was looked at last, else in the newest open one.

    Attributes:
        review: The review, None where the study has none.
        me: Who looks.
        threads: Open threads, in the order of their steps.
        steps: Where their marks stand, by the id of their first comment; without those that have none.
        problem: Why nothing could be read, "" if it could.
    """

    review: Review | None = None
    me: Person | None = None
    threads: tuple[Thread, ...] = ()
    steps: Mapping[str, int] | None = None
    problem: str = ""

    @property
    def can_write(self) -> bool:
        """Whether whoever looks may comment."""
        return self.review is not None and self.review.state == "open" and meeting.has_role(self.me, "reviewer")

    @property
    def notes(self) -> tuple[Note, ...]:
        """The marks of a picture; the first is number 1."""
        return tuple((self.steps[thread.root.id], say_thread(thread)) for thread in self.threads if self.steps)


def say_thread(thread: Thread) -> str:
    """Returns what the mark of a thread tells."""
    return shown.literal(f"{thread.root.author.name}: {thread.root.text}", LONGEST)


def read_run_comments(diagnosis: Diagnosis, runs: Sequence[RunDiagnosis]) -> ChartComments:
    """Reads what is said about runs, steps of them, and findings whose events are in them."""
    told = read_open_threads(diagnosis)
    steps = {thread.root.id: step_of(thread, diagnosis, runs) for thread in told.threads}
    placed = [thread for thread in told.threads if steps[thread.root.id] is not None]
    placed.sort(key=lambda thread: steps[thread.root.id])
    return ChartComments(told.review, told.me, tuple(placed), steps, told.problem)


def read_figure_comments(diagnosis: Diagnosis, figure: str) -> ChartComments:
    """Reads what is said about a figure; it has no mark."""
    told = read_open_threads(diagnosis)
    about = [each for each in told.threads if (each.anchor.kind, each.anchor.name) == ("figure", figure)]
    return ChartComments(told.review, told.me, tuple(about), None, told.problem)


def read_open_threads(diagnosis: Diagnosis) -> ChartComments:
    """Reads the open threads of a study; without a store of reviews there are none, and none is made."""
    if not review_store.has_reviews():
        return ChartComments()
    try:
        store = review_store.reviews()
        me = people.current(store)
        found = agenda.list_reviews(store, me, diagnosis.study.name) if me is not None else ()
        review = choose_review(found)
        threads = comments.read_threads(store, me, review.id) if review else ()
    except RunLogError as error:
        return ChartComments(problem=str(error))
    return ChartComments(review, me, tuple(thread for thread in threads if thread.is_open))


def choose_review(found: Sequence[Review]) -> Review | None:
    """Returns the review that was looked at last, if it is of this study, else the newest open one."""
    last = [review for review in found if review.id == st.session_state.get("last_review")]
    is_open = [review for review in found if review.state == "open"]
    return next(iter([*last, *is_open]), None)


def step_of(thread: Thread, diagnosis: Diagnosis, runs: Sequence[RunDiagnosis]) -> int | None:
    """Returns the step at which the mark of a thread stands; None for a thread about something else.

    The middle of the steps; the last step of a run as a whole; the first event that a finding rests on.
    """
    anchor, by_id = thread.anchor, {judged.run.run_id: judged for judged in runs}
    if anchor.kind == "finding":
        run_ids = next((finding.run_ids for finding in diagnosis.findings if finding.code == anchor.name), ())
        onsets = [event.onset_step for run_id in run_ids if run_id in by_id for event in by_id[run_id].confirmed]
        return min(onsets, default=None)
    if anchor.kind not in ("run", "steps") or anchor.name not in by_id:
        return None
    if anchor.kind == "steps":
        return (anchor.first_step + anchor.last_step) // 2
    steps, _ = by_id[anchor.name].run.loss
    return int(steps[-1]) if len(steps) else None


def show_comments(told: ChartComments, diagnosis: Diagnosis) -> None:
    """Shows the list that belongs to the marks."""
    if told.problem:
        st.caption(shown.sentence(told.problem))
    names = names_of(diagnosis)
    for number, thread in enumerate(told.threads, 1):
        show_line(told, number if told.steps else None, thread, names)


def show_line(told: ChartComments, number: int | None, thread: Thread, names: Mapping[str, str]) -> None:
    """Shows one comment with its number, what it is about, and its answers."""
    root = thread.root
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if number is not None:
                st.badge(str(number), color="yellow")
            st.markdown(f"**{shown.sentence(root.author.name)}**", width="content")
            about = f"{say_place(thread, names)}. {review_words.when(root.written_at)}"
            st.caption(shown.sentence(about), width="content")
            query = {studies.KEY: told.review.study, meeting.REVIEW: told.review.id}
            st.page_link("app_pages/review.py", label="Review", icon=":material/groups:", query_params=query)
        st.markdown(comment_markdown(root.text))
        for reply in thread.replies:
            st.markdown(f"**{shown.sentence(reply.author.name)}**")
            st.markdown(comment_markdown(reply.text))


def say_place(thread: Thread, names: Mapping[str, str]) -> str:
    """Says what a thread is about."""
    anchor = thread.anchor
    if anchor.kind == "finding":
        return words.check_name(anchor.name)
    if anchor.kind == "figure":
        return f"Figure {anchor.name}"
    place = names.get(anchor.name, shown.name(anchor.name))
    return f"{place}, {say_steps(anchor.first_step, anchor.last_step)}" if anchor.kind == "steps" else place


def say_steps(first: int, last: int) -> str:
    """Names a range of steps."""
    return f"step {first:,}" if first == last else f"steps {first:,} to {last:,}"


def whole_steps(detail: tuple[float, float]) -> tuple[int, int]:
    """Returns the steps within what is zoomed into."""
    first = max(math.ceil(detail[0]), 0)
    return first, max(first, math.floor(detail[1]))
