"""What a comment is about."""

from dataclasses import dataclass

from reviews.errors import ReviewError
from reviews.models import ANCHORS, Comment
from reviews.values import MAX_NAME, check_text

MAX_STEP = 2**63 - 1


@dataclass(frozen=True)
class Anchor:
    """What a thread is about; kind is one of models.ANCHORS.

    Attributes:
        kind: "review" (as a whole), "item", "run", "steps" (of a run), "finding" or "figure".
        name: Item id, run_id, code of the finding, or name of the figure; None for "review".
        first_step: First step of "steps".
        last_step: Last step of "steps", included.
    """

    kind: str = "review"
    name: str | None = None
    first_step: int | None = None
    last_step: int | None = None

    def check(self) -> "Anchor":
        """Returns the anchor if its parts fit its kind."""
        if self.kind not in ANCHORS or (self.kind == "review") != (self.name is None):
            raise ReviewError(
                f"A comment cannot be about {str(self.kind)[:40]!r} {str(self.name)[:40]!r}. "
                f"It needs one of {', '.join(ANCHORS)} and, but for review, a name. Choose what it is about"
            )
        if self.name is not None:
            check_text(f"name of the {self.kind}", self.name, MAX_NAME)
        steps = (self.first_step, self.last_step)
        is_range = all(type(step) is int for step in steps) and 0 <= steps[0] <= steps[1] <= MAX_STEP
        if not is_range if self.kind == "steps" else steps != (None, None):
            raise ReviewError(
                f"Steps {str(steps[0])[:20]} to {str(steps[1])[:20]} are no range for a comment about a {self.kind}. "
                "A range of steps runs from 0 or more up to the same or more. Choose it again"
            )
        return self


def anchor_of(comment: Comment) -> Anchor:
    """Returns what a comment is about."""
    return Anchor(comment.anchor_kind, comment.anchor_name, comment.first_step, comment.last_step)
