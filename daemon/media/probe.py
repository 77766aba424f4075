"""Reads what a video file is: how long, how large, how it turns, and that it really decodes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import chain, islice, pairwise
from statistics import median
from typing import TYPE_CHECKING

import av
import av.error

from catalog.errors import ErrorCode
from daemon.media.completeness import is_cut_short
from daemon.media.container import (
    TICK,
    codec_name,
    decode_packet,
    opened,
    packets_of,
    stamp_of,
)
from daemon.media.source import Source, failure, truncated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_HEAD_PACKETS = 300
"""Packets read at the start, to see a frame and whether the frame rate varies."""

_TAIL_STEPS = (3, 15, 60, 300)
"""Seconds before the declared end where the last packets are looked for, nearest first."""

_DEFAULT_FPS = 25.0
_MAX_FPS = 1000.0
_SANE_ASPECT = (Fraction(1, 8), Fraction(8))


@dataclass(frozen=True, slots=True)
class Probe:
    """What a video file is. Times are in seconds."""

    duration: float
    """From the first frame shown to the end of the last one; 0 only of a photo."""
    width: int
    """Pixels as shown: upright, and with square pixels."""
    height: int
    """Pixels as shown: upright, and with square pixels."""
    rotation: int
    """Degrees clockwise, 0, 90, 180 or 270, that turn the decoded picture upright."""
    fps: float
    """Frames a second, on average; 0 of a photo."""
    variable_fps: bool
    """Whether frames are shown for different lengths of time."""
    codec: str
    """Canonical name, such as `h264` or `jpeg`."""
    frame_count: int | None
    """None where the container does not say."""
    start_time: float
    """The container's time of the first frame shown; every other time counts from it."""
    has_audio: bool
    created_at: str | None
    """When it was filmed, ISO 8601, if the file says so; with zone, but of most photos."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What the first packets tell: the first frame, and the steps between frames in ticks."""

    frame: VideoFrame
    start: int
    end: int
    steps: list[int]
    whole: bool


def probe(source: Source) -> Probe:
    """Opens a file, decodes its first frame and measures its length from its last packets.

    Raises `MediaError`: unreadable, no_video_stream, truncated, vanished, out_of_memory.
    """
    with opened(source) as (container, stream):
        if is_cut_short(source) or _index_points_outside(source, container):
            raise truncated(source.path)
        base = stream.time_base or TICK
        created_at = _created_at(container)
        head = _read_head(container, stream)
        if head is None:
            raise failure(
                ErrorCode.UNREADABLE,
                source.path,
                "holds no picture that can be decoded",
                "check that it plays, or delete it",
            )
        fps = _fps(stream, head)
        end = head.end if head.whole else _last_end(container, stream, head)
        width, height = _shown_size(stream, head.frame)
        return Probe(
            duration=float((end - head.start) * base) if end > head.start else 1 / fps,
            width=width,
            height=height,
            rotation=_clockwise(head.frame),
            fps=fps,
            variable_fps=_varies(head),
            codec=codec_name(stream),
            frame_count=stream.frames or None,
            start_time=float(head.start * base),
            has_audio=bool(container.streams.audio),
            created_at=created_at,
        )


def _index_points_outside(source: Source, container: InputContainer) -> bool:
    """Says whether the newest entries of the index lie behind the end of the file."""
    return any(
        entry.pos + entry.size > source.size
        for stream in container.streams
        for entry in stream.index_entries[max(0, len(stream.index_entries) - 64) :]
    )


def _read_head(container: InputContainer, stream: VideoStream) -> _Head | None:
    packets = list(islice(packets_of(container, stream), _HEAD_PACKETS))
    frame = _first_frame(stream, packets)
    if frame is None:
        return None
    shown = [packet for packet in packets if not packet.is_discard]
    stamps = sorted({packet.pts for packet in shown if packet.pts is not None})
    start = stamp_of(frame)
    return _Head(
        frame=frame,
        start=start,
        end=max((_end(packet, stream) for packet in shown), default=start),
        steps=[after - before for before, after in pairwise(stamps) if before >= start],
        whole=len(packets) < _HEAD_PACKETS,
    )


