"""What becomes of memory between the steps of a training."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 1 << 30


def keep_freed_memory() -> bool:
    """Have the C library keep the memory that tensors give back for those of the next step; whether it could.

    By default glibc returns larger blocks to the system, which hands them out again page by page and zeroed: about a
    tenth of the time of a small convolutional network on a CPU. Holds for the rest of the process; blocks above 1 GiB
    are returned as before. Only glibc has this setting.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)) and bool(mallopt(_MMAP_THRESHOLD, _KEPT_BYTES))
