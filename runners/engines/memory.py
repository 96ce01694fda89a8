"""Memory of a process that trains: freed blocks are kept for the next step, which needs the same ones."""

import ctypes
import sys

# mallopt(3): what the numbers of its parameters are.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
MMAP_THRESHOLD_MAX = 32 << 20  # mallopt(3): DEFAULT_MMAP_THRESHOLD_MAX of a 64-bit machine
KEPT_BYTES = 1 << 30  # ours: more than the tensors of a step take


def keep_freed_memory() -> bool:
    """Lets this process keep the memory it frees; returns whether its C library knows how.

    By default glibc gives a block above 128 KiB back to the system at once, and the system clears it page by page when
    it is wanted again. A training step frees and wants the same blocks every time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_MAX) and mallopt(M_TRIM_THRESHOLD, KEPT_BYTES))
