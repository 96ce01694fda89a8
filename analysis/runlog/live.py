"""Reading a run that is still being written, or was interrupted: its record and the rows so far."""

import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from analysis.runlog import layout, line_log, row_table
from analysis.runlog.study import RunLogError

MAX_CACHED_RUNS = 256  # ours: about 0.5 MB a run of 10,000 rows
MARK_BYTES = 64  # ours: the end of one line


@dataclass(frozen=True)
class LiveRows:
    """The rows of a live log up to a byte offset.

    Attributes:
        table: Rows in the order they were written, with the column `attempt`.
        damaged: Lines that did not match their checksum and are left out.
        end: Byte offset after the last whole line.
        mark: The last bytes before `end`, with the checksum of the last row: the file is still the same.
    """

    table: pa.Table
    damaged: int
    end: int
    mark: bytes


_cache: dict[str, LiveRows] = {}


def read_record(folder: Path) -> dict[str, object]:
    """Returns the run record of a run folder.

    Raises:
        RunLogError: There is none, or it is damaged.
    """
    path = folder / layout.RUN_FILE
    try:
        record = line_log.decode_line(path.read_bytes())
    except FileNotFoundError as error:
        raise RunLogError(f"{folder} has no {layout.RUN_FILE}: the run died at its start. Delete the folder") from error
    if record is None:
        raise RunLogError(f"{path} is damaged (it does not match its checksum). Restore it from a copy")
    return record


def read_rows(path: Path) -> LiveRows:
    """Returns all rows of a live log; a log that was read before is read from where it ended then."""
    size = os.stat(path).st_size
    known = _cache.get(str(path))
    if known is None or known.mark != read_mark(path, known.end):
        known = LiveRows(row_table.build_table([]), 0, 0, b"")
    end, damaged, tables = known.end, known.damaged, [known.table]
    while end < size:
        scan = line_log.tail(path, end, line_log.BATCH_LINES)
        if scan.end == end:
            break
        end, damaged = scan.end, damaged + scan.damaged
        tables.append(row_table.build_table(scan.rows))
    if len(tables) > 1:
        known = LiveRows(row_table.join_tables(tables), damaged, end, read_mark(path, end))
    _cache.pop(str(path), None)
    _cache[str(path)] = known
    while len(_cache) > MAX_CACHED_RUNS:
        _cache.pop(next(iter(_cache)), None)
    return known


def read_mark(path: Path, end: int) -> bytes:
    """Returns the last bytes of a live log before a byte offset: as long as they stay, it is the same log."""
    with path.open("rb") as file:
        file.seek(max(end - MARK_BYTES, 0))
        return file.read(min(end, MARK_BYTES))
