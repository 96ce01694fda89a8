"""JSON of others: strict where it matters (one value per key), lenient in NaN and Infinity, bounded in size."""

import json
from collections.abc import Mapping
from pathlib import Path

from analysis.runlog.study import RunLogError

MAX_BYTES = 512 * 2**20  # ours: a whole file of JSON is held in memory, about 8 times its size


def read_object(path: Path) -> dict:
    """Returns the object in a file.

    Raises:
        RunLogError: The file is too large, or holds no valid JSON object.
    """
    if path.stat().st_size > MAX_BYTES:
        raise RunLogError(f"{path.name} is larger than {MAX_BYTES >> 20} MiB. Write it as JSON lines")
    try:
        value = parse(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RunLogError(f"{path.name} is not UTF-8 text (byte {error.start}). Save it as UTF-8") from error
    except ValueError as error:
        raise RunLogError(f"{path.name} is no valid JSON ({error}). Write or copy it again") from error
    if not isinstance(value, dict):
        raise RunLogError(f"{path.name} holds a {type(value).__name__}, not an object. Write it as JSON lines")
    return value


def parse(text: str) -> object:
    """Returns the value of a JSON text; NaN and Infinity are numbers.

    Raises:
        ValueError: The text is no JSON, nested too deep, or has a key twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_single_keys)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _single_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)[:60]!r} comes twice")
    return found


def pick_count(source: Mapping[str, object], key: str) -> int | None:
    """Returns a whole number from 0 that a step can be, else None."""
    value = source.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
