"""Takes system calls away from this process that reading pictures never needs, by seccomp.

Landlock leaves what this closes: sockets of other kinds, such as that of the session's bus, which
would start any program; other processes' memory; and the kernel's less trodden paths.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst; include/uapi/linux/{filter,audit}.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

_SET_SECCOMP, _FILTER = 22, 2
"""Arguments of prctl(2)."""

_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06
"""Of the filter's machine: load a word, jump if equal, jump if a bit is set, end."""
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
"""Bytes into `struct seccomp_data`, on machines whose low bytes come first."""
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

_CLONE_THREAD = 0x00010000
_X32 = 0x40000000
"""Marks calls of the other set of numbers that x86-64 knows."""

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_REFUSED: dict[str, tuple[int, int]] = {
    # name: (x86-64, arm64); -1 where there is none
    # Other programs, and what they hold.
    **{"fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "execveat": (322, 281)},
    **{"ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271)},
    **{"pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "kcmp": (312, 272)},
    **{"kill": (62, 129), "tkill": (200, 130), "pidfd_send_signal": (424, 424)},
    **{"rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240)},
    **{"setpriority": (141, 140), "ioprio_set": (251, 30), "setpgid": (109, 154)},
    **{"sched_setparam": (142, 118), "sched_setscheduler": (144, 119)},
    **{"sched_setaffinity": (203, 122), "sched_setattr": (314, 274)},
    **{"migrate_pages": (256, 238), "move_pages": (279, 239)},
    **{"process_madvise": (440, 440), "process_mrelease": (448, 448)},
    # Sockets, and other ways to meet.
    **{"socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203)},
    **{"bind": (49, 200), "listen": (50, 201)},
    **{"shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186), "semget": (64, 190)},
    **{"mq_open": (240, 180), "memfd_create": (319, 279), "flock": (73, 32)},
    # Files by name, and what can be done to them, of which Landlock leaves some.
    **{"open": (2, -1), "openat": (257, 56), "openat2": (437, 437), "creat": (85, -1)},
    **{"open_by_handle_at": (304, 265), "truncate": (76, 45), "ioctl": (16, 29)},
    **{"link": (86, -1), "linkat": (265, 37), "symlink": (88, -1), "symlinkat": (266, 36)},
    **{"unlink": (87, -1), "unlinkat": (263, 35), "rmdir": (84, -1)},
    **{"rename": (82, -1), "renameat": (264, 38), "renameat2": (316, 276)},
    **{"mkdir": (83, -1), "mkdirat": (258, 34), "mknod": (133, -1), "mknodat": (259, 33)},
    **{"chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452)},
    **{"chown": (92, -1), "fchown": (93, 55), "lchown": (94, -1), "fchownat": (260, 54)},
    **{"utime": (132, -1), "utimes": (235, -1), "futimesat": (261, -1), "utimensat": (280, 88)},
    **{"setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7)},
    **{"removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16)},
    **{"setxattrat": (463, 463), "removexattrat": (466, 466)},
    # The kernel's less trodden paths.
    **{"io_uring_setup": (425, 425), "bpf": (321, 280), "perf_event_open": (298, 241)},
    **{"userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218)},
    **{"keyctl": (250, 219), "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40)},
    **{"fsopen": (430, 430), "open_tree": (428, 428), "personality": (135, 92)},
    **{"inotify_init": (253, -1), "inotify_init1": (294, 26), "fanotify_init": (300, 262)},
}
_CLONE = (56, 220)
_CLONE3 = 435
_SIGNAL_THREAD = (234, 131)
_LIMIT = (302, 261)
_CONTROL_FILE = (72, 25)
_OWNER, _SIGNAL, _OWNER_OF_KIND = 8, 10, 15
"""Of fcntl(2): who gets which signal when a descriptor is ready."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def known() -> bool:
    """Says whether the numbers of this machine's calls are known."""
    # A program of 32 bits has other numbers, whatever the machine is called.
    return platform.machine() in _MACHINES and struct.calcsize("P") == 8


def give_calls_up() -> bool:
    """Refuses the calls above from here on, in all threads to come; says whether that took hold.

    The process must have one thread and no new privileges already.
    """
    if not known():
        return False
    code = _code(platform.machine())
    program = _Program(len(code) // 8, code)
    return int(_libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)) == 0


_Line = tuple[int, int, int, int]
"""Code, lines to pass over if it holds, and if it does not, and a number."""

_NO = (_RETURN, 0, 0, _REFUSE | errno.EPERM)
_YES = (_RETURN, 0, 0, _ALLOW)


def _code(machine: str) -> bytes:
    """Returns the filter, 8 bytes an instruction."""
    column = list(_MACHINES).index(machine)
    lines: list[_Line] = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_EQUAL, 1, 0, _MACHINES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine == "x86_64":
        lines += [(_SET, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    # The C library takes "no such call" as a hint to use clone, whose flags can be looked at.
    lines += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    for numbers in _REFUSED.values():
        if numbers[column] >= 0:
            lines += [(_EQUAL, 0, 1, numbers[column]), _NO]
    lines += _if(_CLONE[column], 0, [(_SET, 1, 0, _CLONE_THREAD), _NO, _YES])
    # Its own threads only, as abort() does; its own limits only.
    lines += _if(_SIGNAL_THREAD[column], 0, [(_EQUAL, 1, 0, os.getpid()), _NO, _YES])
    lines += _if(_LIMIT[column], 0, [(_EQUAL, 1, 0, 0), _NO, _YES])
    commands = (_OWNER, _SIGNAL, _OWNER_OF_KIND)
    refusals = [line for command in commands for line in ((_EQUAL, 0, 1, command), _NO)]
    lines += _if(_CONTROL_FILE[column], 1, [*refusals, _YES])
    lines.append(_YES)
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


def _if(number: int, argument: int, then: list[_Line]) -> list[_Line]:
    """Returns what to do about one call, by one of its arguments; `then` must come to an end."""
    load = (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)
    return [(_EQUAL, 0, len(then) + 1, number), load, *then]
