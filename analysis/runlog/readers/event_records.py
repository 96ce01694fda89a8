"""TFRecord framing of TensorBoard's event files: records whose checksums hold, a batch at a time."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from analysis.runlog.readers.crc32c import FEWEST, LONGEST, masked_crc32c, masked_crc32c_of_rows

LENGTH, CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
HEAD = LENGTH.size + CHECKSUM.size
MAX_RECORD = 64 * 2**20  # ours: a length above is damage
MAX_SCALARS = 2**16  # ours: bytes; larger records hold graphs, images or histograms
FIRST_BATCH, BATCH = 64, 32_768  # ours: records that are looked at together; few first, for who only peeks
BATCH_BYTES = 2**24  # ours: of their contents


@dataclass
class Batch:
    """Records that follow each other; after `read_batches` their checksums hold.

    Attributes:
        bodies: The records, each with its checksum behind it; empty where it is passed over for its size.
        starts: Their places in the file, and that of what comes behind.
        fault: What is wrong with what comes behind, "" where nothing is.
        matrices: Records of one length, by their numbers, as rows of bytes.
    """

    bodies: list[bytes] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    fault: str = ""
    matrices: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)


def read_batches(path: Path, notes: list[str]) -> Iterator[Batch]:
    """Yields the records whose checksums hold, up to the first that is cut off or damaged, which is noted."""
    num_passed, size, fault, place, good_heads = 0, FIRST_BATCH, "", 0, set()
    with path.open("rb") as file:
        while not fault:
            batch = _read_batch(file, size, place, good_heads)
            num_whole, fault, place, size = _count_whole(batch), batch.fault, batch.starts[-1], BATCH
            if num_whole < len(batch.bodies):
                fault, place = "is damaged", batch.starts[num_whole]
                _cut(batch, num_whole)
            if not batch.bodies:
                break
            num_passed += batch.bodies.count(b"")
            yield batch
    if fault:
        notes.append(f"the record at byte {place} {fault}; what comes before is read")
    if num_passed:
        notes.append(f"records above {MAX_SCALARS >> 10} KiB (graphs, images) are passed over: {num_passed}")


def _read_batch(file: BinaryIO, size: int, place: int, good_heads: set[bytes]) -> Batch:
    """Reads frames that are whole by their lengths; files have few lengths, so each head is checked once."""
    batch, read, limit = Batch(), file.read, MAX_SCALARS + CHECKSUM.size
    bodies, starts = batch.bodies, batch.starts
    end = place + BATCH_BYTES
    while len(bodies) < size and place < end and (head := read(HEAD)):
        if head not in good_heads:
            if batch_fault := _find_fault(head):
                batch.fault = batch_fault
                break
            good_heads.add(head)
        length = LENGTH.unpack_from(head)[0] + CHECKSUM.size
        body = read(length)
        if len(body) < length:
            batch.fault = "is cut off"
            break
        bodies.append(body if length <= limit else b"")
        starts.append(place)
        place += HEAD + length
    starts.append(place)
    return batch


def _find_fault(head: bytes) -> str:
    """Returns what is wrong with the head of a record."""
    if len(head) < HEAD:
        return "is cut off"
    is_whole = int(masked_crc32c([head[: LENGTH.size]])[0]) == CHECKSUM.unpack_from(head, LENGTH.size)[0]
    return "" if is_whole and LENGTH.unpack_from(head)[0] <= MAX_RECORD else "is damaged"


def _count_whole(batch: Batch) -> int:
    """Returns how many of the first records have checksums that hold; that of a large record is not looked at."""
    good = np.ones(len(batch.bodies), bool)
    lengths = np.fromiter(map(len, batch.bodies), np.int64, len(batch.bodies))
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        if not length:
            continue
        if len(places) >= FEWEST and 8 <= length <= LONGEST:
            content = b"".join([batch.bodies[place] for place in places])
            matrix = np.frombuffer(content, np.uint8).reshape(-1, length)
            batch.matrices.append((places, matrix))
            told = matrix[:, -CHECKSUM.size :].copy().view("<u4")[:, 0]
            good[places] = masked_crc32c_of_rows(matrix[:, : -CHECKSUM.size]) == told
        else:
            bodies = [batch.bodies[place] for place in places]
            told = [CHECKSUM.unpack_from(body, len(body) - CHECKSUM.size)[0] for body in bodies]
            good[places] = masked_crc32c([body[: -CHECKSUM.size] for body in bodies]) == np.array(told, np.uint32)
    return len(good) if good.all() else int(np.argmin(good))


def _cut(batch: Batch, num: int) -> None:
    """Keeps the first records of a batch."""
    del batch.bodies[num:]
    batch.matrices = [(places[places < num], matrix[places < num]) for places, matrix in batch.matrices]
