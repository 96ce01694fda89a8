"""What a report tells, gathered before anything of it is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from analysis.figures import Figure, find_figures
from analysis.headline import Headline, write_headline
from analysis.report.decisions import Review
from analysis.report.made_with import describe_program
from analysis.results import Diagnosis
from analysis.runlog import RunLogError


@dataclass(frozen=True)
class Report:
    """All that a report tells.

    Attributes:
        diagnosis: The study, judged.
        headline: Its verdict.
        figures: The playbook's figures, those that apply and those that do not.
        reviews: What the team decided, one entry a review.
        made_at: When the report was made, with a time zone.
        program: The version that made it, in words.
    """

    diagnosis: Diagnosis
    headline: Headline
    figures: tuple[Figure, ...]
    reviews: tuple[Review, ...]
    made_at: datetime
    program: str

    @property
    def made_on(self) -> str:
        """When it was made, in words: "28 November 2026, 04:12 UTC"."""
        zone = self.made_at.tzname() or ""
        return f"{self.made_at.day} {self.made_at:%B %Y, %H:%M} {zone}".strip()


def gather(diagnosis: Diagnosis, made_at: datetime, reviews: Iterable[Review] = ()) -> Report:
    """Gathers the report of a study.

    Args:
        diagnosis: The study, judged.
        made_at: Time that the report carries.
        reviews: Reviews of this study.

    Raises:
        RunLogError: The study has no runs, or a review is of another study.
    """
    study = diagnosis.study
    if not diagnosis.runs:
        raise RunLogError(f"Study {study.name!r} has no runs. A report needs one run at least. Train or import one")
    reviews = tuple(reviews)
    if other := next((review.study for review in reviews if review.study != study.name), None):
        raise RunLogError(
            f"The review is of study {other!r}. A review of study {study.name!r} is needed. "
            "Export the one of this study"
        )
    return Report(diagnosis, write_headline(diagnosis), find_figures(diagnosis), reviews, made_at, describe_program())
