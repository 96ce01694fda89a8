"""The evidence of a point of a review, as it was when the review was opened: its picture and its numbers."""

from collections.abc import Mapping

from analysis.focus import choose_sweep, has_axis
from analysis.grad_norm import OUTLIER_RATIO
from analysis.lr_words import number
from analysis.results import Diagnosis, RunDiagnosis
from app_pages import words
from app_pages.norm_pictures import picture_of_curve
from app_pages.pictures import Picture, first_runs, key_of, picture_of_loss, picture_of_sweep, remember
from reviews.models import Item

MOST_RUNS = 8  # ours: lines of a picture
MOST_NUMBERS = 8  # ours: of the line below it
HEIGHT = 260  # pixels


def picture_of_item(item: Item, study: Diagnosis) -> Picture | None:
    """Draws what a point is about; None for a question, and for a study without the runs that it rests on."""
    content = item.content
    code = item.code if item.kind == "finding" else next(iter(content.get("because", ())), "")
    if item.kind == "question" or not study.runs:
        return None
    run_ids = content.get("run_ids") or run_ids_of(code, study)
    page = words.PAGE_OF_CHECK.get(code, "loss")
    sweep = choose_sweep(study)
    if page in ("lr_sweep", "compare") and has_axis(sweep):
        return remember(key_of(study, "review axis"), lambda: picture_of_sweep(study, sweep, HEIGHT))
    named = [judged for judged in study.runs if judged.run.run_id in set(run_ids)][:MOST_RUNS]
    if page == "grad_norm" and (logged := [judged for judged in named if judged.grad_norm is not None]):
        first = logged[0]
        return remember(key_of(study, "review norm", first.run.run_id), lambda: picture_of_norm(first))
    runs = named or first_runs(study, sweep)
    key = key_of(study, "review loss", tuple(judged.run.run_id for judged in runs))
    return remember(key, lambda: picture_of_loss(runs, sweep, height=HEIGHT))


def run_ids_of(code: str, study: Diagnosis) -> tuple[str, ...]:
    """Returns the runs that a finding rests on."""
    return next((finding.run_ids for finding in study.findings if finding.code == code), ())


def picture_of_norm(judged: RunDiagnosis) -> Picture:
    """Draws the norm of a run, with the line above which a norm stands out."""
    return picture_of_curve(judged, OUTLIER_RATIO * judged.grad_norm.p50)


def said_numbers(item: Item) -> str:
    """Returns the numbers of a fix in one line, as they were when the review was opened; a finding says its own."""
    found = item.content.get("numbers")
    if not isinstance(found, Mapping):
        return ""
    said = [f"{name.replace('_', ' ')} {say(value)}" for name, value in found.items() if is_plain(value)]
    return " · ".join(said[:MOST_NUMBERS])


def is_plain(value: object) -> bool:
    """Whether a value can stand in a line."""
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 40)


def say(value: object) -> str:
    """Returns a value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else number(value) if isinstance(value, float) else value
