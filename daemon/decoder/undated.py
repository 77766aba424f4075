"""Pictures of streams that say in what order they are shown, but not when.

Raw streams have no times at all, and H.264 or HEVC in AVI and some others only that of decoding, or
of some pictures. Yet a decoder gives pictures in the order of showing, so the n-th picture belongs to
the n-th moment of decoding. Counting starts at the beginning or at an IDR picture: all before it in
the file is also shown before it (ITU-T H.264, 7.4.1.2.4; H.265, 8.1.3). All times here are ticks of
the stream's time base.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, dropwhile
from typing import TYPE_CHECKING, TypeVar, cast

import av.error
from av.format import Flags

from daemon.decoder.container import (
    TICK,
    UNSEEKABLE,
    codec_name,
    decode_packet,
    opened,
    packets_of,
    stamp_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from daemon.decoder.source import Source

T = TypeVar("T")

_USUAL_FPS = 25
"""What players assume of a raw stream that does not say."""

_LONGEST = 3600
"""Seconds that a picture may last; a stream that says more is damaged."""

_IDR = {
    # NAL unit types of slices and, of those, of IDR pictures; the type's place in the first byte.
    "h264": (range(1, 6), range(5, 6), 0, 0x1F),
    "hevc": (range(32), range(19, 21), 1, 0x3F),
}

_UNDATED = {
    "avi": frozenset({"h264", "hevc", "mpeg1video"}),
    "asf": frozenset({"h264", "hevc"}),
    "mxf": frozenset({"h264", "hevc"}),
    "mpeg": frozenset({"h264", "hevc"}),
}
"""Codecs that a container does not date, by the name of its format."""

_BEGINNING = -(1 << 62)
"""A tick before all others: decoding may begin below zero."""

_START_CODE = b"\x00\x00\x01"


@dataclass(frozen=True, slots=True)
class Moment:
    """One packet and when it is decoded: when some picture, not always its own, is shown."""

    tick: int
    length: int
    packet: Packet[VideoStream]


def is_undated(container: InputContainer, stream: VideoStream) -> bool:
    """Says whether a stream does not tell when its pictures are shown."""
    return is_raw(container) or codec_name(stream) in _UNDATED.get(container.format.name, ())


def is_raw(container: InputContainer) -> bool:
    """Says whether a file is the bare stream, without times and without an index."""
    return bool(container.format.flags & cast("int", Flags.no_timestamps.value))


def _seeks(container: InputContainer) -> bool:
    return not is_raw(container) and container.format.name not in UNSEEKABLE


def moments_of(container: InputContainer, stream: VideoStream) -> Iterator[Moment]:
    """Reads on from the beginning of a stream, or from where a seek has led."""
    base = stream.time_base or TICK
    usual = max(1, round(1 / (_USUAL_FPS * base)))
    longest = _LONGEST / base
    tick = 0
    for packet in packets_of(container, stream):
        tick = tick if packet.dts is None else packet.dts
        length = packet.duration if packet.duration and packet.duration <= longest else usual
        yield Moment(tick, length, packet)
        tick += length


def frames_in_order(stream: VideoStream, moments: Iterable[Moment]) -> Iterator[VideoFrame]:
    """Decodes from an IDR picture or the beginning on; each frame has the tick when it is shown."""
    ticks: deque[int] = deque()
    starts: set[int] = set()
    for moment in chain(moments, (None,)):
        packet = None if moment is None else moment.packet
        if moment is not None and packet is not None:
            ticks.append(moment.tick)
            if is_idr(stream, packet):
                starts.add(moment.tick)
            # The decoder hands this on to the picture: so it is known which packet it came from.
            packet.pts = packet.dts = moment.tick
        for frame in decode_packet(stream, packet):
            # Lost pictures would shift all that follow; an IDR picture is where counting is sure.
            while frame.pts in starts and ticks and ticks[0] < frame.pts:
                ticks.popleft()
            if ticks:
                frame.pts = ticks.popleft()
                yield frame


def frames_of(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decodes any stream from here on; an undated one from its beginning or an IDR picture on.

    Each frame has the tick when it is shown.
    """
    if is_undated(container, stream):
        yield from frames_in_order(stream, moments_of(container, stream))
        return
    for packet in chain(packets_of(container, stream), (None,)):
        yield from decode_packet(stream, packet)


