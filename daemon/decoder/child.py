"""Serves one call on one file, closed in, and ends.

The parent sends an `Order`, pickled, with the memory for pictures. The child answers with messages
of JSON: first `{"size": bytes}` of the file, then, no more to be trusted, any number of
`{"progress": share}`, and one of `{"result": bytes}`, whose JSON lies at the end of the memory, and
`{"error": code, "message": …}`.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import signal
import socket
import time
from contextlib import suppress
from mmap import mmap
from pathlib import Path

from catalog.errors import CodedError, ErrorCode
from daemon.decoder import operations
from daemon.decoder.limits import close_in
from daemon.decoder.order import ORDER_BYTES, RESULT_BYTES, Order
from daemon.decoder.source import Source, out_of_memory

_PARENT_DEATH_SIGNAL = 1
_PROGRESS_SECONDS = 0.25
_MESSAGE_LETTERS = 500


def serve(channel: socket.socket) -> None:
    """Serves the call that comes over a channel, and ends the process."""
    status = 1
    try:
        _prepare()
        message, descriptors, _, _ = socket.recv_fds(channel, ORDER_BYTES, 1)
        if message:  # the parent may have given up
            _answer(channel, pickle.loads(message), descriptors[0])
        status = 0
    except (BrokenPipeError, ConnectionResetError):
        status = 0  # nobody waits any more
    finally:
        os._exit(status)  # nothing that was made here is worth tidying up


def _prepare() -> None:
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries that complain about damaged files do so nowhere.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)


def _answer(channel: socket.socket, order: Order, memory: int) -> None:
    path = Path(os.fsdecode(order.path))
    told: dict[str, object]
    try:
        with mmap(memory, 0) as room, Source.of(path) as source:
            os.close(memory)
            close_in(order.limits, source.size)
            channel.send(json.dumps({"size": source.size}).encode())
            call = getattr(operations, order.operation)
            result = call(source, room, _Progress(channel), **order.arguments)
            told = {"result": _write(room, json.dumps(result).encode())}
    except CodedError as error:
        told = {"error": error.code, "message": str(error)[:_MESSAGE_LETTERS]}
    except MemoryError:
        shortage = out_of_memory(path)
        told = {"error": shortage.code, "message": str(shortage)}
    except Exception as error:  # what a damaged file may bring about is not known
        what = f"{type(error).__name__}: {error}"[:_MESSAGE_LETTERS]
        told = {"error": ErrorCode.DECODER_CRASHED, "message": what}
    channel.send(json.dumps(told).encode())


def _write(room: mmap, result: bytes) -> int:
    """Puts a result where the parent looks for it and returns its size."""
    if len(result) > RESULT_BYTES:
        raise ValueError(f"a result of {len(result)} bytes is too long")
    begin = len(room) - RESULT_BYTES
    room[begin : begin + len(result)] = result
    return len(result)


class _Progress:
    """Tells the parent how far a call is, now and then."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._told = 0.0

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now - self._told >= _PROGRESS_SECONDS:
            self._told = now
            # A parent too busy to listen shall not hold the work up.
            with suppress(BlockingIOError):
                self._channel.send(json.dumps({"progress": share}).encode(), socket.MSG_DONTWAIT)
