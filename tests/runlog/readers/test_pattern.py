"""Text logs that a pattern of the user reads."""

import math
import time

import pytest

from analysis.runlog import RunLogError, read_paths, schema
from analysis.runlog.readers import pattern_text

LINES = "[12:00] epoch 0\n[12:01] step 5 | loss=2.5, lr=0.1 |\n[12:02] step 6 | loss=nan, lr=0.1 |\n"


@pytest.fixture
def read(tmp_path):
    def read(text, pattern, **column_map):
        path = tmp_path / "train.log"
        path.write_text(text)
        return read_paths([path], pattern=pattern, column_map=column_map).runs[0]

    return read


def test_named_groups_are_the_columns(read):
    run = read(LINES, r"step (?P<step>\d+).*loss=(?P<train_loss>\S+) lr=(?P<lr>\S+)")
    assert run.steps[schema.STEP].to_pylist() == [5, 6]
    assert (run.loss[1][0], math.isnan(run.loss[1][1]), run.base_lr) == (2.5, True, 0.1)
    assert run.record[schema.SOURCE] == "pattern text: train.log"
    assert "lines that the pattern matches: 2 of 3" in run.log.notes


def test_groups_are_known_by_the_names_of_columns_or_mapped(read):
    assert read(LINES, r"step (?P<iter>\d+).*loss=(?P<loss>\S+)").loss[0].tolist() == [5, 6]
    run = read(LINES, r"step (?P<t>\d+).*loss=(?P<x>\S+)", step="t", train_loss="x")
    assert run.loss[0].tolist() == [5, 6]


def test_lines_are_numbered_where_no_group_is_a_step(read):
    run = read(LINES, r"loss=(?P<loss>[^,]+)")
    assert (run.loss[0].tolist(), run.record[schema.STEP_UNIT]) == ([0, 1], "log index")


def test_a_group_that_is_left_out_of_a_match_was_not_logged(read):
    run = read("1 2.5\n2 3.5 norm 7\n", r"(?P<step>\d+) (?P<loss>\S+)(?: norm (?P<grad_norm>\S+))?")
    assert run.steps[schema.GRAD_NORM].to_pylist() == [None, 7.0]


def test_progress_bars_of_one_physical_line_are_many(read):
    run = read("1 loss 3\r2 loss 2\r3 loss 1\n", r"(?P<step>\d+) loss (?P<loss>\d)")
    assert run.loss[1].tolist() == [3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(\d+)", r"cannot be used \(Regular expression contains unnamed groups\)"),
        (r"(?P<step>\d+", "cannot be used"),
        (r"(?=x)(?P<step>\d+)", "cannot be used"),
        (r"\d+", "has no group"),
        (r"(?P<a>\d+) (?P<a>\d+)", "has two groups a"),
        (r"nothing (?P<step>\d+)", r"has no line that the pattern matches \(of 3\)"),
        (r"step (?P<step>\d+)", "has no loss column"),
        (r"\[(?P<step>\S+) step (?P<loss>\d+)", r"line 2: '12:01\]' as step is not a number. Narrow the group"),
    ],
)
def test_patterns_that_cannot_work_are_refused(read, pattern, reason):
    with pytest.raises(RunLogError, match=reason):
        read(LINES, pattern)


def test_without_a_pattern_the_reader_says_what_it_needs(tmp_path):
    (tmp_path / "a.log").write_text(LINES)
    with pytest.raises(RunLogError, match=r"pattern text needs a pattern"):
        read_paths([tmp_path / "a.log"], format_name=pattern_text.NAME)


def test_a_pattern_that_explodes_elsewhere_takes_linear_time(read):
    def seconds(num):
        start = time.process_time()
        with pytest.raises(RunLogError, match=r"no line"):
            read("a" * num + "\n", r"(?P<loss>(?:a+)+b)")
        return time.process_time() - start

    seconds(1000)
    assert seconds(400_000) < 5
