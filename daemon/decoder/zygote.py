"""Starts decoder processes by forking itself, in milliseconds, as it has imported everything.

It never reads a file of a person's, nor anything but single bytes over its socket: with each comes
one end of a channel, and a fresh child serves it. The name is Android's for such a process.

Over the channel, the zygote says first `{"pid": …}`, with a descriptor of the child's process, and
last `{"ended": …}` with its exit status (negative: the signal). In between, parent and child talk as
`daemon.decoder.child` tells.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import socket
import sys
from contextlib import suppress

from daemon.decoder import child

_IDLE_SECONDS = 600.0
"""Without calls, after which it gives its memory back; the daemon starts another one if need be."""

_AT_FIRST_USE = ("_strptime", "pillow_heif", "numpy.ma", "numpy.lib.stride_tricks", "PIL.ImageCms")
"""Modules that others import once they need them."""


def main() -> None:
    """`python -m daemon.decoder.zygote DESCRIPTOR`, which the daemon starts. Ends with its socket."""
    control = socket.socket(fileno=int(sys.argv[1]))
    import_all()
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    children: dict[int, tuple[int, socket.socket]] = {}
    while True:
        ready = selector.select(_IDLE_SECONDS)
        if not ready and not children:
            return
        for key, _ in ready:
            if key.fileobj is control:
                if not _start(control, selector, children):
                    return
            else:
                selector.unregister(key.fileobj)
                _end(key.fd, *children.pop(key.fd))


def import_all() -> None:
    """Imports what is otherwise imported at first use, as a child can open no module any more."""
    import av
    from PIL import Image

    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    Image.init()
    for name in _AT_FIRST_USE:
        with suppress(ImportError):
            importlib.import_module(name)
    # Pages that no collection of garbage writes to stay shared with the children.
    gc.collect()
    gc.freeze()


def _start(
    control: socket.socket,
    selector: selectors.BaseSelector,
    children: dict[int, tuple[int, socket.socket]],
) -> bool:
    """Forks a child for the channel that arrives; False once nobody can ask any more."""
    message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    if not message:
        return False
    channel = socket.socket(fileno=descriptors[0])
    try:
        pid = os.fork()
    except OSError:  # too many processes, or too little memory: the daemon hears the channel close
        channel.close()
        return True
    if pid == 0:
        _keep_only(channel.fileno())
        child.serve(channel)
    process = os.pidfd_open(pid)
    with suppress(OSError):  # the daemon gave up meanwhile
        news = json.dumps({"pid": pid}).encode()
        socket.send_fds(channel, [news], [process], socket.MSG_DONTWAIT)
    selector.register(process, selectors.EVENT_READ)
    children[process] = pid, channel
    return True


def _keep_only(descriptor: int) -> None:
    """Closes what belongs to the zygote and to other children, but for the three usual streams."""
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))


def _end(process: int, pid: int, channel: socket.socket) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(process)
    with channel, suppress(OSError):
        # A child that filled the channel shall not hold all others up.
        channel.send(json.dumps({"ended": status}).encode(), socket.MSG_DONTWAIT)


if __name__ == "__main__":
    main()
