"""Takes the file system, TCP and other processes away from this process, by Landlock.

Source: Linux, Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h. The calls
have the same numbers on every architecture, and no wrapper in the C library.
"""

from __future__ import annotations

import ctypes

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1

_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights over files there are, by the version of the interface that brought the last."""
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 2
_SCOPES_SINCE, _SCOPES = 6, 2
"""Scopes: abstract Unix sockets, and signals to others."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def version() -> int:
    """Returns the kernel's version of the interface; 0 where it has none, or it is switched off."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))


def give_everything_up() -> bool:
    """Handles every right that the kernel knows and allows none; says whether that took hold.

    The process must have no new privileges already.
    """
    known = version()
    if not known:
        return False
    ruleset = _Ruleset(
        handled_access_fs=_all(max(n for since, n in _FILE_RIGHTS.items() if since <= known)),
        handled_access_net=_all(_NETWORK_RIGHTS if known >= _NETWORK_SINCE else 0),
        scoped=_all(_SCOPES if known >= _SCOPES_SINCE else 0),
    )
    descriptor = _libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    return descriptor >= 0 and int(_libc.syscall(_RESTRICT_SELF, descriptor, 0)) == 0


def _all(count: int) -> int:
    return (1 << count) - 1
