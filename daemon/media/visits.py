"""One decoder process at work, seen from the daemon, which believes nothing of it unchecked."""

from __future__ import annotations

import json
import math
import os
import pickle
import select
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from mmap import mmap
from pathlib import Path
from typing import Any

from catalog.errors import ErrorCode, InterruptedByUserError
from catalog.safe_text import shown
from daemon.decoder.order import ORDER_BYTES, RESULT_BYTES, Order
from daemon.decoder.source import MediaError, failure, out_of_memory

_LOOK_SECONDS = 0.2
_MESSAGE_BYTES = 1 << 16
_MESSAGE_LETTERS = 2000
_MOST_BYTES = 1 << 60

_OF_FILES = {
    ErrorCode.UNREADABLE,
    ErrorCode.NO_VIDEO_STREAM,
    ErrorCode.TRUNCATED,
    ErrorCode.OUT_OF_MEMORY,
}
"""What may be wrong with a file once it is open; other codes say something of the machine."""


class StalledError(MediaError):
    """A file's disk or network share gives nothing: no fault of the file."""


class DecoderLostError(Exception):
    """The process that starts decoders ended, and this one with it: no fault of the file."""


@dataclass(slots=True)
class Visit:
    """A child and the way to it."""

    channel: socket.socket
    pid: int
    process: int
    """A descriptor of the child's process."""
    order: Order
    silence: float
    """Seconds without computing and reading after which the child is given up."""
    _size: int | None = None
    """Bytes of the file, told by the child before it looks into it."""
    _looks: select.poll = field(default_factory=select.poll)

    def carry_out(
        self,
        memory: mmap,
        descriptor: int,
        progress: Callable[[float], None] | None,
        should_stop: Callable[[], bool] | None,
    ) -> dict[str, Any]:
        """Sends the order with the memory for its result, and waits for that."""
        self._send(descriptor)
        self._looks.register(self.channel, select.POLLIN)
        begun = stirred = time.monotonic()
        worked = (0, 0)
        while True:
            message = self._next_message()
            now = time.monotonic()
            if message is None:
                # Asked only when nothing comes, as it reads two files.
                if (work := _work(self.pid)) != worked:
                    worked, stirred = work, now
                elif now - stirred > self.silence:
                    raise self._stalled()
            elif "progress" in message:
                stirred = now
                if progress:
                    progress(_share(message["progress"]))
            elif "size" in message and self._size is None:
                self._size = _bytes(message["size"], _MOST_BYTES)
            else:
                return self._result(message, memory)
            if should_stop and should_stop():
                raise InterruptedByUserError
            if now - begun > self._allowed:
                raise self._too_long()

    def end(self) -> None:
        """Ends the child, if it has not ended by itself."""
        with suppress(OSError):
            signal.pidfd_send_signal(self.process, signal.SIGKILL)
        os.close(self.process)

    @property
    def _allowed(self) -> float:
        return self.order.limits.seconds_for(self._size or 0)

    def _send(self, descriptor: int) -> None:
        data = pickle.dumps(self.order)
        if len(data) > ORDER_BYTES:
            raise ValueError(f"an order of {len(data)} bytes is too long")
        with suppress(BrokenPipeError, ConnectionResetError):  # its last words tell
            socket.send_fds(self.channel, [data], [descriptor])

    def _next_message(self) -> dict[str, Any] | None:
        """Returns the next message, or None if there was none for a moment."""
        if not self._looks.poll(_LOOK_SECONDS * 1000):
            return None
        try:
            data = self._received()
            if not data:
                raise DecoderLostError
            message = json.loads(data)
        except (OSError, ValueError, RecursionError):
            message = {}
        return message if isinstance(message, dict) else {}

    def _received(self) -> bytes:
        try:
            return self.channel.recv(_MESSAGE_BYTES)
        except ConnectionResetError:
            # It died before it had read its order, which is told once, before its last words.
            return self.channel.recv(_MESSAGE_BYTES)

    def _result(self, message: dict[str, Any], memory: mmap) -> dict[str, Any]:
        if "result" in message:
            size = _bytes(message["result"], RESULT_BYTES)
            begin = len(memory) - RESULT_BYTES
            with suppress(ValueError, RecursionError):
                result = json.loads(memory[begin : begin + size], parse_constant=_no_number)
                if isinstance(result, dict):
                    return result
        if "error" in message:
            raise self._reported(message)
        if "ended" in message:
            raise self._ended(message["ended"])
        raise self.crashed("what it said makes no sense")

    def _reported(self, message: dict[str, Any]) -> MediaError:
        code, text = message.get("error"), message.get("message")
        # Nothing of the file has been looked at before its size is told.
        known = _OF_FILES | (set() if self._size is not None else {ErrorCode.VANISHED})
        if isinstance(code, str) and code in known and isinstance(text, str):
            return MediaError(ErrorCode(code), shown(text[:_MESSAGE_LETTERS]))
        if code == ErrorCode.DECODER_CRASHED and isinstance(text, str):
            return self.crashed(shown(text[:_MESSAGE_LETTERS]))
        return self.crashed("what it said makes no sense")

    def _ended(self, status: object) -> MediaError:
        name = ""
        if isinstance(status, int):
            with suppress(ValueError):
                name = signal.Signals(-status).name
        if name == "SIGKILL":  # nobody else sends that
            return out_of_memory(self._path)
        return self.crashed(name or "it ended early")

    def crashed(self, why: str) -> MediaError:
        """Returns the error for a child that a file brought to its end."""
        return failure(
            ErrorCode.DECODER_CRASHED,
            self._path,
            f"brought the decoder to its end ({why})",
            "convert it with another program, then retry",
        )

    def _stalled(self) -> MediaError:
        what = f"gave nothing to read for {self.silence:.0f} seconds"
        advice = "check its disk or network share"
        told = failure(ErrorCode.DECODE_TIMEOUT, self._path, what, advice)
        # A process that waits for anything but its file hangs by a fault of its own.
        kind = StalledError if self._size is None or _state(self.pid) in "DT" else MediaError
        return kind(told.code, str(told))

    def _too_long(self) -> MediaError:
        return failure(
            ErrorCode.DECODE_TIMEOUT,
            self._path,
            f"took longer than {self._allowed:.0f} seconds to decode",
            "convert it with another program, then retry",
        )

    @property
    def _path(self) -> Path:
        return Path(os.fsdecode(self.order.path))


def _work(pid: int) -> tuple[int, int]:
    """Returns what a process has computed (clock ticks) and read (bytes); proc(5)."""
    computed = read = 0
    with suppress(OSError, ValueError, IndexError):
        fields = _stat(pid)
        computed = int(fields[11]) + int(fields[12])
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/io", "rb") as file:
        read = int(file.readline().split()[1])
    return computed, read


def _state(pid: int) -> str:
    """Returns a letter: D waits for a disk, T was stopped from outside."""
    with suppress(OSError, IndexError):
        return _stat(pid)[0].decode()
    return "?"


def _stat(pid: int) -> list[bytes]:
    """Returns the fields behind the name, which may hold anything."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def _share(value: object) -> float:
    if isinstance(value, float | int) and 0 <= value <= 1 and math.isfinite(value):
        return float(value)
    return 0.0


def _bytes(value: object, most: int) -> int:
    return min(max(value, 0), most) if isinstance(value, int) else 0


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
