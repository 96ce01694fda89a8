"""What holds for every test."""

import sys

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # how long an example takes depends on the neighbors
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def _small_numbers_stay():
    """Training flushes denormals to zero in the whole process; what is tested after it must not notice."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
