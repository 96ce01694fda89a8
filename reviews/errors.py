"""What a review refuses, in one line that a page can show."""

from analysis.runlog import RunLogError


class ReviewError(RunLogError):
    """A refusal, said in one line: what was found, what is needed, what to do."""


class ReviewConflict(ReviewError):
    """Somebody else was faster.

    Attributes:
        theirs: What they stored, a Decision or a Comment, as it is now; None where they took it back.
    """

    def __init__(self, message: str, theirs: object = None):
        super().__init__(message)
        self.theirs = theirs
