"""What a report tells, gathered before anything of it is written."""

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
        review: What the team decided, None where no review was given.
        made_at: When the report was made, with a time zone.
        program: The version that made it, in words.
    """

    diagnosis: Diagnosis
    headline: Headline
    figures: tuple[Figure, ...]
    review: Review | None
    made_at: datetime
    program: str

    @property
    def made_on(self) -> str:
        """When it was made, in words: "28 November 2026, 04:12 UTC"."""
        zone = self.made_at.tzname() or ""
        return f"{self.made_at.day} {self.made_at:%B %Y, %H:%M} {zone}".strip()


def gather(diagnosis: Diagnosis, made_at: datetime, review: Review | None = None) -> Report:
    """Gathers the report of a study.

    Args:
        diagnosis: The study, judged.
        made_at: Time that the report carries.
        review: A review of this study.

    Raises:
        RunLogError: The study has no runs, or the review is of another study.
    """
    study = diagnosis.study
    if not diagnosis.runs:
        raise RunLogError(f"Study {study.name!r} has no runs. A report needs one run at least. Train or import one")
    if review is not None and review.study != study.name:
        raise RunLogError(
            f"The review is of study {review.study!r}. A review of study {study.name!r} is needed. "
            "Export the one of this study"
        )
    return Report(diagnosis, write_headline(diagnosis), find_figures(diagnosis), review, made_at, describe_program())
