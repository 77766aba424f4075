"""Tries, closed in as a decoder process is, whatever a file could make it do; prints what was refused.

`python -m tests.daemon.decoder.attempts FILE`
"""

import fcntl
import mmap
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable

from daemon.decoder.limits import Limits, close_in


def connect(family: int, kind: int, address: object) -> None:
    with socket.socket(family, kind) as one:
        one.connect(address)  # type: ignore[arg-type]


def attempts(path: str, held: int) -> dict[str, Callable[[], object]]:
    """What no decoder needs, by name; each must raise."""
    parent = os.getppid()
    return {
        "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "read the file again by its name": lambda: os.open(path, os.O_RDONLY),
        "list a folder": lambda: os.listdir("/"),
        "make a file": lambda: os.open(path + ".new", os.O_WRONLY | os.O_CREAT, 0o600),
        "delete a file": lambda: os.unlink(path),
        "rename a file": lambda: os.rename(path, path + ".moved"),
        "make a folder": lambda: os.mkdir(path + ".folder"),
        "shorten a file": lambda: os.truncate(path, 0),
        "start a program": lambda: os.execv("/bin/true", ["true"]),
        "fork": os.fork,
        "ask the internet": lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 9)),
        "send a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "ask the session's bus": lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "/run/x"),
        "signal the parent": lambda: os.kill(parent, 0),
        "take all memory": lambda: mmap.mmap(-1, 8 << 30),
        "signal itself by its number": lambda: os.kill(os.getpid(), 0),
        "end the parent": lambda: os.kill(parent, signal.SIGKILL),
        "limit the parent": lambda: resource.prlimit(parent, resource.RLIMIT_CPU, (1, 1)),
        "slow the parent": lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
        "bind the parent": lambda: os.sched_setaffinity(parent, {0}),
        "lift a limit": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9)),
        "open a file to all": lambda: os.chmod(path, 0o777),
        "close the file to all": lambda: os.fchmod(held, 0),
        "change its times": lambda: os.utime(path, (0, 0)),
        "label a file": lambda: os.setxattr(path, "user.x", b"x"),
        "lock it": lambda: fcntl.flock(held, fcntl.LOCK_SH),
        "be told by signals": lambda: fcntl.fcntl(held, fcntl.F_SETOWN, parent),
        "make memory to share": lambda: os.memfd_create("x"),
    }


def main() -> None:
    """Prints `refused NAME` or `ALLOWED NAME` for each."""
    path = sys.argv[1]
    held = os.open(path, os.O_RDONLY)
    tried = attempts(path, held)
    with mmap.mmap(-1, 1 << 20):
        close_in(Limits(memory=512 << 20, seconds=5), size=0)
    for name, attempt in tried.items():
        try:
            attempt()
        except (OSError, MemoryError, ValueError):
            print("refused", name)
        else:
            print("ALLOWED", name)
    # What it does need still works.
    thread = threading.Thread(target=lambda: print("threads", len(os.read(held, 4))))
    thread.start()
    thread.join()
    sys.stdout.flush()
    signal.raise_signal(signal.SIGXCPU)


if __name__ == "__main__":
    main()
