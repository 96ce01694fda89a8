"""What holds for every test."""

import sys

import pytest


@pytest.fixture(autouse=True)
def _small_numbers_stay():
    """Training flushes denormals to zero in the whole process; what is tested after it must not notice."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
