"""The live log: strict JSON lines with a checksum, appended one write a row, so that a killed run loses nothing.

A line is `{"_q":12,"_a":1,"step":12,"train_loss":null,"_nf":{"train_loss":"nan"},"_c":"0f1e2d3c"}`: number of the
row in the file, attempt, step, metrics. A value that is not finite is null and named in `_nf`; `_c` is the CRC-32
of all bytes before `,"_c"`. A line is whole or it does not count.
"""

import errno
import json
import math
import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROW, ATTEMPT, NON_FINITE, CHECKSUM = "_q", "_a", "_nf", "_c"
RESERVED = frozenset({ROW, ATTEMPT, NON_FINITE, CHECKSUM})
SYNC_SECONDS = 1.0  # ours: what a power loss may take; a kill takes nothing
BATCH_LINES = 50_000  # ours: bounds the memory of a scan

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_LEAD, _TAIL = b',"_c":"', b'"}\n'
_TRAILER = len(_LEAD) + 8 + len(_TAIL)


def encode_line(fields: Mapping[str, object]) -> bytes:
    """Returns the fields as one line of strict JSON that ends in its checksum.

    Args:
        fields: At least one field; floats may be NaN or infinite, values inside lists and records may not.

    Raises:
        TypeError, ValueError: JSON cannot hold a value.
    """
    try:
        text = _encode(fields)
    except ValueError:
        text = _encode(_without_non_finite(fields))
    body = text[:-1].encode()
    return b'%s,"_c":"%08x"}\n' % (body, zlib.crc32(body))


def _without_non_finite(fields: Mapping[str, object]) -> dict[str, object]:
    lost = {name: str(value) for name, value in fields.items() if type(value) is float and not math.isfinite(value)}
    return {name: None if name in lost else value for name, value in fields.items()} | {NON_FINITE: lost}


def decode_line(line: bytes) -> dict[str, object] | None:
    """Returns the fields of a line, or None if one bit of it is not as it was written."""
    body = line[:-_TRAILER]
    if line[-_TRAILER:] != b"%s%08x%s" % (_LEAD, zlib.crc32(body), _TAIL):
        return None
    fields = json.loads(line.decode())
    del fields[CHECKSUM]
    if NON_FINITE in fields:
        fields.update({name: float(text) for name, text in fields.pop(NON_FINITE).items()})
    return fields


@dataclass(frozen=True)
class Scan:
    """What a stretch of a log holds.

    Attributes:
        rows: Fields of the good lines, in the order they were written.
        damaged: Lines that do not match their checksum; they are passed over.
        end: Byte offset after the last whole line, where the next scan goes on.
        next_row: Number of the row that would come next.
    """

    rows: list[dict[str, object]]
    damaged: int
    end: int
    next_row: int


def tail(path: Path, offset: int = 0, max_lines: int | None = None) -> Scan:
    """Reads the whole lines from a byte offset on; a last line without its line end waits for the next call."""
    rows, damaged, next_row = [], 0, 0
    with path.open("rb") as lines:
        lines.seek(offset)
        for count, line in enumerate(lines):
            if count == max_lines or not line.endswith(b"\n"):
                break
            offset += len(line)
            fields = decode_line(line)
            if fields is None:
                damaged += 1
                next_row += 1
            else:
                rows.append(fields)
                next_row = fields[ROW] + 1
    return Scan(rows, damaged, offset, next_row)


class LineLog:
    """Appends rows to a log file that no one else writes.

    Opening cuts a torn last line, the trace of a kill or of a full disk, and goes on with the next row and attempt.
    """

    _num_open = 0  # of this process

    def __init__(self, path: Path) -> None:
        """Opens or creates the log."""
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._next_row, self.attempt = self._recover()
        self._last_sync = time.monotonic()
        LineLog._num_open += 1

    def _recover(self) -> tuple[int, int]:
        end, next_row, attempt, more = 0, 0, 0, True
        while more:
            scan = tail(self._path, end, BATCH_LINES)
            more, end = scan.end > end, scan.end
            next_row = scan.next_row if scan.rows else next_row + scan.damaged
            attempt = scan.rows[-1][ATTEMPT] if scan.rows else attempt
        if os.fstat(self._handle).st_size > end:
            os.ftruncate(self._handle, end)
        return next_row, attempt + 1

    def append(self, fields: Mapping[str, object]) -> None:
        """Writes one row; when this returns, the row survives a kill of the process.

        A second between two syncs to the disk, times the open logs of this process: a sync costs 1 to 2 ms, and
        dozens of runs trained together must not add up.

        Raises:
            OSError: The row could not be written whole; the log ends after the row before.
        """
        row = self._next_row
        line = encode_line({ROW: row, ATTEMPT: self.attempt, **fields})
        self._next_row = row + 1
        try:
            self._write(line)
        except OSError as error:
            self._next_row = row
            raise OSError(
                error.errno,
                f"{self._path}: row {row} was not written ({error.strerror}); all rows before it are safe. "
                "Free the disk, then resume the run",
            ) from error
        if time.monotonic() - self._last_sync >= SYNC_SECONDS * LineLog._num_open or NON_FINITE.encode() in line:
            self.sync()

    def _write(self, line: bytes) -> None:
        written = os.write(self._handle, line)
        if written != len(line):
            os.ftruncate(self._handle, os.fstat(self._handle).st_size - written)
            raise OSError(errno.ENOSPC, f"{written} of {len(line)} bytes fit")

    def sync(self) -> None:
        """Makes all rows survive a power loss."""
        os.fdatasync(self._handle)
        self._last_sync = time.monotonic()

    def close(self) -> None:
        """Syncs and closes the log."""
        LineLog._num_open -= 1
        try:
            self.sync()
        finally:
            os.close(self._handle)
