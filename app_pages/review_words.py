"""Words of the review page: choices, states and times."""

from analysis.as_it_was import AsItWas
from app_pages.words import FIX_NAMES
from reviews.models import Decision, Review

CHOICES = {
    "accept": ("Accept a fix", "green", ":material/check_circle:"),
    "reject": ("Reject", "orange", ":material/cancel:"),
    "probe": ("Needs a probe", "blue", ":material/experiment:"),
    "leave": ("Leave as it is", "gray", ":material/pause_circle:"),
}
DECIDED = {"accept": "Accepted", "reject": "Rejected", "probe": "Needs a probe", "leave": "Left as it is"}
UNDECIDED = "Not decided"
STATES = {"open": ("Open", "blue", ":material/forum:"), "closed": ("Closed", "gray", ":material/lock:")}
KINDS = {"finding": "Found", "fix": "Fix", "question": "Question"}
SINCE = {  # what became of runs since a review was opened: said of one, and of several
    "num_new": ("1 run has come since; it is not shown.", "{} runs have come since; they are not shown."),
    "num_longer": (
        "1 run has gone on since; its later steps are not shown.",
        "{} runs have gone on since; their later steps are not shown.",
    ),
    "num_gone": ("1 run is gone, and not shown.", "{} runs are gone, and not shown."),
    "num_changed": ("1 run has other rows now, and is not shown.", "{} runs have other rows now, and are not shown."),
}
SAME_ROWS = "Its runs and rows are still those of the review."
MARKDOWN_HELP = (
    "\\*\\*bold\\*\\*, \\*italic\\*, \\`code\\`, lists and \\[links\\](https address). @name mentions somebody."
)


def when(time: str) -> str:
    """Returns a stored time to the minute; it is UTC."""
    return f"{time[:16].replace('T', ' ')} UTC"


def decided(decision: Decision | None) -> str:
    """Says in a few words what was decided."""
    if decision is None:
        return UNDECIDED
    fix = FIX_NAMES.get(decision.fix, decision.fix) if decision.fix else ""
    return DECIDED[decision.choice] + (f": {fix[0].lower()}{fix[1:]}" if fix else "")


def opened(review: Review) -> str:
    """Says who opened a review and when."""
    end = f", closed {when(review.closed_at)}" if review.closed_at else ""
    return f"Opened by {review.opened_by.name}, {when(review.opened_at)}{end}"


def since(then: AsItWas) -> str:
    """Says what became of the runs of a study since its review was opened, and what is not shown of them."""
    counts = [(getattr(then, name), words) for name, words in SINCE.items()]
    return " ".join(words[num > 1].format(num) for num, words in counts if num) or SAME_ROWS
