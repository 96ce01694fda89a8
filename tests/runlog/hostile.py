"""Files that want more than they should: memory, time, depth, a way out. Each is small itself."""

import gzip
import io
import pickle
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


class Opens:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def deep_json(depth: int = 100_000) -> bytes:
    return b'{"step": 0, "loss": ' + b"[" * depth + b"]" * depth + b"}"


def deep_rows(depth: int = 100_000) -> bytes:
    return b'{"step": 0, "loss": 1.0}\n{"step": 1, "loss": ' + b"[" * depth + b"]" * depth + b"}\n"


def many_keys(num: int = 30_000) -> bytes:
    return b"".join(b'{"step": %d, "loss": 1.0, "k%d": 1.0}\n' % (row, row) for row in range(num))


def long_line(num_bytes: int = 5_000_000) -> bytes:
    return b"step,loss\n0,1." + b"9" * num_bytes + b"\n"


def many_columns(num: int = 200_000) -> bytes:
    return b"step,loss" + b",x" * num + b"\n0,1" + b",1" * num + b"\n"


def gzip_bomb(num_bytes: int, filling: bytes) -> bytes:
    """A line of JSON, then as many bytes of one kind."""
    packed, block = io.BytesIO(), filling * 2**24
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(b'{"step": 0, "loss": 1.0}\n')
        for _ in range(num_bytes // len(block)):
            file.write(block)
    return packed.getvalue()


def zip_bomb(num_members: int = 6, num_bytes: int = 2**29) -> bytes:
    packed, block = io.BytesIO(), b"0" * 2**24
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(num_members):
            with archive.open(f"{number}.csv", "w") as member:
                for _ in range(num_bytes // len(block)):
                    member.write(block)
    return packed.getvalue()


def parquet_bomb(num_rows: int = 4000, num_bytes: int = 2**20) -> bytes:
    """One text of a megabyte, thousands of times."""
    packed = io.BytesIO()
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * num_rows, pa.int32()), pa.array(["x" * num_bytes]))
    table = pa.table({"step": pa.array(range(num_rows)), "loss": pa.array([1.0] * num_rows), "text": texts})
    pq.write_table(table, packed, store_schema=False)
    return packed.getvalue()


def pickled(path: Path) -> bytes:
    return pickle.dumps({"step": [0], "loss": [1.0], "x": Opens(path)})
