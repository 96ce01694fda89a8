"""The closing summary of a review as Markdown, and as the JSON that chat webhooks take."""

from dataclasses import dataclass

from analysis.inert import inert
from reviews.access import find_review
from reviews.agenda import Agenda, AgendaItem, read_agenda
from reviews.anchors import Anchor
from reviews.comments import Thread, threads_of
from reviews.models import Person, Snapshot
from reviews.sign_offs import Signed, read_signed
from reviews.store import ReviewStore

CHAT_CHARACTERS = 3000  # what a Slack message shows in one piece
CHOICE_WORDS = {"accept": "accepted", "reject": "rejected", "probe": "needs a probe", "leave": "left as it is"}


@dataclass(frozen=True)
class Summary:
    """All that a summary tells."""

    agenda: Agenda
    verdict: tuple[str, ...]
    threads: tuple[Thread, ...]
    signed: tuple[Signed, ...]

    @property
    def open_threads(self) -> tuple[Thread, ...]:
        """Threads that nobody resolved."""
        return tuple(thread for thread in self.threads if thread.is_open)


def read(store: ReviewStore, actor: Person, review_id: str) -> Summary:
    """Reads what a summary tells; drafts are not in it."""
    with store.reading(actor) as (session, _):
        review = find_review(session, review_id)
        found = read_agenda(session, review.id)
        verdict = say_verdict(session.get(Snapshot, review.id).diagnosis)
        return Summary(
            found, verdict, threads_of(session, None, review.id), read_signed(session, review.id, found.digest)
        )


def say_verdict(diagnosis: dict) -> tuple[str, ...]:
    """Returns the sentences on the learning-rate sweeps, else on what was found."""
    sweeps = [sweep["sentence"] for sweep in diagnosis["study"].get("sweeps", ())]
    found = [finding["sentence"] for finding in diagnosis["findings"] if finding["outcome"] == "found"]
    return tuple(sweeps or found or ["Nothing was found."])


def write_markdown(summary: Summary) -> str:
    """Writes the summary as Markdown in which words of people and logs are text only."""
    review = summary.agenda.review
    state = f"closed on {review.closed_at[:10]}" if review.closed_at else "open"
    lines = [f"# {inert(review.title)}", "", f"Review of study {inert(review.study)}, {state}."]
    lines += ["", *(inert(line) for line in review.words.splitlines())] if review.words.strip() else []
    lines += ["", "## Verdict", "", *(f"* {inert(sentence)}" for sentence in summary.verdict)]
    lines += ["", "## Decisions", "", *(tell_item(entry) for entry in summary.agenda.items)]
    lines += [
        "",
        "## Open comments",
        "",
        *(map(tell_thread, summary.open_threads) if summary.open_threads else ["None."]),
    ]
    lines += ["", "## Signed by", "", *(map(tell_signed, summary.signed) if summary.signed else ["Nobody yet."])]
    return "\n".join(lines) + "\n"


def tell_item(entry: AgendaItem) -> str:
    """Says what was decided on a point."""
    made = entry.decision
    if made is None:
        return f"* {inert(entry.item.title)} **Not decided.**"
    fix = f" {inert(made.fix)}" if made.fix else ""
    proof = f" {made.outcome.capitalize()} by {made.proof_kind} {inert(made.proof)}." if made.outcome else ""
    return (
        f"* {inert(entry.item.title)} **{CHOICE_WORDS[made.choice].capitalize()}{fix}.** "
        f"Owner {inert(made.owner.name)}. Reason: {inert(made.reason)}{proof}"
    )


def tell_thread(thread: Thread) -> str:
    """Says what is still talked about."""
    num = len(thread.replies)
    answers = f" ({num} answer{'s' * (num != 1)})" if num else ""
    return f"* {tell_anchor(thread.anchor)}{inert(thread.root.author.name)}: {inert(thread.root.text)}{answers}"


def tell_anchor(anchor: Anchor) -> str:
    """Says what a thread is about."""
    if anchor.kind in ("review", "item"):
        return ""
    if anchor.kind == "steps":
        return f"Run {inert(anchor.name)}, steps {anchor.first_step} to {anchor.last_step}. "
    return f"{anchor.kind.capitalize()} {inert(anchor.name)}. "


def tell_signed(signed: Signed) -> str:
    """Says who agreed, and whether to the decisions that stand."""
    later = "" if signed.is_current else ", before the last decision"
    return f"* {inert(signed.sign_off.person.name)}, {signed.sign_off.signed_at[:10]}{later}"


def write_chat(summary: Summary, link: str = "") -> dict[str, str]:
    """Writes the summary for a chat webhook: {"text": ...}, in which no word of ours or others calls or links.

    Args:
        summary: The summary.
        link: Address of the review page, for the end of the message.
    """
    review, decided = summary.agenda.review, [entry for entry in summary.agenda.items if entry.decision]
    lines = [
        f"Review {chat_literal(review.title)} is {review.state}.",
        chat_literal(review.words),
        *map(chat_literal, summary.verdict),
    ]
    for entry in decided:
        made = entry.decision
        fix = f" {chat_literal(made.fix)}" if made.fix else ""
        said = f"{chat_literal(entry.item.title)} {CHOICE_WORDS[made.choice].capitalize()}{fix}"
        lines.append(f"• {said}: {chat_literal(made.owner.name)}. {chat_literal(made.reason)}")
    lines.append(f"{len(summary.agenda.items) - len(decided)} not decided, {len(summary.open_threads)} comments open.")
    text = "\n".join(filter(None, lines))
    text = text if len(text) <= CHAT_CHARACTERS else text[:CHAT_CHARACTERS].rsplit("\n", 1)[0] + "\n…"
    return {"text": f"{text}\n{link}" if link else text}


def chat_literal(text: str) -> str:
    """Returns a text in one line in which a chat sees no mention, link or style."""
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, escaped)
    for sign in "*_~`@":  # a word joiner takes their meaning
        text = text.replace(sign, f"\u2060{sign}\u2060")
    return " ".join(text.split())
