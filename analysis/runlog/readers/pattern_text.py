r"""Text of any kind, by a regular expression of the user: `(?P<step>\d+).*loss=(?P<train_loss>\S+)`."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from analysis.runlog import schema
from analysis.runlog.readers.columns import ALIASES, fold
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run, to_number
from analysis.runlog.readers.text_file import read_lines
from analysis.runlog.study import Run, RunLogError

NAME = "pattern text"
LOSES = "what the pattern does not name; lines that it does not match; whether losses are means; place of the norm"
CHUNK_CHARACTERS = 2**22  # ours: bounds the memory of lines that wait to be matched
PUNCTUATION = ",;|)]}'\""  # what \S+ takes along behind a number
STEPS = frozenset(ALIASES[schema.STEP])


def recognises(path: Path, head: bytes) -> bool:
    """Returns False: which text fits is for the user to say, with a pattern."""
    return False


def read(path: Path, column_map: Mapping[str, str] | None = None, pattern: str = "") -> tuple[Run, ...]:
    r"""Reads the run of a file.

    The pattern is matched by RE2, whose time is linear in the text whatever the pattern: it knows no references back
    and no look around.

    Args:
        path: The file.
        column_map: Names of the schema to names of groups.
        pattern: Regular expression whose groups all have names; the first match of a line counts.

    Raises:
        RunLogError: The pattern is missing or no such expression, no line has it, or a value is no number.
    """
    if not pattern:
        raise RunLogError(f"{path.name}: {NAME} needs a pattern. Give --pattern '(?P<step>\\d+).*loss=(?P<loss>\\S+)'")
    groups = _name_groups(pattern)
    rows, notes, record = GatheredRows(path.name), [], name_run(path, NAME)
    has_step = schema.STEP in (column_map or {}) or any(fold(name) in STEPS for name in groups)
    num_lines = 0
    for lines in _chunks(path):
        for number, found in enumerate(pc.extract_regex(pa.array(lines), pattern).to_pylist(), num_lines + 1):
            if found is not None:
                row = _read_row(found, f"{path.name} line {number}")
                rows.add(row if has_step else {schema.STEP: rows.num_rows, **row})
        num_lines += len(lines)
    if not rows.num_rows:
        raise RunLogError(f"{path.name} has no line that the pattern matches (of {num_lines}). Try it on one line")
    notes.append(f"lines that the pattern matches: {rows.num_rows} of {num_lines}")
    if not has_step:
        record[schema.STEP_UNIT] = "log index"
        notes.append("steps are numbers of matched lines: the pattern names no step")
    return (build_gathered_run(rows, path, Reading(record, tuple(notes)), column_map),)


def _name_groups(pattern: str) -> list[str]:
    try:
        groups = [field.name for field in pc.extract_regex(pa.array([""]), pattern).type]
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise RunLogError(
            f"pattern {pattern[:80]!r} cannot be used ({reason}). Name every group, (?P<loss>...)"
        ) from error
    double = next((name for name in groups if groups.count(name) > 1), None)
    if double or not groups:
        what = f"has two groups {double}" if double else "has no group"
        raise RunLogError(f"pattern {pattern[:80]!r} {what}. Name each number once, (?P<loss>...)")
    return groups


def _chunks(path: Path) -> Iterator[list[str]]:
    lines, size = [], 0
    for line in read_lines(path):
        lines.append(line)
        size += len(line) + 1
        if size >= CHUNK_CHARACTERS:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def _read_row(found: Mapping[str, str], line: str) -> dict[str, float]:
    """Returns the numbers of a match; a group that took no part in it was not logged."""
    row = {name: to_number(text.rstrip(PUNCTUATION)) for name, text in found.items() if text}
    wrong = next((name for name, number in row.items() if number is None), None)
    if wrong is not None:
        raise RunLogError(f"{line}: {found[wrong][:40]!r} as {wrong} is not a number. Narrow the group")
    return row
