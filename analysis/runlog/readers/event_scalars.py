"""Scalars of TensorBoard's event files as columns.

An event with one number, as SummaryWriter writes it, is always the same bytes but for time, step, tag and number: such
records are taken apart all at once. Every other event is parsed by tensorboard's own protocol.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.runlog.readers.event_records import CHECKSUM, Batch, read_batches
from analysis.runlog.study import RunLogError

DTYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}  # DataType of tensorflow/core/framework/types.proto
STEP_BYTES = range(1, 6)  # of a step below 2^35; others are parsed one by one
# Tags of protobuf: Event.wall_time, .step, .summary, Summary.value, Value.tag, .simple_value
WALL_TIME, STEP, SUMMARY, VALUE, TAG, SIMPLE_VALUE = 0x09, 0x10, 0x2A, 0x0A, 0x0A, 0x15


@dataclass(frozen=True)
class Scalars:
    """Scalars in the order of the file.

    Attributes:
        steps: Step of each (int64).
        times: Wall time of its event (float64).
        values: The numbers (float64).
        tags: Its place in `names`.
        names: Names of metrics.
    """

    steps: np.ndarray
    times: np.ndarray
    values: np.ndarray
    tags: np.ndarray
    names: list[str]


def read_scalars(path: Path, notes: list[str], first_only: bool = False) -> Scalars:
    """Reads all scalars of a file up to the first damage, which is noted; or only those of its first records.

    Raises:
        RunLogError: A record whose checksum holds is no event, or tensorboard is not installed.
    """
    names: dict[str, int] = {}
    parts = []
    for batch in read_batches(path, notes):
        parts.append(_take_batch(batch, names, path.name))
        if first_only:
            break
    kinds = (np.int64, np.float64, np.float64, np.int64)
    columns = zip(*parts, strict=True) if parts else ((),) * 4
    joined = [np.concatenate([np.empty(0, kind), *column]) for kind, column in zip(kinds, columns, strict=True)]
    return Scalars(*joined, list(names))


def read_start(path: Path) -> float:
    """Returns the wall time of the first event, 0 where there is none."""
    parse, _ = _protocol(path.name)
    batch = next(iter(read_batches(path, [])), Batch())
    return parse(batch.bodies[0][: -CHECKSUM.size]).wall_time if batch.bodies and batch.bodies[0] else 0.0


def _protocol(file: str) -> tuple:
    """Returns what parses an event, and what it raises."""
    try:
        from google.protobuf.message import DecodeError
        from tensorboard.compat.proto.event_pb2 import Event
    except ImportError as error:
        raise RunLogError(f"{file} needs the package tensorboard. pip install tensorboard") from error
    return Event.FromString, DecodeError


def _take_batch(batch: Batch, names: dict[str, int], file: str) -> tuple[np.ndarray, ...]:
    """Returns steps, times, values and tags of the scalars of a batch."""
    parse, decode_error = _protocol(file)
    is_done = np.zeros(len(batch.bodies), bool)
    found = []
    for places, matrix in batch.matrices:
        for rows, columns in _take_simple(matrix, names):
            is_done[places[rows]] = True
            found.append((places[rows], *columns))
    others = []
    try:
        for place in np.flatnonzero(~is_done):
            if batch.bodies[place]:
                event = parse(batch.bodies[place][: -CHECKSUM.size])
                for value in event.summary.value:
                    if (number := read_scalar(value)) is not None:
                        tag = names.setdefault(value.tag, len(names))
                        others.append((place, event.step, event.wall_time, number, tag))
    except decode_error as error:
        raise RunLogError(f"{file} is no event file ({error}). Copy it again") from error
    if others:
        found.append(tuple(np.array(column) for column in zip(*others, strict=True)))
    if not found:
        return np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.int64)
    places, *columns = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(places, kind="stable")
    return tuple(column[order] for column in columns)


def _take_simple(matrix: np.ndarray, names: dict[str, int]) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """Yields rows of one length that are events with one number, and their steps, times, values and tags."""
    length = matrix.shape[1] - CHECKSUM.size
    for num in STEP_BYTES:
        at = 10 + num  # of the summary
        num_tag = length - at - 11
        if num_tag < 1 or length - at - 2 > 127:
            continue
        fixed = {0: WALL_TIME, 9: STEP, at: SUMMARY, at + 1: length - at - 2, at + 2: VALUE, at + 3: length - at - 4}
        fixed |= {at + 4: TAG, at + 5: num_tag, at + 6 + num_tag: SIMPLE_VALUE}
        fits = (matrix[:, list(fixed)] == np.array(list(fixed.values()), np.uint8)).all(axis=1)
        fits &= (matrix[:, 10 : at - 1] >= 128).all(axis=1) & (matrix[:, at - 1] < 128)
        fits &= (matrix[:, at + 6 : at + 6 + num_tag] - 1 < 127).all(axis=1)  # ASCII without NUL
        rows = np.flatnonzero(fits)
        if len(rows):
            yield rows, _take_apart(matrix[rows], at, num_tag, names)


def _take_apart(events: np.ndarray, at: int, num_tag: int, names: dict[str, int]) -> tuple[np.ndarray, ...]:
    """Returns steps, times, values and tags of events of one layout; `at` is where their summary begins."""
    shifts = 7 * np.arange(at - 10)
    steps = ((events[:, 10:at] & 127).astype(np.int64) << shifts).sum(axis=1)
    times = np.ascontiguousarray(events[:, 1:9]).view("<f8")[:, 0]
    end = at + 7 + num_tag
    values = np.ascontiguousarray(events[:, end : end + 4]).view("<f4")[:, 0].astype(np.float64)
    texts = np.ascontiguousarray(events[:, at + 6 : at + 6 + num_tag]).view(f"S{num_tag}")[:, 0]
    known, tags = np.unique(texts, return_inverse=True)
    places = np.array([names.setdefault(text.decode(), len(names)) for text in known.tolist()], np.int64)
    return steps, times, values, places[tags]


def read_scalar(value) -> float | None:
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
