"""How this process asks for memory: what a block needs is freed and needed again by the next, a few times a second."""

import ctypes
import sys
from functools import cache

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""The parameters of mallopt(3), in glibc alone."""

KEPT_BYTES, LARGEST_BYTES = 1 << 26, 1 << 25


@cache
def keep_freed_memory() -> bool:
    """Have the C library keep up to 64 MB of freed memory for the next request; tells whether it does.

    By itself glibc gives each freed array of some megabytes back to the system, which then clears every page of the next one.
    Other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST_BYTES)) and bool(mallopt(TRIM_THRESHOLD, KEPT_BYTES))