def _first_frame(stream: VideoStream, packets: Iterable[Packet[VideoStream]]) -> VideoFrame | None:
    for packet in chain(packets, (None,)):
        for frame in decode_packet(stream, packet):
            if not frame.is_corrupt:
                return frame
    return None


def _end(packet: Packet[VideoStream], stream: VideoStream) -> int:
    """Returns the tick at which the picture of a packet stops being shown."""
    stamp = stamp_of(packet)
    if packet.duration:
        return stamp + packet.duration
    return stamp + round(1 / (_declared_fps(stream) or _DEFAULT_FPS) / packet.time_base)


def _last_end(container: InputContainer, stream: VideoStream, head: _Head) -> int:
    """Returns the tick at which the last picture ends, from the last packets that can be read."""
    base = stream.time_base or TICK
    declared = _declared_end(container, stream)
    if declared is not None:
        for seconds in _TAIL_STEPS:
            try:
                # Any frame will do: nothing is decoded, so no key frame is needed.
                container.seek(
                    max(head.start, declared - round(seconds / base)), any_frame=True, stream=stream
                )
            except av.error.FFmpegError:
                break
            end = max(
                (_end(p, stream) for p in packets_of(container, stream) if not p.is_discard),
                default=None,
            )
            if end is not None:
                return max(end, head.end)
        with suppress(av.error.FFmpegError):
            container.seek(head.start, stream=stream)
    # Without a declared length, the packets that follow the head are counted to the last one.
    rest = (_end(p, stream) for p in packets_of(container, stream) if not p.is_discard)
    return max(rest, default=head.end)


def _declared_end(container: InputContainer, stream: VideoStream) -> int | None:
    if stream.duration:
        return (stream.start_time or 0) + stream.duration
    if container.duration:
        seconds = Fraction((container.start_time or 0) + container.duration, av.time_base)
        return round(seconds / (stream.time_base or TICK))
    return None


def _declared_fps(stream: VideoStream) -> float | None:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= _MAX_FPS:
            return float(rate)
    return None


def _fps(stream: VideoStream, head: _Head) -> float:
    measured = (
        1 / float(median(head.steps) * (stream.time_base or TICK)) if head.steps else _DEFAULT_FPS
    )
    return _declared_fps(stream) or min(measured, _MAX_FPS)


def _varies(head: _Head) -> bool:
    """Says whether the steps between frames differ by more than the rounding of the time base."""
    if len(head.steps) < 2:
        return False
    usual = median(head.steps)
    # A dropped frame does not make a recording variable; a fiftieth of the steps does.
    uneven = sum(abs(step - usual) > 0.1 * usual + 1 for step in head.steps)
    return uneven > len(head.steps) // 50


def _clockwise(frame: VideoFrame) -> int:
    """Turns the display matrix, which counts against the clock, into quarter turns with it."""
    return round(-frame.rotation / 90) % 4 * 90


def _shown_size(stream: VideoStream, frame: VideoFrame) -> tuple[int, int]:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if not _SANE_ASPECT[0] <= aspect <= _SANE_ASPECT[1]:
        aspect = Fraction(1)
    width, height = max(1, round(frame.width * aspect)), frame.height
    return (height, width) if _clockwise(frame) in (90, 270) else (width, height)


def _created_at(container: InputContainer) -> str | None:
    """Prefers the phone's own key, which knows the local zone, over the one that is always UTC."""
    for key in ("com.apple.quicktime.creationdate", "creation_time"):
        try:
            moment = datetime.fromisoformat(container.metadata.get(key, ""))
        except ValueError:
            continue
        # Cameras without a set clock write the zero of their epoch: 1904 or 1970.
        if moment.tzinfo is not None and moment.year > 1970:
            return moment.isoformat()
    return None
