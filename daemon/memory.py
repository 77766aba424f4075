"""Keeping the daemon small over months, where the C library is glibc; elsewhere these do nothing."""

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8
_M_MMAP_THRESHOLD = -3
_THRESHOLD_BYTES = 256 * 1024


def keep_together() -> None:
    """Has all threads share two heaps: each thread's own would keep what it once needed for ever.

    Pictures beyond a quarter of a megabyte are mapped one by one, and so given back when they are
    freed. See mallopt(3).
    """
    with suppress(AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, _THRESHOLD_BYTES)


def give_back() -> None:
    """Returns what lies free in the heaps to the system; see malloc_trim(3)."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
