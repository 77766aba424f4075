"""A zygote whose children answer as one would that a file has taken over.

What they answer is the name of the file that they should read: see `ANSWERS`.
"""

import json
import math
import mmap
import os
import pickle
import signal
import socket
import time
from collections.abc import Callable

from daemon.decoder import child, zygote
from daemon.decoder.order import ORDER_BYTES, RESULT_BYTES

Answer = Callable[[socket.socket, mmap.mmap], object]


def result(data: bytes) -> Answer:
    """Answers with JSON where results lie."""

    def answer(channel: socket.socket, memory: mmap.mmap) -> None:
        begin = len(memory) - RESULT_BYTES
        memory[begin : begin + len(data)] = data
        channel.send(json.dumps({"result": len(data)}).encode())

    return answer


def message(data: bytes) -> Answer:
    """Answers with a message."""
    return lambda channel, memory: channel.send(data)


def pictures(times: list[float], shape: object) -> Answer:
    return result(json.dumps({"times": times, "shape": shape}).encode())


PROBE = {
    "duration": 4.0, "width": 64, "height": 48, "rotation": 0, "fps": 25.0, "variable_fps": False,
    "codec": "h264", "frame_count": 100, "start_time": 0.0, "has_audio": False, "created_at": None,
}  # fmt: skip


def probe(**changes: object) -> Answer:
    return result(json.dumps(PROBE | changes).encode())


ANSWERS: dict[str, Answer] = {
    "nothing": lambda channel, memory: None,
    "garbage": message(b"\xff{{{"),
    "a list": message(b"[1, 2]"),
    "a deep list": message(b"[" * 60000),
    "a deep result": result(b"[" * 100000),
    "a size without end": message(b'{"size": 1' + b"0" * 400 + b"}"),
    "a result without end": message(b'{"result": 1' + b"0" * 400 + b"}"),
    "a result before all": message(b'{"result": -10}'),
    "no number": pictures([math.nan], [1, 48, 64, 3]),
    "a large number": result(b'{"times": [1e999], "shape": [1, 48, 64, 3]}'),
    "a larger number": result(b'{"times": [1' + b"0" * 400 + b'], "shape": [1, 48, 64, 3]}'),
    "a wrong shape": pictures([0.5], [1, 99999, 99999, 3]),
    "a shape below nothing": pictures([0.5], [1, -48, -64, 3]),
    "no shape": pictures([0.5], 7),
    "too many pictures": pictures([0.1 * n for n in range(99)], [99, 48, 64, 3]),
    "times that fall": pictures([2.0, 1.0], [2, 48, 64, 3]),
    "an unknown error": message(b'{"error": "rm -rf", "message": "x"}'),
    "an error without words": message(b'{"error": "unreadable", "message": 3}'),
    "a full disk": message(b'{"error": "disk_full", "message": "x"}'),
    "a lost engine": message(b'{"error": "engine_unreachable", "message": "x"}'),
    "a lost file": lambda channel, memory: [
        channel.send(b'{"size": 9}'),
        channel.send(b'{"error": "vanished", "message": "x"}'),
    ],
    "two sizes": lambda channel, memory: [channel.send(b'{"size": 9}') for _ in (1, 2)],
    "thirty centuries": probe(duration=1e11),
    "a rate below nothing": probe(fps=-5.0),
    "a slanted picture": probe(rotation=12345),
    "a huge start": probe(start_time=-1e300),
    "no date": probe(created_at="9" * 100),
    "silence": lambda channel, memory: channel.shutdown(socket.SHUT_RDWR),
    "a flood": lambda channel, memory: [channel.send(b'{"progress": 2e9}') for _ in range(2000)],
    "a signal": lambda channel, memory: os.kill(os.getpid(), signal.SIGSEGV),
    "no end": lambda channel, memory: [sum(range(10**6)) for _ in iter(int, 1)],
    "sleep": lambda channel, memory: [channel.send(b'{"size": 9}'), time.sleep(60)],
}


def serve(channel: socket.socket) -> None:
    """Answers by the name of the file."""
    order, descriptors, _, _ = socket.recv_fds(channel, ORDER_BYTES, 1)
    memory = mmap.mmap(descriptors[0], 0)
    try:
        os.ftruncate(descriptors[0], 0)
    except PermissionError:
        name = os.fsdecode(os.path.basename(pickle.loads(order).path))
        ANSWERS[name](channel, memory)
    else:  # reading the memory would end the parent
        pictures([0.5], [1, 48, 64, 3])(channel, memory)
    os._exit(0)


if __name__ == "__main__":
    child.serve = serve  # type: ignore[assignment]
    zygote.main()
