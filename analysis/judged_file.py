"""Diagnoses kept between two starts: a file that may be deleted, or damaged, at any time. No rule reads it.

One line a run: what it was judged to be, under a key of all that the judgment rests on. A line that is not whole, or
was written by other rules, does not count.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin, get_type_hints

from analysis.results import RunDiagnosis
from analysis.runlog import Run, layout, line_log, sealing

KEPT_FOLDER = ".judged"  # of the store; a study's name never starts with a dot
PER_RUN = {"run", "series"}  # not kept: the run is read anyhow, its label depends on the other runs


def rules_version() -> str:
    """Returns a text that changes with any line of the rules."""
    total, here = hashlib.sha256(), Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *here.glob("loss_rise/*.py")]):
        total.update(path.read_bytes())
    return total.hexdigest()


RULES = rules_version()  # of the rules that this process has loaded


def key_of_run(run: Run) -> str:
    """Returns a text that changes with the record, with a row, with what the log can show, and with the rules."""
    facts = (RULES, sorted(run.record.items()), run.log, sealing.checksum(run.steps))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def kept_path(study: str, store: str | os.PathLike | None = None) -> Path:
    """Returns the file of a study's diagnoses, which need not exist."""
    return layout.store_folder(store) / KEPT_FOLDER / f"{layout.check_name('study', study)}.jsonl"


def read_judged(path: Path) -> dict[str, str]:
    """Returns the diagnoses of a file by key, as text; none where there is no file."""
    with contextlib.suppress(OSError):
        rows = (line_log.decode_line(line) for line in path.read_bytes().splitlines(keepends=True))
        return {row["key"]: row["judged"] for row in rows if row is not None}
    return {}


def write_judged(path: Path, judged: Mapping[str, str]) -> None:
    """Replaces a file of diagnoses in one go; a store that cannot be written to goes without."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        layout.replace_file(path, _to_lines(judged))


def append_judged(path: Path, judged: Mapping[str, str]) -> None:
    """Adds diagnoses to a file in one write, so that several processes may; a store may refuse, as above."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(_to_lines(judged))


def _to_lines(judged: Mapping[str, str]) -> bytes:
    return b"".join(line_log.encode_line({"key": key, "judged": text}) for key, text in judged.items())


def to_text(judged: RunDiagnosis) -> str:
    """Returns what a run was judged to be, without the run and its label."""
    kept = {field.name: getattr(judged, field.name) for field in fields(judged) if field.name not in PER_RUN}
    return json.dumps(kept, default=asdict)


_kinds_of = lru_cache(get_type_hints)  # reading them takes longer than the rest of a diagnosis


def from_text(text: str, run: Run, series: str) -> RunDiagnosis:
    """Returns the diagnosis of a run from what `to_text` made of it."""
    kinds = _kinds_of(RunDiagnosis)
    return RunDiagnosis(run, series, **{name: _restore(kinds[name], kept) for name, kept in json.loads(text).items()})


def _restore(kind: type, kept: object) -> object:
    """Returns a value of a type from what JSON keeps of it: lists were tuples, objects were dataclasses."""
    if kept is None:
        return None
    if get_origin(kind) is UnionType:
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is tuple:
        return tuple(_restore(get_args(kind)[0], part) for part in kept)
    if is_dataclass(kind):
        kinds = _kinds_of(kind)
        return kind(**{name: _restore(kinds[name], part) for name, part in kept.items()})
    return kept
