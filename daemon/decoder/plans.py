"""Plans which key frames to seek to for the pictures at given times, before anything is decoded.

All times here are ticks of the stream's time base.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import av.error

from daemon.decoder.container import TICK, UNSEEKABLE, packets_of, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

_KEYFRAME_SEARCH = 3000
"""Packets read in search of the key frame that a seek should have landed on."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A picture that decodes by itself."""

    tick: int
    place: int | None
    """Bytes from the start of the file, where the container says so."""


@dataclass(frozen=True, slots=True)
class Group:
    """Wanted ticks that one seek serves."""

    seek_to: int | None
    """Where to seek, in ticks; None: read from the beginning of the file."""
    keyframe: Keyframe | None
    """On which the seek lands."""
    targets: list[int]
    """Rising."""

    def span(self, start: int) -> int:
        """Returns the ticks to decode through; `start` is the tick of the first frame shown."""
        return self.targets[-1] - (start if self.keyframe is None else self.keyframe.tick)


def plan(
    container: InputContainer, stream: VideoStream, targets: list[int], start: int
) -> list[Group]:
    """Groups `targets` (rising) by the key frames before them.

    It reads a packet for each target, which costs a hundredth of decoding what is planned.
    """
    if container.format.name in UNSEEKABLE:
        return [Group(None, None, targets)]
    groups: dict[int | None, Group] = {}
    for target in targets:
        seek_to, keyframe = keyframe_before(container, stream, target, start)
        tick = None if keyframe is None else keyframe.tick
        group = groups.setdefault(tick, Group(seek_to, keyframe, []))
        group.targets.append(target)
    return list(groups.values())


def keyframe_before(
    container: InputContainer, stream: VideoStream, target: int, start: int
) -> tuple[int | None, Keyframe | None]:
    """Finds where to seek for a picture, and the key frame on which that seek lands.

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
        keyframe = _next_keyframe(container, stream)
        if keyframe is not None and keyframe.tick <= target:
            return seek_to, keyframe
        if seek_to <= start:
            return None, None
        seek_to, step = max(start, seek_to - step), step * 2


def nearest_keyframes(
    container: InputContainer, stream: VideoStream, targets: list[int], start: int
) -> list[int]:
    """Returns the ticks of the key frames that are nearest to `targets`, rising and without doubles.

    Where no key frame is found, as in a file that cannot be searched, the target itself stays.
    """
    if container.format.name == "mpeg":
        return targets
    found: set[int] = set()
    for target in targets:
        around = _keyframes_around(container, stream, target, start)
        # One from before the first frame shown stands for that. Of two as near, the earlier counts.
        shown = (max(start, tick) for tick in around)
        found.add(min(shown, key=lambda tick: (abs(tick - target), tick), default=target))
    return sorted(found)


def _keyframes_around(
    container: InputContainer, stream: VideoStream, target: int, start: int
) -> Iterator[int]:
    """Gives key frames near a target, among them the last before it and the first after it."""
    _, found = keyframe_before(container, stream, target, start)
    before = None if found is None else found.tick
    if container.format.name == "mpegts":
        # Seeks guess from bytes there: only reading on tells.
        if before is None:
            with suppress(av.error.FFmpegError):
                container.seek(start, stream=stream)
        yield start if before is None else before
        yield from _keyframes_up_to(container, stream, target)
        return
    if before is not None:
        yield before
    # Seeks go by decoding times: the key frame that is shown next may lie on either side.
    for backward in (True, False):
        with suppress(av.error.FFmpegError):
            container.seek(target, backward=backward, stream=stream)
            keyframe = _next_keyframe(container, stream)
            if keyframe is not None:
                yield keyframe.tick
                # What is before the first key frame is the beginning.
                yield from (start,) if before is None else ()


def _keyframes_up_to(container: InputContainer, stream: VideoStream, target: int) -> Iterator[int]:
    for packet in packets_of(container, stream):
        if packet.is_keyframe:
            yield stamp_of(packet)
            if stamp_of(packet) >= target:
                return


def _next_keyframe(container: InputContainer, stream: VideoStream) -> Keyframe | None:
    packets = islice(packets_of(container, stream), _KEYFRAME_SEARCH)
    packet = next((packet for packet in packets if packet.is_keyframe), None)
    return None if packet is None else Keyframe(stamp_of(packet), packet.pos)
