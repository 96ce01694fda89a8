"""The live log keeps every number exactly, and never takes damage for data."""

import errno
import json
import math
import os
import random
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.runlog import line_log, schema
from analysis.runlog.line_log import LineLog, decode_line, encode_line, tail

NAMES = st.text(min_size=1, max_size=20).filter(lambda name: name not in line_log.RESERVED)


def same_bits(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or struct.pack("<d", a) == struct.pack("<d", b)


def write_log(path: Path, num_rows: int) -> list[dict[str, object]]:
    log = LineLog(path)
    for step in range(num_rows):
        log.append({schema.STEP: step, schema.TRAIN_LOSS: 1 / (step + 1), schema.GRAD_NORM: math.nan})
    log.close()
    return tail(path).rows


@given(st.dictionaries(NAMES, st.floats(), min_size=1))
def test_every_float_comes_back_bit_for_bit(fields):
    decoded = decode_line(encode_line(fields))
    assert decoded.keys() == fields.keys()
    assert all(same_bits(decoded[name], value) for name, value in fields.items())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, 5e-324, -0.0, 0.1 + 0.2])
def test_extreme_values_come_back_exactly(value):
    assert same_bits(decode_line(encode_line({"x": value}))["x"], value)


@given(st.dictionaries(NAMES, st.floats(), min_size=1))
def test_a_line_is_strict_json(fields):
    def refuse(token):
        raise AssertionError(token)

    line = encode_line(fields)
    assert line.count(b"\n") == 1
    assert json.loads(line, parse_constant=refuse)


@given(st.dictionaries(NAMES, st.floats(), min_size=1), st.data())
def test_a_flipped_bit_makes_a_line_unreadable(fields, data):
    line = bytearray(encode_line(fields))
    bit = data.draw(st.integers(0, 8 * len(line) - 1))
    line[bit // 8] ^= 1 << bit % 8
    assert decode_line(bytes(line)) is None


def test_a_log_cut_at_any_byte_gives_its_whole_lines(tmp_path):
    path = tmp_path / "steps.jsonl"
    log = LineLog(path)
    for step in range(100):
        log.append({schema.STEP: step})
    log.close()
    content = path.read_bytes()
    for size in range(len(content), -1, -1):
        os.truncate(path, size)
        scan = tail(path)
        assert (len(scan.rows), scan.damaged) == (content[:size].count(b"\n"), 0)
        assert scan.end == content[:size].rfind(b"\n") + 1


def test_a_reopened_log_cuts_the_torn_line_and_goes_on_without_gap(tmp_path):
    path = tmp_path / "steps.jsonl"
    write_log(path, 10)
    content = path.read_bytes()
    last_line = content[:-1].rfind(b"\n") + 1
    for size in range(last_line, len(content)):
        path.write_bytes(content[:size])
        log = LineLog(path)
        log.append({schema.STEP: 9})
        log.close()
        rows = tail(path).rows
        assert [row[line_log.ROW] for row in rows] == list(range(10))
        assert [row[line_log.ATTEMPT] for row in rows] == [1] * 9 + [2]


def test_no_flipped_bit_of_a_log_is_read_as_data(tmp_path):
    path = tmp_path / "steps.jsonl"
    written = {row[line_log.ROW]: repr(row) for row in write_log(path, 100)}
    content = path.read_bytes()
    draw = random.Random(0)
    for _ in range(500):
        bit = draw.randrange(8 * len(content))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        scan = tail(path)
        assert all(repr(row) == written[row[line_log.ROW]] for row in scan.rows)
        assert len(scan.rows) in (98, 99)
        assert scan.damaged or scan.end < len(content)


def test_a_damaged_line_is_counted_and_numbering_goes_on_behind_it(tmp_path):
    path = tmp_path / "steps.jsonl"
    write_log(path, 5)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = lines[4].replace(b'"step":4', b'"step":5')
    path.write_bytes(b"".join(lines))
    scan = tail(path)
    assert ([row[schema.STEP] for row in scan.rows], scan.damaged) == ([0, 1, 2, 3], 1)
    log = LineLog(path)
    log.append({schema.STEP: 5})
    log.close()
    assert [row[line_log.ROW] for row in tail(path).rows] == [0, 1, 2, 3, 5]


def test_tail_goes_on_from_an_offset_and_waits_for_an_unfinished_line(tmp_path):
    path = tmp_path / "steps.jsonl"
    write_log(path, 3)
    first = tail(path, max_lines=2)
    assert [row[schema.STEP] for row in first.rows] == [0, 1]
    line = encode_line({line_log.ROW: 3, line_log.ATTEMPT: 1, schema.STEP: 3})
    with path.open("ab") as file:
        file.write(line[:10])
    second = tail(path, first.end)
    assert [row[schema.STEP] for row in second.rows] == [2]
    with path.open("ab") as file:
        file.write(line[10:])
    assert [row[schema.STEP] for row in tail(path, second.end).rows] == [3]


@pytest.mark.parametrize("num_fitting", [0, 1, 30])
def test_a_full_disk_leaves_whole_rows_and_a_clear_error(tmp_path, monkeypatch, num_fitting):
    path = tmp_path / "steps.jsonl"
    log = LineLog(path)
    log.append({schema.STEP: 0})
    write = os.write

    def write_a_part(handle, line):
        if num_fitting == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, line[:num_fitting])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write_a_part)
        with pytest.raises(OSError, match=r"row 1 was not written .* all rows before it are safe") as caught:
            log.append({schema.STEP: 1})
    assert caught.value.errno == errno.ENOSPC
    log.append({schema.STEP: 2})
    log.close()
    scan = tail(path)
    assert [(row[line_log.ROW], row[schema.STEP]) for row in scan.rows] == [(0, 0), (1, 2)]
    assert (scan.damaged, scan.end) == (0, path.stat().st_size)


def test_rows_are_synced_after_a_second_and_at_a_non_finite_value(tmp_path, monkeypatch):
    synced = []
    clock = [0.0]
    monkeypatch.setattr(os, "fdatasync", lambda handle: synced.append(clock[0]))
    monkeypatch.setattr(line_log.time, "monotonic", lambda: clock[0])
    log = LineLog(tmp_path / "steps.jsonl")
    for clock[0] in (0.2, 0.9, 1.1, 1.2):
        log.append({schema.STEP: 0, schema.TRAIN_LOSS: 1.0})
    assert synced == [1.1]
    log.append({schema.STEP: 1, schema.TRAIN_LOSS: math.inf})
    assert synced == [1.1, 1.2]
    log.close()
