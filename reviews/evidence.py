"""What a review keeps of the runs that it was opened on, so that its pictures show what was seen."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from analysis.frozen import MAY_CHANGE, FrozenRun, freeze_published
from reviews.access import find_review
from reviews.models import Person, Snapshot
from reviews.store import ReviewStore
from reviews.values import MAX_NAME, check_text

FIELDS = {"run_id", "num_rows", "digest", "record"}
PLAIN = (str, int, float)  # what a value of a record may be; or a list of these


def write_entries(frozen: Iterable[FrozenRun]) -> list[dict[str, object]]:
    """Returns what was noted of runs as plain JSON values."""
    return [asdict(each) for each in frozen]


def read(store: ReviewStore, actor: Person, review_id: str) -> tuple[FrozenRun, ...]:
    """Returns what was noted of the runs; of a review without notes, what its diagnosis tells of them."""
    with store.reading(actor) as (session, _):
        snapshot = session.get(Snapshot, find_review(session, review_id).id)
    if snapshot.evidence is None:
        return freeze_published(snapshot.diagnosis.get("runs", ()))
    return tuple(FrozenRun(**entry) for entry in snapshot.evidence)


def check_entries(entries: object) -> list[dict[str, object]] | None:
    """Returns the notes of an export unchanged.

    Raises:
        TypeError: They are no notes.
    """
    if entries is None:
        return None
    if not isinstance(entries, list):
        raise TypeError("evidence is no list")
    for entry in entries:
        check_entry(entry)
    return entries


def check_entry(entry: Mapping[str, object]) -> None:
    """Refuses what is no note of a run."""
    if not isinstance(entry, dict) or entry.keys() != FIELDS:
        raise TypeError("evidence has other fields")
    check_text("run_id", entry["run_id"], MAX_NAME)
    check_text("digest", entry["digest"], 64, may_be_empty=True)
    if type(entry["num_rows"]) is not int or not 0 <= entry["num_rows"] < 2**63:
        raise TypeError("num_rows is no count")
    record = entry["record"]
    if record is None:
        return
    values = [*record.values()]
    values += [part for value in values if isinstance(value, list) for part in value]
    if not record.keys() <= set(MAY_CHANGE) or not all(isinstance(value, (*PLAIN, list)) for value in values):
        raise TypeError("record of a run has other values")
