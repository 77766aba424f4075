"""Closes a process in: what it may use, and what it may reach."""

from __future__ import annotations

import ctypes
import math
import os
import resource
from dataclasses import dataclass

from daemon.decoder import landlock, seccomp

_NO_NEW_PRIVILEGES = 38
_DESCRIPTORS = 64
_THREADS = 4
_SECONDS_A_MEGABYTE = 60.0
_MOST_SECONDS = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may use."""

    memory: int
    """Bytes of address space beyond those of a fresh process."""
    seconds: float
    """How long it may take, beside what the size of its file allows."""

    def seconds_for(self, size: int) -> float:
        """Returns the time that a call on a file of `size` bytes may take.

        A megabyte of the most tightly packed video keeps a slow core busy for some seconds.
        """
        return min(self.seconds + size * _SECONDS_A_MEGABYTE / 1e6, _MOST_SECONDS)


def close_in(limits: Limits, size: int) -> None:
    """Gives up, for good, whatever reading one open file of `size` bytes does not need.

    On a kernel without Landlock, or a machine whose calls are not known, only the other of the two
    holds.
    """
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _limit(resource.RLIMIT_AS, _address_space() + limits.memory)
    _limit(resource.RLIMIT_CPU, math.ceil(limits.seconds_for(size)) * _THREADS, more=10)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    landlock.give_everything_up()
    seccomp.give_calls_up()


def _limit(kind: int, most: int, more: int = 0) -> None:
    """Sets a limit, and `more` beyond it the one that ends a process without a word."""
    _, hard = resource.getrlimit(kind)
    last = most + more if hard == resource.RLIM_INFINITY else min(most + more, hard)
    resource.setrlimit(kind, (min(most, last), last))


def _address_space() -> int:
    """Returns the bytes of address space in use, proc_pid_statm(5)."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
