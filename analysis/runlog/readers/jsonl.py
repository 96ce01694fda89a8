"""JSON lines, plain or gzip: one object a row; rows may have metrics of their own."""

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.columns import ALIASES, SETTING_PREFIXES, fold
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.readers.json_file import parse
from analysis.runlog.readers.settings import find_settings
from analysis.runlog.study import Run, RunLogError

NAME = "jsonl"
LOSES = "NaN where the writer put null (pandas, orjson); whether gradient norms are before clipping"
GZIP = b"\x1f\x8b"
MAX_DECODED = 2**31  # ours: bytes after decompression; 1 MB of gzip can hold 8 GB
MAX_LINE = 2**20  # ours
CONFIGS = frozenset(prefix[:-1] for prefix in SETTING_PREFIXES)  # objects of settings, usually in the first row
STEPS = frozenset(ALIASES[schema.STEP])


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the first line is a whole JSON object."""
    is_gzip = head.startswith(GZIP)
    if not is_gzip and head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
        return False
    try:
        with _open(path) as lines:
            first = next((line for line in iter(lambda: lines.readline(MAX_LINE), b"") if line.strip()), b"")
        return isinstance(parse(first.decode("utf-8-sig")), dict)
    except (OSError, EOFError, zlib.error, ValueError):
        return False


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: A line is no JSON object, or the rows have no step or no loss.
    """
    rows, notes = GatheredRows(path.name), []
    step_names = {(column_map or {}).get(schema.STEP)} - {None}
    last_step, num_placed, num_dropped = None, 0, 0
    settings: dict[str, object] = {}
    for row in read_objects(path, notes):
        settings |= _take_settings(row)
        if not row:
            continue
        named = next((name for name in row if name in step_names or (not step_names and fold(name) in STEPS)), None)
        if named is not None and row[named] is not None:
            last_step = (named, row[named])
        elif last_step is None:
            num_dropped += 1
            continue
        else:
            row[last_step[0]] = last_step[1]
            num_placed += 1
        rows.add(row)
    if num_dropped:
        notes.append(f"rows before the first step are left out: {num_dropped}")
    if num_placed:
        notes.append(f"rows without a step are placed at the step before: {num_placed}")
    if not rows.num_rows:
        raise RunLogError(f"{path.name} has no row with a step ({num_dropped} rows). Log a step in each, or map one")
    reading = Reading(settings | name_run(path, NAME), tuple(notes), keeps_nan=False)
    return (build_gathered_run(rows, path, reading, column_map),)


def _take_settings(row: dict) -> Mapping[str, object]:
    """Removes objects of settings from a row, and returns their fields of the run record."""
    objects = {name: row.pop(name) for name in CONFIGS & row.keys() if isinstance(row[name], dict)}
    found = {f"{name}/{setting}": value for name, each in objects.items() for setting, value in each.items()}
    return find_settings(found).fields


def _open(path: Path) -> io.BufferedIOBase:
    with path.open("rb") as file:
        is_gzip = file.read(2) == GZIP
    return gzip.open(path) if is_gzip else path.open("rb")


def read_objects(path: Path, notes: list[str]) -> Iterator[dict]:
    """Yields the objects; a last line that was cut off is noted, any other fault is refused."""
    try:
        with _open(path) as lines:
            yield from _parse_lines(path.name, lines, notes)
    except EOFError:
        notes.append("the gzip stream was cut off; rows up to there are read")
    except (gzip.BadGzipFile, zlib.error) as error:
        raise RunLogError(f"{path.name} is damaged gzip ({error}). Copy it again") from error


def _parse_lines(file: str, lines: io.BufferedIOBase, notes: list[str]) -> Iterator[dict]:
    num_bytes = 0
    for number, line in enumerate(iter(lambda: lines.readline(MAX_LINE + 1), b""), 1):
        num_bytes += len(line)
        if len(line) > MAX_LINE:
            raise RunLogError(f"{file} line {number} is longer than {MAX_LINE >> 20} MiB. Log numbers only")
        if num_bytes > MAX_DECODED:
            raise RunLogError(f"{file} decodes to more than {MAX_DECODED >> 30} GiB. Split it")
        if not line.strip():
            continue
        try:
            row = parse(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except ValueError as error:
            if not line.endswith(b"\n"):
                notes.append(f"line {number} was cut off while it was written and is left out")
                return
            raise RunLogError(f"{file} line {number} is no JSON object ({error}). Fix or delete the line") from error
        if not isinstance(row, dict):
            raise RunLogError(f"{file} line {number} is no JSON object. Fix or delete the line")
        yield row
