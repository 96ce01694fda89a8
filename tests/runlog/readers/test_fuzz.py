"""Malformed files: 3,000 of every format, always the same ones; `make soak` reads 100,000 others of each."""

import pytest

from analysis.runlog.readers import READERS
from tests.runlog.readers.fuzzing import fuzz, memory_folder
from tests.runlog.readers.malformed import GOOD, malformed

NUM_FILES = 3000


def test_a_seed_gives_the_same_files_again():
    assert [*malformed("csv", 50, seed=3)] == [*malformed("csv", 50, seed=3)]
    assert [*malformed("csv", 50, seed=3)] != [*malformed("csv", 50, seed=4)]


def test_every_format_is_malformed():
    assert {reader.NAME for reader in READERS} == GOOD.keys() - {"jsonl.gz"}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_malformed_files_are_read_whole_or_refused_in_one_line(name):
    with memory_folder() as folder:
        found = fuzz(name, folder, NUM_FILES)
    assert found.keys() <= {"read", "refused"}
    assert found.total() == NUM_FILES
    assert found["refused"] > 0
    assert found["read"] > 0 or name == "wandb runs table"
