"""W&B's own log of a run, `run-ID.wandb`: records of protobuf in the framing of LevelDB's log."""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows
from analysis.runlog.readers.wandb_rows import STEP, WandbRun, build_wandb_run, read_setting, read_value
from analysis.runlog.study import Run, RunLogError

NAME = "wandb offline"
LOSES = "nothing that was logged as a number; media and tables, host, user and paths; whether norms are before clipping"
HEAD = b":W&B" + struct.pack("<HB", 0xBEE1, 0)  # magic number and version
BLOCK = 32_768
FRAME = struct.Struct("<IHB")  # CRC-32 of kind and payload, length of the payload, kind
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
SUMMARY = re.compile(rb"(?:\x08[\x80-\xff]*[\x00-\x7f])?\x1a")  # a Record: its number, and the tag of its field 3
REPEATS_ROW = b"_timestamp"  # what a summary has that W&B itself writes behind each row


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the file starts as W&B's logs do."""
    return head.startswith(HEAD)


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: There is no whole row before the first damage, no loss, or wandb is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
        from wandb.proto.wandb_internal_pb2 import Record
    except ImportError as error:
        raise RunLogError(f"{path.name} needs the package wandb. pip install wandb") from error
    content = path.read_bytes()
    if not content.startswith(HEAD):
        raise RunLogError(f"{path.name} is no {NAME} file. Choose another format")
    found = WandbRun(GatheredRows(path.name), name_run(path, NAME))
    has_end = False
    try:
        for payload in read_payloads(content, found.notes):
            if not _repeats_row(payload):
                has_end |= _take(Record.FromString(payload), found)
    except DecodeError as error:
        raise RunLogError(f"{path.name} is no {NAME} file ({error}). Copy it again") from error
    if not found.rows.num_rows:
        cause = f" ({found.notes[0]})" if found.notes else ""
        raise RunLogError(f"{path.name} has no row of history{cause}. Give the file of a run that logged")
    if not has_end:
        found.record[schema.STATUS] = "interrupted"
        found.notes.append("the file has no end of the run: it was killed, still runs, or the file was cut off")
    return (build_wandb_run(found, path, column_map),)


def read_payloads(content: bytes, notes: list[str]) -> Iterator[bytes]:
    """Yields the payloads of whole records; where a block is damaged, reading goes on behind it, and that is noted."""
    place, parts, damaged = len(HEAD), None, []
    while place + FRAME.size <= len(content):
        left = BLOCK - place % BLOCK
        if left < FRAME.size:
            place += left
            continue
        checksum, length, kind = FRAME.unpack_from(content, place)
        start = place + FRAME.size
        if length > left - FRAME.size or (checksum == 0 and kind == 0):
            damaged += [place] * (kind != 0)
            place, parts = place + left, None
            continue
        payload = content[start : start + length]
        if len(payload) < length:
            break
        if zlib.crc32(content[start - 1 : start + length]) != checksum:
            damaged.append(place)
            place, parts = place + left, None
            continue
        place = start + length
        if kind == FULL:
            yield payload
        elif kind == FIRST:
            parts = [payload]
        elif parts is not None:
            parts.append(payload)
            if kind == LAST:
                yield b"".join(parts)
                parts = None
    if damaged:
        what = "1 block" if len(damaged) == 1 else f"{len(damaged)} blocks"
        notes.append(f"{what} of {BLOCK >> 10} KiB damaged, first at byte {damaged[0]}; rows are missing")
    if place < len(content) or parts is not None:
        notes.append(f"the file is cut off at byte {place}; what comes before is read")


def _repeats_row(payload: bytes) -> bool:
    """Returns whether a record is a summary that repeats a row, as every second one is."""
    return SUMMARY.match(payload) is not None and REPEATS_ROW in payload


def _take(record, found: WandbRun) -> bool:
    """Adds a record to what is known of the run; returns whether it is its end."""
    kind = record.WhichOneof("record_type")
    if kind == "history":
        found.rows.add(_read_row(record.history))
    elif kind == "run":
        _take_run(record.run, found)
    elif kind == "config":
        _update(record.config, found.config)
    elif kind == "summary":
        _update(record.summary, found.summary)
    elif kind == "exit":
        found.record[schema.STATUS] = "interrupted" if record.exit.exit_code else "finished"
    return kind == "exit"


def _take_run(run, found: WandbRun) -> None:
    """Adds how the run was started: its name, settings, and whether it goes on from another."""
    found.record[schema.NAME] = run.display_name or run.run_id or found.record[schema.NAME]
    if run.HasField("start_time"):
        found.record[schema.STARTED_AT] = run.start_time.ToJsonString()
    _update(run.config, found.config)
    if run.forked or run.HasField("branch_point"):
        found.notes.append(f"the run is a fork of another; that one has the steps before {run.starting_step}")
    elif run.resumed or run.starting_step:
        found.notes.append(f"the run goes on at step {run.starting_step}; another file has the steps before")


def _read_row(history) -> dict[str, object]:
    """Returns the metrics of a row by name; nested ones are joined by dots, as W&B shows them."""
    row: dict[str, object] = {STEP: history.step.num}
    for item in history.item:  # 600,000 for 100,000 steps
        name = item.key
        if not name:
            nested = item.nested_key
            name = nested[0] if len(nested) == 1 else ".".join(nested)
        row[name] = read_value(item.value_json)
    return row


def _update(changes, into: dict[str, object]) -> None:
    """Takes changes of a configuration or summary over."""
    for item in changes.update:
        place = into
        *folders, name = item.nested_key or [item.key]
        for folder in folders:
            inner = place.get(folder)
            place[folder] = inner if isinstance(inner, dict) else {}
            place = place[folder]
        place[name] = read_setting(item.value_json)
