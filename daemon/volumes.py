"""What kind of disk a path lies on, and whether somebody is still writing a file."""

import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path

NETWORK_FILE_SYSTEMS = (
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "fuse.rclone", "9p", "vboxsf", "davfs",
    "fuse.davfs2", "afs", "ceph", "glusterfs", "fuse.glusterfs",
)  # fmt: skip
"""They give no inotify events for what other machines do (watchdog's own documentation)."""


def is_network(path: bytes) -> bool:
    """Whether a path lies on a network or virtual file system, by `/proc/self/mountinfo`."""
    return file_system(path) in NETWORK_FILE_SYSTEMS


def file_system(path: bytes) -> str:
    """The file system type of the mount that holds a path; empty where the kernel does not tell."""
    real = os.path.realpath(path)
    best, kind = b"", ""
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_bytes().splitlines():
            fields, _, tail = line.partition(b" - ")
            mount = fields.split()[4].decode("unicode_escape").encode("latin-1")
            inside = real == mount or real.startswith(mount.rstrip(b"/") + b"/")
            if inside and len(mount) >= len(best):
                best, kind = mount, tail.split()[0].decode()
    return kind


def ignore_lease_breaks() -> None:
    """Keeps the signal of a broken file lease from ending the process. For the main thread only."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)


def being_written(path: bytes) -> bool:
    """Whether any process has the file open for writing.

    The kernel grants a read lease only on a file that nobody writes (fcntl(2), F_SETLEASE). It is given
    back at once. Where leases are not to be had (other owners, network disks), the answer is no.
    """
    if signal.getsignal(signal.SIGIO) is not signal.SIG_IGN:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
