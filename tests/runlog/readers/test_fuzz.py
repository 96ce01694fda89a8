"""Malformed files of every format: 3,000 of each, or as many as half a second of processor time allows."""

import pytest

from tests.runlog.readers.fuzzing import fuzz
from tests.runlog.readers.malformed import GOOD, malformed

NUM_FILES, SECONDS = 3000, 0.5
LEAST_FILES = 20  # of a format on a slow machine; fewer would say nothing


def test_a_seed_gives_the_same_files_again():
    assert [*malformed("csv", 50, seed=3)] == [*malformed("csv", 50, seed=3)]
    assert [*malformed("csv", 50, seed=3)] != [*malformed("csv", 50, seed=4)]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_malformed_files_are_read_whole_or_refused_in_one_line(tmp_path, name):
    found = fuzz(name, tmp_path, NUM_FILES, SECONDS)
    assert found.keys() <= {"read", "refused"}
    assert found.total() >= LEAST_FILES
    assert found["refused"] > 0
