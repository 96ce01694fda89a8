"""Decisions of a team, read from an exported review: every value is checked, for the file may come from anywhere."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from analysis.runlog import RunLogError

SCHEMA = "steadystep.review/1"
MAX_BYTES = 64 << 20  # as reviews/bring_in.py: a diagnosis of 1,000 runs is about 1 MB
CHOICES = {"accept": "Accepted", "reject": "Rejected", "probe": "Needs a probe", "leave": "Left as it is"}


@dataclass(frozen=True)
class Decided:
    """One point of the agenda, and what stands about it.

    Attributes:
        sentence: The point.
        choice: What was chosen, in words; "Not decided" where nothing was.
        owner: Who is to do it, "" for nobody.
        reason: Why.
        decided_at: When, ISO 8601, "" where nothing was decided.
        proof: What came of it: "Confirmed by run 01J...", "" where nothing did yet.
    """

    sentence: str
    choice: str
    owner: str = ""
    reason: str = ""
    decided_at: str = ""
    proof: str = ""


@dataclass(frozen=True)
class Review:
    """A review as a report tells it.

    Attributes:
        study: Study that it is of.
        fingerprint: State of the study that it was opened on.
        heading: Its title and whether it is closed, in one line.
        words: What the team closed with.
        points: The agenda, heaviest first.
        signed: Who signed and when, one sentence each.
    """

    study: str
    fingerprint: str
    heading: str
    words: str
    points: tuple[Decided, ...]
    signed: tuple[str, ...]


def read_review(path: str | os.PathLike) -> Review:
    """Reads an exported review from a file.

    Raises:
        RunLogError: The file cannot be read, or is no exported review.
    """
    try:
        if os.path.getsize(path) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES >> 20} MiB")
        with open(path, encoding="utf-8") as file:
            return parse_review(json.load(file))
    except OSError as error:
        raise RunLogError(f"{path} cannot be read ({error.strerror}). --review needs an exported review") from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {str(error)[:60]}"
        raise RunLogError(
            f"{path} is no exported review ({reason}). A file of the schema {SCHEMA} is needed. Export it again"
        ) from error


def parse_review(exported: Mapping[str, object]) -> Review:
    """Returns a review from the values of its export; what does not fit raises KeyError, TypeError or ValueError."""
    if exported["schema"] != SCHEMA:
        raise ValueError(f"schema {exported['schema']!r}")
    people = [text(person, "name") for person in exported["people"]]
    told = exported["review"]
    closed = told["closed_at"]
    state = f"closed on {text(told, 'closed_at')[:10]}" if closed is not None else "open"
    points = tuple(read_point(item, people) for item in exported["items"])
    last = max((point.decided_at for point in points), default="")
    return Review(
        text(told, "study"),
        text(told, "fingerprint"),
        f"{text(told, 'title')}, {state}",
        text(told, "words"),
        points,
        tuple(say_signed(entry, people, last) for entry in exported["sign_offs"]),
    )


def read_point(item: Mapping[str, object], people: list[str]) -> Decided:
    """Returns a point of the agenda; its last decision is the one that stands."""
    sentence = text(item["content"], "sentence")
    decisions = [*item["decisions"]]
    if not decisions:
        return Decided(sentence, "Not decided")
    made = decisions[-1]
    fix = "" if made["fix"] is None else f" {text(made, 'fix')}"
    proof = ""
    if made["outcome"] is not None:
        proof = f"{text(made, 'outcome').capitalize()} by {text(made, 'proof_kind')} {text(made, 'proof')}"
    owner = person(made, "owner", people)
    choice = CHOICES[text(made, "choice")] + fix
    return Decided(sentence, choice, owner, text(made, "reason"), text(made, "decided_at"), proof)


def say_signed(entry: Mapping[str, object], people: list[str], last: str) -> str:
    """Says who signed and when, and whether something was decided afterwards."""
    signed_at = text(entry, "signed_at")
    later = ", before the last decision" if signed_at < last else ""
    return f"{person(entry, 'person', people)}, {signed_at[:10]}{later}"


def text(row: Mapping[str, object], word: str) -> str:
    """Returns a value that must be a text."""
    value = row[word]
    if not isinstance(value, str):
        raise TypeError(f"{word} is a {type(value).__name__}")
    return value


def person(row: Mapping[str, object], word: str, people: list[str]) -> str:
    """Returns the name of the person at a place."""
    place = row[word]
    if type(place) is not int or not 0 <= place < len(people):
        raise ValueError(f"{word} is no place among {len(people)} people")
    return people[place]
