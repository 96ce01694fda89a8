"""The audit in words: one row per change, and all of it as files."""

import json

import pandas as pd

from app_pages import review_words, shown
from app_pages.chart_files import write_csv
from reviews.models import AuditEntry

PAGE = 100  # ours: rows that are looked through at once
MOST_EXPORTED = 100_000  # ours: a review of 10,000 comments has about as many entries
KINDS = {
    "reviews": "Review",
    "items": "Point",
    "decisions": "Decision",
    "comments": "Comment",
    "sign_offs": "Signature",
    "screens": "Presenter",
    "snapshots": "State of the study",
    "people": "Person",
}
FIRST = ("choice", "fix", "reason", "text", "content", "title", "words", "outcome", "proof", "name", "role")
LEFT_OUT = {  # what the other columns say, counters, and ids of things without a name
    *("id", "review_id", "thread_id", "position", "weight", "number", "digest", "author_id", "decided_by_id"),
    *("added_at", "opened_at", "decided_at", "written_at", "edited_at", "shown_at", "signed_at", "decisions"),
}


def table_of(entries: tuple[AuditEntry, ...], known: dict[str, str], longest: int | None = None) -> pd.DataFrame:
    """Returns one row per change, in words; `known` are the names of reviews and people by id."""
    rows = [
        {
            "when": review_words.when(entry.at).removesuffix(" UTC"),
            "who": shown.name(entry.person_name),
            "what": f"{KINDS.get(entry.kind, entry.kind)} {entry.action}",
            "change": shown.literal(say_change(entry, known), longest),
            "review": shown.name(known.get(entry.review_id, "")),
        }
        for entry in entries
    ]
    return pd.DataFrame(rows, columns=["when", "who", "what", "change", "review"])


def say_change(entry: AuditEntry, known: dict[str, str]) -> str:
    """Says what changed: each value before and after; of what was made or deleted, its values."""
    before, after = entry.before or {}, entry.after or {}
    names = {name for name in {**before, **after} if name not in LEFT_OUT}
    if "item" in (before.get("anchor_kind"), after.get("anchor_kind")):
        names.discard("anchor_name")  # an id
    said = []
    for name in sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)):
        old, new = before.get(name), after.get(name)
        if name.endswith("_id") and not {old, new} & known.keys():
            continue
        values = [old, new] if entry.action == "changed" else [new if entry.before is None else old]
        if values != [None]:
            word = name.removesuffix("_id").replace("_", " ")
            said.append(f"{word}: {' → '.join(say(value, known) for value in values)}")
    return "; ".join(said)


def say(value: object, known: dict[str, str]) -> str:
    """Returns a value in words."""
    if isinstance(value, dict):
        return str(value.get("sentence", json.dumps(value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else known.get(str(value), str(value))


def write_json(entries: tuple[AuditEntry, ...]) -> str:
    """Returns entries as JSON, as they are stored."""
    names = ("id", "at", "person_id", "person_name", "review_id", "action", "kind", "object_id", "before", "after")
    return json.dumps([{name: getattr(entry, name) for name in names} for entry in entries], indent=1)


def write_file(entries: tuple[AuditEntry, ...], known: dict[str, str], ending: str) -> str:
    """Returns entries as a file: ".csv" in words, ".json" as they are stored."""
    return write_csv(table_of(entries, known)) if ending == ".csv" else write_json(entries)
