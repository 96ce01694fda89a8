"""TensorBoard event files: every scalar, from PyTorch (simple values) and TF2 (tensors)."""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from analysis.runlog import schema
from analysis.runlog.readers.foreign_rows import name_run
from analysis.runlog.readers.gathered_rows import GatheredRows, Reading, build_gathered_run
from analysis.runlog.study import Run, RunLogError

NAME = "tensorboard events"
LOSES = "metaparameters; whether gradient norms are before clipping"
VERSION = b"brain.Event:"
LENGTH, CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
MAX_RECORD = 64 * 2**20  # ours: a length above is damage
MAX_SCALARS = 2**16  # ours: bytes; larger records hold graphs, images or histograms
FILE_NAME = re.compile(r"events\.out\.tfevents\.\d+")  # a host name and a process number follow
DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # DataType of tensorflow/core/framework/types.proto


def recognises(path: Path, head: bytes) -> bool:
    """Returns whether the first record is the version that every event file starts with."""
    return len(head) > 12 and LENGTH.unpack(head[:8])[0] < 256 and VERSION in head[12:64]


def read(path: Path, column_map: Mapping[str, str] | None = None) -> tuple[Run, ...]:
    """Reads the run of a file.

    Raises:
        RunLogError: The file is damaged before the first scalar, has no step or loss, or tensorboard is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
        from tensorboard.compat.proto.event_pb2 import Event
    except ImportError as error:
        raise RunLogError(f"{path.name} needs the package tensorboard. pip install tensorboard") from error
    rows, notes = GatheredRows(path.name), []
    try:
        for row in _join_steps(Event.FromString(record) for record in _read_records(path, notes)):
            rows.add(row)
    except DecodeError as error:
        raise RunLogError(f"{path.name} is no event file ({error}). Copy it again") from error
    if not rows.num_rows:
        cause = f" ({notes[0]})" if notes else ""
        raise RunLogError(f"{path.name} has no scalars{cause}. Give the event file of the training run")
    return (build_gathered_run(rows, path, Reading(_name(path), tuple(notes)), column_map),)


def _name(path: Path) -> dict[str, object]:
    """Returns the first fields of the record: named by the folder, for the file's name is a time and a host."""
    record = name_run(path, NAME)
    if match := FILE_NAME.match(path.name):
        record |= {schema.NAME: path.resolve().parent.name or match[0], schema.SOURCE: f"{NAME}: {match[0]}"}
    return record


def _join_steps(events: Iterable) -> Iterator[dict[str, float]]:
    """Yields the scalars of neighboring events of one step, each tag once, as one row."""
    row, started = {}, None
    for event in events:
        started = event.wall_time if started is None else started
        scalars = {value.tag: number for value in event.summary.value if (number := _read_scalar(value)) is not None}
        if row and scalars and (row[schema.STEP] != event.step or scalars.keys() & row.keys()):
            yield row
            row = {}
        if scalars and not row:
            row = {schema.STEP: event.step, schema.ELAPSED_SECONDS: event.wall_time - started}
        row |= {tag: number for tag, number in scalars.items() if tag not in (schema.STEP, schema.ELAPSED_SECONDS)}
    if row:
        yield row


def _read_records(path: Path, notes: list[str]) -> Iterator[bytes]:
    """Yields the records whose checksums hold, up to the first that is cut off or damaged, which is noted."""
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    num_passed = 0
    with path.open("rb") as file:
        while head := file.read(12):
            start = file.tell() - len(head)
            fault = "is cut off" if len(head) < 12 else ""
            if not fault and CHECKSUM.unpack(head[8:])[0] != masked_crc32c(head[:8]):
                fault = "is damaged"
            length = 0 if fault else LENGTH.unpack(head[:8])[0]
            fault = fault or ("is damaged" if length > MAX_RECORD else "")
            body = b"" if fault else file.read(length + 4)
            if not fault and len(body) < length + 4:
                fault = "is cut off"
            if not fault and length <= MAX_SCALARS and CHECKSUM.unpack(body[-4:])[0] != masked_crc32c(body[:-4]):
                fault = "is damaged"
            if fault:
                notes.append(f"the record at byte {start} {fault}; what comes before is read")
                break
            if length <= MAX_SCALARS:
                yield body[:-4]
            num_passed += length > MAX_SCALARS
    if num_passed:
        notes.append(f"records above {MAX_SCALARS >> 10} KiB (graphs, images) are passed over: {num_passed}")


def _read_scalar(value) -> float | None:
    """Returns the number of a Summary.Value, None where it is something else."""
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return value.simple_value
    tensor = value.tensor
    if kind != "tensor" or any(dimension.size != 1 for dimension in tensor.tensor_shape.dim):
        return None
    if tensor.dtype not in DTYPES:
        return None
    content = tensor.tensor_content
    size = np.dtype(DTYPES[tensor.dtype]).itemsize
    if content:
        return float(np.frombuffer(content, DTYPES[tensor.dtype])[0]) if len(content) == size else None
    listed = [*tensor.float_val, *tensor.double_val, *tensor.int_val, *tensor.int64_val]
    return float(listed[0]) if len(listed) == 1 else None
