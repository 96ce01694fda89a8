"""Peak memory of this process, without what it inherits from the one that started it, as ru_maxrss does."""

import re
from pathlib import Path


def peak_megabytes() -> int:
    """Returns the largest resident memory since the program was started, in MiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) >> 10
