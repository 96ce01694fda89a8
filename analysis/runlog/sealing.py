"""Sealed runs: one Parquet file whose every bit is checked when it is read."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.runlog import layout, line_log, schema
from analysis.runlog.study import RunLogError

RECORD_KEY = b"steadystep.run"
LOG_KEY = b"steadystep.log"
CONTENT_KEY = b"steadystep.crc32"


def checksum(table: pa.Table) -> int:
    """Returns a CRC-32 of column names, values and gaps, and of the metadata that belongs to the run."""
    metadata = table.schema.metadata or {}
    total = zlib.crc32(repr([metadata.get(key) for key in (RECORD_KEY, LOG_KEY)]).encode())
    for name in table.column_names:
        column = table[name].combine_chunks()
        total = zlib.crc32(f"{name} {column.type} {len(column)}".encode(), total)
        if column.null_count:
            logged, column = column.is_valid().to_numpy(zero_copy_only=False), column.fill_null(0)
        else:  # the usual case, in half the time
            logged = np.ones(len(column), bool)
        total = zlib.crc32(logged, total)
        total = zlib.crc32(column.to_numpy(zero_copy_only=False), total)
    return total


def write_sealed(
    path: Path, table: pa.Table, record: Mapping[str, object], log: Mapping[str, object] | None = None
) -> None:
    """Writes a sealed file: temporary file, sync, read back and compared, renamed.

    Args:
        path: The file to be; its folder exists.
        table: Rows in the order they were written; step int64, all else float64, `attempt` where there were several.
        record: Run record.
        log: What an import learned about the log, kept beside the record.

    Raises:
        RunLogError: What was read back is not what was written.
    """
    metadata = {RECORD_KEY: line_log.encode_line(record).strip()}
    if log is not None:
        metadata[LOG_KEY] = line_log.encode_line(log).strip()
    table = table.replace_schema_metadata(metadata)
    total = checksum(table)
    temporary = path.with_name(path.name + ".tmp")
    counts = [name for name in table.column_names if name in (schema.STEP, schema.ATTEMPT)]
    pq.write_table(
        table.replace_schema_metadata(metadata | {CONTENT_KEY: b"%08x" % total}),
        temporary,
        compression="zstd",
        write_page_checksum=True,
        use_dictionary=[name for name in table.column_names if name == schema.LR],
        column_encoding={
            name: "DELTA_BINARY_PACKED" if name in counts else "BYTE_STREAM_SPLIT"
            for name in table.column_names
            if name != schema.LR
        },
    )
    if checksum(read_sealed(temporary)) != total:
        raise RunLogError(f"{temporary} does not read back as it was written; the live log is kept. Check the disk")
    layout.publish_file(temporary, path)


def read_sealed(source: Path | BinaryIO, name: str | None = None) -> pa.Table:
    """Reads a sealed file and verifies the checksums of its pages and of its content.

    Raises:
        RunLogError: The file is damaged.
    """
    name = name or str(source)
    try:
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            table = file.read(use_threads=False)
        expected = (table.schema.metadata or {}).get(CONTENT_KEY)
        intact = expected is None or expected == b"%08x" % checksum(table)
    except (pa.ArrowException, OSError, ValueError, MemoryError, KeyError, TypeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise RunLogError(f"{name} cannot be read as Parquet ({reason}). Restore it from a copy") from error
    if not intact:
        raise RunLogError(f"{name} is damaged (its values do not match their checksum). Restore it from a copy")
    return table


def read_metadata(table: pa.Table, key: bytes, name: str) -> dict[str, object]:
    """Returns the JSON record under a metadata key, or an empty record where the key is missing."""
    text = (table.schema.metadata or {}).get(key)
    if text is None:
        return {}
    try:
        fields = json.loads(text)
        if line_log.CHECKSUM in fields:
            fields = line_log.decode_line(text + b"\n")
        return dict(fields)
    except (ValueError, TypeError) as error:
        raise RunLogError(f"{name} has no JSON record under {key.decode()} ({error}). Use json.dumps") from error