def pictures_in_order(
    source: Source, targets: list[int], develop: Callable[[VideoFrame], T]
) -> dict[int, T]:
    """Returns the pictures shown at `targets` (rising ticks), by the ticks at which they begin.

    In place of a frame that does not decode comes the one before it. `develop` turns a frame into a
    picture.
    """
    pictures: dict[int, T] = {}
    for frame in _shown_in_order(source, targets):
        if stamp_of(frame) not in pictures:
            pictures[stamp_of(frame)] = develop(frame)
    return pictures


def is_idr(stream: VideoStream, packet: Packet[VideoStream]) -> bool:
    """Says whether a packet holds an IDR picture, with which all begins anew."""
    name = codec_name(stream)
    if not packet.is_keyframe or name not in _IDR:
        return False
    slices, idr, shift, mask = _IDR[name]
    content = bytes(packet)
    place = content.find(_START_CODE)
    while 0 <= place < len(content) - 3:
        kind = content[place + 3] >> shift & mask
        if kind in slices:
            return kind in idr
        place = content.find(_START_CODE, place + 3)
    return False


def _shown_in_order(source: Source, targets: list[int]) -> Iterator[VideoFrame]:
    wanted = _starts(source, targets)
    with opened(source) as (container, stream):
        moments = moments_of(container, stream)
        for start, group in wanted.items():
            moments = _moments_from(container, stream, start, moments)
            stream.codec_context.flush_buffers()
            held: list[Moment] = []
            within = _group(stream, moments, group[-1], held)
            yield from _shown_at(frames_in_order(stream, within), group)
            moments = chain(held, moments)


def _moments_from(
    container: InputContainer, stream: VideoStream, start: int, moments: Iterator[Moment]
) -> Iterator[Moment]:
    """Goes on to `start`: by a seek, or by reading on through `moments`."""
    if _seeks(container):
        container.seek(max(0, start), stream=stream)
        moments = moments_of(container, stream)
    return dropwhile(lambda moment: moment.tick < start, moments)


def _starts(source: Source, targets: list[int]) -> dict[int, list[int]]:
    """Finds the IDR pictures before the targets, rising, each with its targets."""
    with opened(source) as (container, stream):
        find = _starts_by_seeking if _seeks(container) else _starts_by_reading
        return find(container, stream, targets)


def _group(
    stream: VideoStream, moments: Iterable[Moment], last: int, held: list[Moment]
) -> Iterator[Moment]:
    """Gives the moments up to the next IDR picture after `last`, which is `held` back."""
    for moment in moments:
        if moment.tick > last and is_idr(stream, moment.packet):
            held.append(moment)
            return
        yield moment


def _starts_by_reading(
    container: InputContainer, stream: VideoStream, targets: list[int]
) -> dict[int, list[int]]:
    starts: list[int] = []
    for moment in moments_of(container, stream):
        if starts and moment.tick > targets[-1]:
            break
        if not starts or is_idr(stream, moment.packet):
            starts.append(moment.tick)
    if not starts:
        return {}
    wanted: dict[int, list[int]] = {}
    for target in targets:
        place = max(0, bisect_right(starts, target) - 1)
        wanted.setdefault(starts[place], []).append(target)
    return wanted


def _starts_by_seeking(
    container: InputContainer, stream: VideoStream, targets: list[int]
) -> dict[int, list[int]]:
    wanted: dict[int, list[int]] = {}
    for target in targets:
        wanted.setdefault(_start_before(container, stream, target), []).append(target)
    return wanted


def _start_before(container: InputContainer, stream: VideoStream, target: int) -> int:
    seek_to, step = target, round(1 / (stream.time_base or TICK))
    while seek_to > 0:
        with suppress(av.error.FFmpegError):
            container.seek(seek_to, stream=stream)
            moment = next(iter(moments_of(container, stream)), None)
            if moment and moment.tick <= target and is_idr(stream, moment.packet):
                return moment.tick
        seek_to, step = seek_to - step, step * 2
    return _BEGINNING


def _shown_at(frames: Iterable[VideoFrame], targets: list[int]) -> Iterator[VideoFrame]:
    waiting = deque(targets)
    shown: VideoFrame | None = None
    for frame in frames:
        while waiting and shown is not None and waiting[0] < stamp_of(frame):
            yield shown
            waiting.popleft()
        if not waiting:
            return
        # A damaged picture is a stand-in only as long as there is no whole one.
        if shown is None or not frame.is_corrupt:
            shown = frame
    if waiting and shown is not None:
        yield shown
