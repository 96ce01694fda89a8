"""Reads the rows of a .wandb file: LevelDB log framing around protobuf records, as W&B 0.31 writes it."""

import json
import struct
import zlib

BLOCK, HEADER = 32_768, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4


def read_records(content):
    """Yields the payload of every record; any damage fails the test that reads."""
    assert content[:4] == b":W&B"
    position, parts = HEADER, b""
    while position + HEADER <= len(content):
        left = BLOCK - position % BLOCK
        if left < HEADER:
            position += left
            continue
        checksum, length, kind = struct.unpack("<IHB", content[position : position + HEADER])
        payload = content[position + HEADER : position + HEADER + length]
        assert zlib.crc32(bytes([kind]) + payload) == checksum
        position += HEADER + length
        parts = payload if kind in (FULL, FIRST) else parts + payload
        if kind in (FULL, LAST):
            yield parts


def read_rows(path):
    """Returns the logged rows, one dict a history record, without W&B's own columns."""
    from wandb.proto.wandb_internal_pb2 import Record

    rows = []
    for payload in read_records(path.read_bytes()):
        record = Record.FromString(payload)
        if record.WhichOneof("record_type") == "history":
            items = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
            rows.append({name: json.loads(text) for name, text in items.items() if not name.startswith("_")})
    return rows
