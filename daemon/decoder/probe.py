"""Reads what a video file is: how long, how large, how it turns, and that it really decodes."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice, pairwise
from statistics import median
from typing import TYPE_CHECKING

import av
import av.error

from daemon.decoder.completeness import is_cut_short
from daemon.decoder.container import TICK, codec_name, decode_packet, opened, packets_of, stamp_of
from daemon.decoder.facts import Probe
from daemon.decoder.pictures import high_range_of, pixel_aspect, turn_of
from daemon.decoder.source import Source, truncated, undecodable
from daemon.decoder.tags import (
    chapters_of,
    created_from,
    known_tags,
    place_from,
    tags_from,
    tracks_of,
)
from daemon.decoder.undated import frames_in_order, is_raw, is_undated, moments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_HEAD_PACKETS = 300
"""Packets read at the start, to see a frame and whether the frame rate varies."""

_TAIL_STEPS = (3, 15, 60, 300)
"""Seconds before the declared end where the last packets are looked for, nearest first."""

_DEFAULT_FPS = 25.0
_MIN_FPS = 1 / 3600
_MAX_FPS = 1000.0
_DAY = 86_400
_MAX_FRAMES = 1 << 40


@dataclass(frozen=True, slots=True)
class _Head:
    """What the first packets tell: the first frame, and the steps between frames in ticks."""

    frame: VideoFrame
    start: int
    end: int
    steps: list[int]
    whole: bool
    raw: bool = False
    """Whether the steps are what the stream says of its rate, and the container only guesses it."""


def probe(source: Source) -> Probe:
    """Opens a file, decodes its first frame and measures its length from its last packets.

    Raises `MediaError`: unreadable, no_video_stream, truncated, vanished, out_of_memory.
    """
    with opened(source) as (container, stream):
        if is_cut_short(source) or _index_points_outside(source, container):
            raise truncated(source.path)
        known = known_tags(container, stream)
        head = _read_head(container, stream)
        if head is None:
            raise undecodable(source.path)
        return _probe(container, stream, head, known)


def _probe(
    container: InputContainer, stream: VideoStream, head: _Head, known: dict[str, str]
) -> Probe:
    base = stream.time_base or TICK
    fps = _fps(stream, head)
    end = head.end if head.whole else _last_end(container, stream, head)
    duration = float((end - head.start) * base) if end > head.start else 1 / fps
    start_time = float(head.start * base)
    rotation, mirrored = turn_of(head.frame)
    width, height = max(1, round(head.frame.width * pixel_aspect(stream))), head.frame.height
    return Probe(
        duration=duration,
        width=height if rotation in (90, 270) else width,
        height=width if rotation in (90, 270) else height,
        rotation=rotation,
        fps=fps,
        variable_fps=_varies(head),
        codec=codec_name(stream),
        frame_count=stream.frames if 0 < stream.frames < _MAX_FRAMES else None,
        start_time=start_time,
        has_audio=bool(container.streams.audio),
        created_at=created_from(known),
        format=container.format.name,
        mirrored=mirrored,
        interlaced=head.frame.interlaced_frame,
        pixel_format=head.frame.format.name,
        bit_depth=max(component.bits for component in head.frame.format.components),
        hdr=high_range_of(head.frame),
        streams=tracks_of(container),
        chapters=chapters_of(container, start_time, duration),
        tags=tags_from(known),
        location=place_from(known),
    )


def _index_points_outside(source: Source, container: InputContainer) -> bool:
    """Says whether the newest entries of the index lie behind the end of the file."""
    return any(
        entry.pos + entry.size > source.size
        for stream in container.streams
        for entry in stream.index_entries[max(0, len(stream.index_entries) - 64) :]
    )


def _read_head(container: InputContainer, stream: VideoStream) -> _Head | None:
    if is_undated(container, stream):
        return _undated_head(container, stream)
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
        end=_last((_end(packet, stream) for packet in shown), stream) or start,
        steps=[after - before for before, after in pairwise(stamps) if before >= start],
        whole=len(packets) < _HEAD_PACKETS,
    )


def _undated_head(container: InputContainer, stream: VideoStream) -> _Head | None:
    moments = moments_of(container, stream)
    first = list(islice(moments, _HEAD_PACKETS))
    whole = (frame for frame in frames_in_order(stream, first) if not frame.is_corrupt)
    frame = next(whole, None)
    if frame is None:
        return None
    raw = is_raw(container)
    # Nothing says how long a raw stream is, so it is read to its end.
    last = (deque(moments if raw else (), maxlen=1) or first)[-1]
    steps = (after.tick - before.tick for before, after in pairwise(first))
    return _Head(
        frame=frame,
        start=stamp_of(frame),
        end=last.tick + last.length,
        steps=[step for step in steps if step > 0],
        whole=raw or len(first) < _HEAD_PACKETS,
        raw=raw,
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
            end = _last(_ends(container, stream), stream)
            if end is not None:
                return max(end, head.end)
        with suppress(av.error.FFmpegError):
            container.seek(head.start, stream=stream)
    # Without a declared length, the packets that follow the head are counted to the last one.
    return _last(chain((head.end,), _ends(container, stream)), stream) or head.end


def _last(ends: Iterable[int], stream: VideoStream) -> int | None:
    """Returns the last of the ticks that no gap of more than a day precedes: such is damage."""
    last: int | None = None
    day = round(_DAY / (stream.time_base or TICK))
    for end in sorted(ends):
        if last is not None and end - last > day:
            break
        last = end
    return last


def _ends(container: InputContainer, stream: VideoStream) -> Iterator[int]:
    """Gives the ticks at which the pictures of the packets from here on stop being shown."""
    if is_undated(container, stream):
        return (moment.tick + moment.length for moment in moments_of(container, stream))
    return (_end(p, stream) for p in packets_of(container, stream) if not p.is_discard)


def _declared_end(container: InputContainer, stream: VideoStream) -> int | None:
    if stream.duration:
        return (stream.start_time or 0) + stream.duration
    if container.duration:
        seconds = Fraction((container.start_time or 0) + container.duration, av.time_base)
        return round(seconds / (stream.time_base or TICK))
    return None


def _declared_fps(stream: VideoStream) -> float | None:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and _MIN_FPS <= rate <= _MAX_FPS:
            return float(rate)
    return None


def _fps(stream: VideoStream, head: _Head) -> float:
    measured = (
        1 / float(median(head.steps) * (stream.time_base or TICK)) if head.steps else _DEFAULT_FPS
    )
    bounded = min(max(measured, _MIN_FPS), _MAX_FPS)
    return bounded if head.raw and head.steps else _declared_fps(stream) or bounded


def _varies(head: _Head) -> bool:
    """Says whether the steps between frames differ by more than the rounding of the time base."""
    if len(head.steps) < 2:
        return False
    usual = median(head.steps)
    # A dropped frame does not make a recording variable; a fiftieth of the steps does.
    uneven = sum(abs(step - usual) > 0.1 * usual + 1 for step in head.steps)
    return uneven > len(head.steps) // 50
