"""What a process that trains does with the memory that it frees."""

import resource
import subprocess
import sys

import pytest

from runners.engines.memory import keep_freed_memory

BLOCK = 20 << 20
BLOCKS = 6


def count_faults(rounds):
    """Returns the pages that the system had to find for blocks that are freed and wanted again."""
    for _ in range(2):  # the blocks are there from now on, if they are kept
        [bytearray(BLOCK) for _ in range(BLOCKS)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        [bytearray(BLOCK) for _ in range(BLOCKS)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.parametrize("keeps", [True, False])
def test_blocks_that_a_step_frees_are_there_for_the_next(keeps):
    call = "keep_freed_memory(); " if keeps else ""
    program = f"from {__name__} import *; {call}print(count_faults(4))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (int(done.stdout) < 50) == keeps  # a huge page holds 2 MiB: 240 are wanted


def test_a_c_library_without_the_setting_is_left_alone(monkeypatch):
    monkeypatch.setattr("runners.engines.memory.ctypes.CDLL", lambda name: object())
    assert keep_freed_memory() is False
