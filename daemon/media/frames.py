"""Takes the pictures shown at given times out of a video: upright, scaled, in RGB."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from catalog.errors import ErrorCode
from daemon.media.container import (
    TICK,
    opened,
    stamp_of,
)
from daemon.media.groups import shown_frames
from daemon.media.source import failure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.video.frame import VideoFrame

    from daemon.media.probe import Probe
    from daemon.media.source import Source

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures and when they are shown."""

    times: tuple[float, ...]
    """Seconds from the start of the video, rising: when each picture really begins to be shown."""
    images: Picture
    """RGB, shape (frames, height, width, 3)."""


def uniform_times(start: float, end: float, count: int) -> tuple[float, ...]:
    """Returns the middles of `count` equal parts of [start, end), in seconds."""
    return tuple(start + (index + 0.5) / count * (end - start) for index in range(count))


def sample_frames(
    source: Source, probe: Probe, times: Iterable[float], *, long_side: int | None
) -> Frames:
    """Returns the pictures shown at `times` (seconds), upright, with square pixels.

    `long_side` bounds the larger side in pixels; the aspect is kept and nothing is enlarged. Times
    that fall on one picture give it once, so there may be fewer pictures than times, but at least
    one. In place of a picture that does not decode comes the nearest one that does.

    Raises `MediaError`: unreadable when nothing decodes, and all that opening raises.
    """
    with opened(source) as (container, stream):
        base = stream.time_base or TICK
        start = round(Fraction(probe.start_time) / base)
        targets = sorted({_tick(time, probe, base) + start for time in times})
        size = _decoded_size(probe, long_side)
        pictures: dict[int, Picture] = {}
        # One for all, on this thread: setting one up, and sharing its work out, cost more than its use.
        reformatter = VideoReformatter()
        for frame in shown_frames(source, container, stream, targets, start):
            if stamp_of(frame) not in pictures:
                pictures[stamp_of(frame)] = _upright(frame, reformatter, size, probe.rotation)
    if not pictures:
        raise failure(
            ErrorCode.UNREADABLE,
            source.path,
            "holds no picture that can be decoded",
            "check that it plays, or delete it",
        )
    stamps = sorted(pictures)
    return Frames(
        times=tuple(max(0.0, float((stamp - start) * base)) for stamp in stamps),
        images=np.stack([pictures[stamp] for stamp in stamps]),
    )


def _tick(time: float, probe: Probe, base: Fraction) -> int:
    """Returns the last tick at or before a time; half a millisecond forgives rounded times."""
    forgiven = min(0.5, 0.0005 / float(base))
    return math.floor(min(max(time, 0.0), probe.duration) / float(base) + forgiven)


def _decoded_size(probe: Probe, long_side: int | None) -> tuple[int, int]:
    """Returns the width and height to scale to, before the picture is turned upright."""
    longest = max(probe.width, probe.height)
    scale = min(1.0, long_side / longest) if long_side else 1.0
    width, height = (max(1, round(side * scale)) for side in (probe.width, probe.height))
    return (height, width) if probe.rotation in (90, 270) else (width, height)


def _upright(
    frame: VideoFrame, reformatter: VideoReformatter, size: tuple[int, int], rotation: int
) -> Picture:
    width, height = size
    small = reformatter.reformat(frame, width, height, "rgb24", interpolation="BICUBIC", threads=1)
    turned = np.rot90(small.to_ndarray(), -rotation // 90)
    return np.ascontiguousarray(turned, dtype=np.uint8)
