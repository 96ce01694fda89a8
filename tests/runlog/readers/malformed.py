"""Malformed files from good ones: cut, bits flipped, bytes replaced, numbers of the wrong kind, lines moved."""

import gzip
import random
import re
from collections.abc import Iterator

from tests.runlog.readers import general_samples, text_samples
from tests.runlog.readers.samples import SAMPLES

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
WRONG = (
    *(b"", b"null", b"true", b'"x"', b"{}", b"[]", b"[1, 2]", b"NaN", b"-Infinity", b"1e999", b"-1", b"0.5", b"0x1F"),
    *(b"9" * 400, b"9007199254740993", b"\xff\xfe", b"\0", b"\n", b"\r", b",", b'"', b"'", b"\\", b"\xe2\x80\xae"),
    *(b"[" * 200, b"=1+1", b"../../x", b'{"step": 1}', b"\xed\xa0\x80", b"1_0", b"\xd9\xa1"),
)
BYTES = (0, 9, 10, 13, 34, 44, 45, 46, 48, 57, 58, 91, 93, 101, 123, 125, 127, 128, 255)


def gzipped() -> bytes:
    return gzip.compress(b"".join(b'{"step": %d, "loss": 1.5}\n' % step for step in range(20)), mtime=0)


def mlflow_metric() -> bytes:
    return b"".join(b"%d %d.5 %d\n" % (1000 + step, 9 - step, step) for step in range(8))


def runs_table() -> bytes:
    return b"Name,State,Runtime,_step,loss\na,finished,5,9,1.5\nb,crashed,6,9,2.5\n"


def short_megatron() -> bytes:
    """Without the long opening, which is there to be longer than what a reader may look at."""
    return text_samples.megatron(SHORT).replace(b"Setting OMP_NUM_THREADS\n" * 400, b"")


SHORT = tuple(3.0 - 0.1 * step for step in range(6))  # a short file has its structure hit more often
GOOD = {name: (lambda make=make: make(SHORT)) for name, make in (SAMPLES | general_samples.SAMPLES).items()}
GOOD |= {"jsonl.gz": gzipped, "mlflow files": mlflow_metric, "wandb runs table": runs_table}
GOOD |= {"megatron text": short_megatron}


def malform(good: bytes, chance: random.Random) -> bytes:
    """Returns the file after one to three accidents."""
    content = good
    for _ in range(chance.choice((1, 1, 2, 3))):
        content = chance.choice(ACCIDENTS)(content, chance) if content else content
    return content


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def flip(content: bytes, chance: random.Random) -> bytes:
    flipped, place = bytearray(content), chance.randrange(len(content))
    flipped[place] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def replace_byte(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([chance.choice(BYTES)]) + content[place + 1 :]


def replace_number(content: bytes, chance: random.Random) -> bytes:
    found = chance.choice([*NUMBER.finditer(content)] or [re.match(b"", content)])
    return content[: found.start()] + chance.choice(WRONG) + content[found.end() :]


def insert(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + chance.choice(WRONG) + content[place:]


def remove(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + content[place + chance.randrange(1, 40) :]


def move_line(content: bytes, chance: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines) + 1), line * chance.randrange(3))
    return b"".join(lines)


ACCIDENTS = (cut, flip, replace_byte, replace_number, replace_number, insert, remove, move_line)


def malformed(name: str, num: int, seed: int = 0) -> Iterator[bytes]:
    """Yields malformed files of a format, always the same ones for a seed."""
    good, chance = GOOD[name](), random.Random(f"{name} {seed}")
    for _ in range(num):
        yield malform(good, chance)
