"""Studies and reviews with known answers, some of them hostile."""

import json
from datetime import UTC, datetime
from pathlib import Path

from analysis.findings import diagnose
from analysis.report import Report, Review, gather
from analysis.runlog import Run
from tests.studies import make_study, sweep

MADE_AT = datetime(2026, 11, 28, 4, 12, tzinfo=UTC)
HOSTILE = (
    "<img src=x onerror=alert(1)></script><script>alert(2)</script> [x](javascript:alert(3)) "
    "![y](//evil.example/b.png) | `# @all #12 www.evil.example {{ 7*7 }} \u202e\u2028\x00\ud800"
)
FORMULA = '=HYPERLINK("http://evil.example","x")'


def report_of(runs: list[Run], *reviews: Review, name: str = "study") -> Report:
    """Gathers the report of runs."""
    return gather(diagnose(make_study(runs, name)), MADE_AT, reviews)


def hostile_runs() -> list[Run]:
    """Makes a sweep with an edge, all of whose words are hostile."""
    records = ({"stride": HOSTILE, "schedule": FORMULA}, {"stride": FORMULA, "schedule": HOSTILE})
    runs = [run for record, edge in zip(records, (0.3, 9.0), strict=True) for run in sweep(edge, seeds=2, **record)]
    words = {"name": HOSTILE, "optimizer": HOSTILE, "versions": {HOSTILE: FORMULA}, FORMULA: HOSTILE}
    return [
        Run(dict(run.record) | {"run_id": f"{HOSTILE[:20]}{place:03}"} | words, run.steps, run.log)
        for place, run in enumerate(runs)
    ]


def exported(**changes: object) -> dict:
    """Returns an exported review of a study: an accepted fix that was confirmed, a rejected one, an open question."""
    first = {
        "choice": "reject", "fix": None, "reason": "first thought", "decided_at": "2026-11-26T10:00:00.000000+00:00",
        "outcome": None, "proof_kind": None, "proof": None, "owner": 0, "decided_by": 0,
    }  # fmt: skip
    second = first | {
        "choice": "accept", "fix": "warmup", "reason": "cheapest", "decided_at": "2026-11-27T10:00:00.000000+00:00",
        "outcome": "confirmed", "proof_kind": "run", "proof": "01J", "owner": 1,
    }  # fmt: skip
    items = [("Warm up to 3.", [first, second]), ("Clip at 1.7.", [first]), ("Is the data shuffled?", [])]
    return {
        "schema": "steadystep.review/1",
        "review": {
            "study": "study", "fingerprint": "an earlier one", "title": "Stride bug", "state": "closed",
            "words": "We warm up.", "opened_at": "2026-11-25T10:00:00.000000+00:00",
            "closed_at": "2026-11-27T12:00:00.000000+00:00", "opened_by": 0,
        },
        "diagnosis": {"schema": "steadystep.diagnosis/1"},
        "people": [{"subject": "a", "name": "Ada"}, {"subject": "b", "name": "Bo"}],
        "items": [
            {"kind": "fix", "code": "x", "weight": 1, "content": {"sentence": sentence}, "decisions": decisions}
            for sentence, decisions in items
        ],
        "comments": [],
        "sign_offs": [
            {"signed_at": "2026-11-27T11:00:00.000000+00:00", "decisions": "d", "person": 0},
            {"signed_at": "2026-11-26T11:00:00.000000+00:00", "decisions": "c", "person": 1},
        ],
    } | changes  # fmt: skip


def write_review(folder: Path, content: object) -> Path:
    """Writes an exported review to a file."""
    path = folder / "review.json"
    path.write_text(json.dumps(content))
    return path
