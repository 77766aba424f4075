"""Has files read by decoder processes, which are not trusted: one process a call.

A process that neither computes nor reads for a while, as on a network share that is gone, is given
up, and so is one that takes longer than its file is worth.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any

from catalog.errors import ErrorCode, InterruptedByUserError
from daemon.decoder.order import RESULT_BYTES, Order
from daemon.decoder.source import MediaError, failure
from daemon.media.visits import DecoderLostError, Visit

_ZYGOTE = "daemon.decoder.zygote"

_LOOK_SECONDS = 0.2
_START_SECONDS = 60.0
_SILENCE_SECONDS = 60.0
"""Without computing and reading, after which a process waits for something that does not come."""
_ATTEMPTS = 3

_NEWS_BYTES = 1 << 12

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
"""A child that shrinks the memory while it is read here would end this process."""

_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
"""Variables that a decoder may know; others may hold keys."""


_Zygote = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a decoder process gave; nothing in it is checked yet."""

    result: dict[str, Any]
    memory: mmap
    """The memory for pictures, as long as was asked for, and more."""


class Sandbox:
    """Starts decoder processes. Any number of threads may call at once."""

    def __init__(
        self,
        *,
        silence_seconds: float = _SILENCE_SECONDS,
        start_seconds: float = _START_SECONDS,
        zygote: str = _ZYGOTE,
    ) -> None:
        self._silence = silence_seconds
        self._start = start_seconds
        self._module = zygote
        self._lock = threading.Lock()
        self._zygote: _Zygote | None = None
        self._control: socket.socket | None = None

    @contextmanager
    def call(
        self,
        order: Order,
        *,
        room: int,
        progress: Callable[[float], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Iterator[Reply]:
        """Has an order carried out, with `room` bytes of memory for what is large.

        Raises `MediaError` (decode_timeout, decoder_crashed, and what the child raised), and
        `InterruptedByUserError` once `should_stop` says so.
        """
        try:
            memory = os.memfd_create("pictures", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        except OSError as error:
            raise _nothing_left(order) from error
        try:
            os.ftruncate(memory, room + RESULT_BYTES)
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
            with mmap(memory, 0) as pictures:
                result = self._carried_out(order, pictures, memory, progress, should_stop)
                yield Reply(result, pictures)
        finally:
            os.close(memory)

    def close(self) -> None:
        """Ends the zygote; the next call starts another."""
        with self._lock:
            self._forget()

    def _carried_out(
        self,
        order: Order,
        memory: mmap,
        descriptor: int,
        progress: Callable[[float], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> dict[str, Any]:
        for _ in range(_ATTEMPTS):
            with self._child(order, should_stop) as (visit, zygote):
                if visit is None:
                    continue
                try:
                    return visit.carry_out(memory, descriptor, progress, should_stop)
                except DecoderLostError as error:
                    if _lives(zygote):
                        raise visit.crashed("it fell silent") from error
        raise _nothing_left(order)

    @contextmanager
    def _child(
        self, order: Order, should_stop: Callable[[], bool] | None
    ) -> Iterator[tuple[Visit | None, _Zygote | None]]:
        """Has a child started, and ends it; None if none comes."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError:
            yield None, None
            return
        with ours:
            with theirs:
                zygote = self._ask(theirs)
            met = self._meet(ours, should_stop) if zygote else None
            if met is None:
                self._replace(zygote)
                yield None, zygote
                return
            visit = Visit(ours, *met, order, self._silence)
            try:
                yield visit, zygote
            finally:
                visit.end()

    def _ask(self, channel: socket.socket) -> _Zygote | None:
        """Asks for a child to serve a channel; None if the zygote has ended since the last call."""
        with self._lock:
            try:
                if self._zygote is None or self._zygote.poll() is not None:
                    self._forget()
                    self._zygote, self._control = _started(self._module)
                assert self._control is not None
                socket.send_fds(self._control, [b"+"], [channel.fileno()], socket.MSG_DONTWAIT)
            except (BrokenPipeError, ConnectionResetError):
                self._forget()
                return None
            except OSError:  # too many descriptors or processes: others' calls may go on
                return None
            return self._zygote

    def _meet(
        self, channel: socket.socket, should_stop: Callable[[], bool] | None
    ) -> tuple[int, int] | None:
        """Waits for a child and returns its id and a descriptor of its process; None if none comes."""
        looks = select.poll()
        looks.register(channel, select.POLLIN)
        until = time.monotonic() + self._start
        while not looks.poll(_LOOK_SECONDS * 1000):
            if should_stop and should_stop():
                raise InterruptedByUserError
            if time.monotonic() > until:
                return None
        try:
            message, descriptors, _, _ = socket.recv_fds(channel, _NEWS_BYTES, 1)
        except OSError:
            return None
        return (int(json.loads(message)["pid"]), descriptors[0]) if descriptors else None

    def _replace(self, zygote: _Zygote | None) -> None:
        """Gives a zygote up that starts no children, unless another thread did so before."""
        with self._lock:
            if zygote is not None and zygote is self._zygote:
                self._forget()

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._zygote is not None:
            try:
                self._zygote.wait(1.0)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
        self._zygote = self._control = None


def _started(module: str) -> tuple[_Zygote, socket.socket]:
    ours, theirs = socket.socketpair()
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    with theirs:
        # -P: a folder named like one of our packages, where the daemon was started, is none of ours.
        zygote = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=sys.__stderr__,
            start_new_session=True,  # Ctrl+C is for us
            # One thread: a process of more cannot be forked. Fewer pools: each reserves 64 MB.
            env={**kept, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        )
    return zygote, ours


def _lives(zygote: _Zygote | None) -> bool:
    if zygote is not None:
        try:
            zygote.wait(1.0)
        except subprocess.TimeoutExpired:
            return True
    return False


def _nothing_left(order: Order) -> MediaError:
    return failure(
        ErrorCode.OUT_OF_MEMORY,
        Path(os.fsdecode(order.path)),
        "cannot be read, as no process can be started for it",
        "close other programs, or raise the limits of this user",
    )
