"""Plans and decodes the pictures shown at given times, touching no more of a video than it must.

The wanted times are grouped by group of pictures: one seek to each, then forward to the last wanted
picture there. Pictures that no other refers to are not decoded unless they are wanted themselves.
All times here are ticks of the stream's time base.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import av.error

from daemon.media.container import TICK, codec_name, decode_packet, opened, packets_of, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from daemon.media.source import Source

_REORDERING = 32
"""Packets looked at ahead and behind: no codec in use moves a picture by more than 16 places."""

_SKIPPING = frozenset({"h264", "hevc", "mpeg2video", "mpeg4"})
"""Codecs without hidden pictures, so that each packet is one picture with a time of its own."""

_KEYFRAME_SEARCH = 3000
"""Packets read in search of the key frame that a seek should have landed on."""

_STEPS_BACK = 2
"""Key frames tried before the nearest one, where a stream takes a while to recover after a seek."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Wanted ticks that one seek serves."""

    seek_to: int | None
    """Where to seek, in ticks; None: read from the beginning of the file."""
    keyframe: int | None
    """The tick of the key frame on which the seek lands."""
    targets: list[int]


def shown_frames(
    source: Source, container: InputContainer, stream: VideoStream, targets: list[int], start: int
) -> Iterator[VideoFrame]:
    """Gives the frames shown at `targets` (rising ticks), in no order and perhaps repeated.

    `start` is the tick of the first frame shown. Where a wanted frame does not decode, the nearest
    one that does comes in its place; nothing comes where there is none.
    """
    # MPEG program streams date few of their pictures: after a seek the times come out wrong.
    if container.format.name == "mpeg":
        groups = [_Group(None, None, targets)]
    else:
        groups = _plan(container, stream, targets, start)
    for group in groups:
        if group.seek_to is None:
            with opened(source) as (fresh_container, fresh_stream):
                yield from _shown_at(fresh_container, fresh_stream, targets=group.targets, owed={})
        else:
            yield from _decode_group(container, stream, group, start, _STEPS_BACK)


def _plan(
    container: InputContainer, stream: VideoStream, targets: list[int], start: int
) -> list[_Group]:
    groups: dict[int | None, _Group] = {}
    for target in targets:
        seek_to, keyframe = _keyframe_before(container, stream, target, start)
        group = groups.setdefault(keyframe, _Group(seek_to, keyframe, []))
        group.targets.append(target)
    return list(groups.values())


def _keyframe_before(
    container: InputContainer, stream: VideoStream, target: int, start: int
) -> tuple[int | None, int | None]:
    """Finds where to seek for a picture, and the tick of the key frame on which that seek lands.

    Containers index decoding times, or guess from bytes: a seek may land on a key frame that is
    shown after the target. Then it goes back, further each time. (None, None) when only reading
    from the beginning is left.
    """
    seek_to, step = target, round(1 / (stream.time_base or TICK))
    while True:
        try:
            container.seek(seek_to, stream=stream)
        except av.error.FFmpegError:
            return None, None
        packets = islice(packets_of(container, stream), _KEYFRAME_SEARCH)
        keyframe = next((stamp_of(packet) for packet in packets if packet.is_keyframe), None)
        if keyframe is not None and keyframe <= target:
            return seek_to, keyframe
        if seek_to <= start:
            return None, None
        seek_to, step = max(start, seek_to - step), step * 2


def _decode_group(
    container: InputContainer, stream: VideoStream, group: _Group, start: int, steps_back: int
) -> Iterator[VideoFrame]:
    """Gives the wanted frames of a group; lost ones are tried again from a key frame before."""
    place = start if group.seek_to is None else group.seek_to
    container.seek(place, stream=stream)
    owed: dict[int, list[int]] = {}
    exact: set[int] = set()
    others: list[VideoFrame] = []
    for frame in _shown_at(container, stream, group.targets, owed):
        if stamp_of(frame) in owed:
            exact.add(stamp_of(frame))
            yield frame
        else:
            others.append(frame)
    lost = list(chain.from_iterable(owed[stamp] for stamp in sorted(owed.keys() - exact)))
    if lost and steps_back and group.keyframe is not None and codec_name(stream) in _SKIPPING:
        seek_to, keyframe = _keyframe_before(container, stream, group.keyframe - 1, start)
        if seek_to is not None:
            earlier = _Group(seek_to, keyframe, lost)
            yield from _decode_group(container, stream, earlier, start, steps_back - 1)
            return
    yield from others
    if not exact and not others:
        yield from _nearest_keyframe(container, stream, place)


def _shown_at(
    container: InputContainer,
    stream: VideoStream,
    targets: list[int],
    owed: dict[int, list[int]],
) -> Iterator[VideoFrame]:
    """Decodes on from here and gives the picture shown at each target (rising ticks).

    `owed` is filled with the ticks of the pictures that ought to come, and their targets.
    """
    waiting = deque(targets)
    shown: VideoFrame | None = None
    for frame in _decoded(container, stream, targets, owed):
        # A damaged picture is a stand-in only as long as there is no whole one.
        if frame.is_corrupt and shown is not None:
            continue
        while waiting and shown is not None and waiting[0] < stamp_of(frame):
            yield shown
            waiting.popleft()
        shown = frame
    if waiting and shown is not None:
        yield shown


def _decoded(
    container: InputContainer,
    stream: VideoStream,
    targets: list[int],
    owed: dict[int, list[int]],
) -> Iterator[VideoFrame]:
    """Decodes until the pictures of all targets are out; what nobody needs is passed over."""
    missing = len(targets)
    skips = codec_name(stream) in _SKIPPING
    for packet, hits in _with_hits(packets_of(container, stream), targets):
        # NONREF drops a picture only if no other one refers to it, so the wanted ones stay exact.
        passed_over = skips and not hits and packet.pts is not None
        stream.codec_context.skip_frame = "NONREF" if passed_over else "DEFAULT"
        yield from decode_packet(stream, packet)
        if hits:
            owed[stamp_of(packet)] = hits
        missing -= len(hits)
        if missing <= 0:
            break
    yield from decode_packet(stream, None)


def _with_hits(
    packets: Iterable[Packet[VideoStream]], targets: list[int]
) -> Iterator[tuple[Packet[VideoStream], list[int]]]:
    """Gives each packet with the targets at which its picture is the one shown."""
    source = iter(packets)
    ahead: deque[Packet[VideoStream]] = deque(islice(source, _REORDERING))
    behind: deque[int] = deque(maxlen=_REORDERING)
    while ahead:
        packet = ahead.popleft()
        ahead.extend(islice(source, 1))
        stamp = stamp_of(packet)
        around = (*behind, *(stamp_of(other) for other in ahead if not other.is_discard))
        until = min((other for other in around if other > stamp), default=None)
        first = bisect_left(targets, stamp)
        last = len(targets) if until is None else bisect_left(targets, until)
        yield packet, [] if packet.is_discard else targets[first:last]
        if not packet.is_discard:
            behind.append(stamp)


def _nearest_keyframe(
    container: InputContainer, stream: VideoStream, seek_to: int
) -> Iterator[VideoFrame]:
    """Gives the first picture that decodes after a damaged group, or else the last before it."""
    stream.codec_context.skip_frame = "NONKEY"
    for backward in (False, True):
        with suppress(av.error.FFmpegError):
            container.seek(seek_to + (-1 if backward else 1), backward=backward, stream=stream)
            for packet in packets_of(container, stream):
                frame = next(iter(decode_packet(stream, packet)), None)
                if frame is not None:
                    yield frame
                    return
