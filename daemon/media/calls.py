"""What the daemon asks about files: each call is carried out in a process of its own, closed in.

What such a process gives back is checked before it is believed: a file may have taken it over.
"""

from __future__ import annotations

import atexit
import math
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from catalog.errors import ErrorCode
from catalog.ingest import PHOTO_EXTENSIONS
from daemon.decoder.facts import MAX_PIXELS, Frames, Picture, Probe
from daemon.decoder.limits import Limits
from daemon.decoder.order import Order
from daemon.decoder.packing import unpack
from daemon.decoder.scenes import Mode, Stretch
from daemon.decoder.source import MediaError, failure
from daemon.media.checks import is_sane, plain, rising
from daemon.media.sandbox import Reply, Sandbox
from daemon.media.thumbnails import BOX, Thumbnail, thumbnail_from

_MEGABYTE = 1 << 20
_LEAST_MEMORY = 1024 * _MEGABYTE
_MEMORY_A_PIXEL = 96
"""Bytes: the pictures that decoders of several groups hold, and one in RGB of 16 bits."""
_MOST_MEMORY = 6144 * _MEGABYTE
_UNKNOWN_PIXELS = 7680 * 4320

_LEAST_SECONDS = 60.0

_FOUND_BYTES = 64 * _MEGABYTE
"""What a search may find: enough for ten hours searched as one."""

_probes = TypeAdapter(Probe)
_SANDBOX = Sandbox()
atexit.register(_SANDBOX.close)


def probe(path: Path) -> Probe:
    """Opens a video, decodes its first frame and measures its length from its last packets.

    Raises `MediaError`: unreadable, no_video_stream, truncated, vanished, out_of_memory,
    decode_timeout, decoder_crashed.
    """
    return _probed(path, "probe")


def is_still(path: Path) -> bool:
    """Says whether a file is a photo, by the ending of its name."""
    return path.suffix.lower() in PHOTO_EXTENSIONS


def probe_still(path: Path) -> Probe:
    """Reads what a photo is; its duration and frame rate are 0. Raises as `probe` does."""
    return _probed(path, "probe_still")


def still(path: Path, *, long_side: int | None) -> Picture:
    """Returns a photo, upright, in RGB (sRGB), shape (height, width, 3).

    `long_side` bounds the larger side in pixels; the aspect is kept and nothing is enlarged.
    Raises as `probe` does.
    """
    room = (long_side**2 if long_side else MAX_PIXELS) * 3
    with _call(path, "still", room, long_side=long_side) as reply:
        match reply.result.get("shape"):
            case [int(height), int(width), 3] if (
                height > 0 and width > 0 and 3 * height * width <= room
            ):
                return _copied(reply, (height, width, 3))
        raise _senseless(path)


def sample_frames(
    path: Path,
    facts: Probe,
    times: Iterable[float],
    *,
    long_side: int | None,
    exact: bool = True,
) -> Frames:
    """Returns the pictures shown at `times`, or the nearest key frames if that is enough.

    See `daemon.decoder.frames.sample_frames`. Raises as `probe` does.
    """
    wanted = tuple(times)
    width, height = facts.scaled(long_side)
    room = len(wanted) * width * height * 3
    with _call(
        path,
        "sample",
        room,
        facts,
        seconds=min(max(wanted), facts.duration),  # a video may have one key frame for all
        times=wanted,
        long_side=long_side,
        exact=exact,
    ) as reply:
        told = rising(reply.result.get("times"))
        shape = (len(told), height, width, 3)
        if not 0 < len(told) <= len(wanted) or reply.result.get("shape") != list(shape):
            raise _senseless(path)
        return Frames(told, _copied(reply, shape))


def search_stretch(
    path: Path,
    facts: Probe,
    start: float,
    end: float,
    *,
    mode: Mode,
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Stretch:
    """Searches [start, end) of a video, in seconds, for shot boundaries.

    Raises as `probe` does, and `InterruptedByUserError` once `should_stop` says so.
    """
    with _call(
        path,
        "search",
        _FOUND_BYTES,
        facts,
        progress=progress,
        should_stop=should_stop,
        seconds=end - start,
        start=start,
        end=end,
        mode=mode,
    ) as reply:
        size = reply.result.get("bytes")
        if isinstance(size, int) and 0 < size <= _FOUND_BYTES:
            found = unpack(reply.memory[:size], start, end)
            if found is not None:
                return found
        raise _senseless(path)


def thumbnail(path: Path, facts: Probe, time: float, *, box: tuple[int, int] = BOX) -> Thumbnail:
    """Returns the picture shown at `time` (seconds), fitted into `box` (pixels).

    Raises as `probe` does.
    """
    sampled = sample_frames(path, facts, (time,), long_side=4 * max(box))
    return thumbnail_from(sampled.images[0], box=box)


def _probed(path: Path, operation: str) -> Probe:
    with _call(path, operation, 0) as reply:
        try:
            facts = _probes.validate_python(plain(reply.result))
        except ValueError as error:
            raise _senseless(path) from error
    if not is_sane(facts):
        raise _senseless(path)
    return facts


def _call(
    path: Path,
    operation: str,
    room: int,
    facts: Probe | None = None,
    *,
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    seconds: float = 0.0,
    **arguments: Any,
) -> AbstractContextManager[Reply]:
    """Has an operation carried out; `seconds` of video are to be decoded whole."""
    pixels = facts.width * facts.height if facts else _UNKNOWN_PIXELS
    limits = Limits(
        memory=min(_LEAST_MEMORY + room + _MEMORY_A_PIXEL * pixels, _MOST_MEMORY),
        seconds=_LEAST_SECONDS + 2 * seconds * max(1.0, pixels / 1e6),
    )
    if facts:
        arguments["facts"] = facts
    order = Order(operation, os.fsencode(path.absolute()), arguments, limits)
    return _SANDBOX.call(order, room=room, progress=progress, should_stop=should_stop)


def _copied(reply: Reply, shape: tuple[int, ...]) -> Picture:
    count = math.prod(shape)
    return np.frombuffer(reply.memory, dtype=np.uint8, count=count).reshape(shape).copy()


def _senseless(path: Path) -> MediaError:
    return failure(
        ErrorCode.DECODER_CRASHED,
        path,
        "made the decoder give what makes no sense",
        "convert it with another program, then retry",
    )
