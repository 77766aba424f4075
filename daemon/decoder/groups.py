"""Decodes the pictures shown at given times, touching no more of a video than it must.

The wanted times are grouped by group of pictures: one seek to each, then forward to the last wanted
picture there. Pictures that no other refers to are not decoded unless they are wanted themselves.
Groups are shared out over the processor's cores, each with a reader of its own.
All times here are ticks of the stream's time base.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Generic, TypeVar

import av.error

from daemon.decoder.container import TICK, codec_name, decode_packet, opened, packets_of, stamp_of
from daemon.decoder.plans import Group, keyframe_before, plan
from daemon.decoder.references import ONE_PICTURE_EACH, References

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from daemon.decoder.source import Source

T = TypeVar("T")

_CORES = max(1, len(os.sched_getaffinity(0)) // 2)
"""Two processors are usually one core: another decoder there costs a quarter more and ends no sooner.

Asked for once, as a sandbox may forbid it.
"""

_MOST_THREADS = {1280 * 720: 4, 1920 * 1088: 3, 4096 * 2304: 2}
"""By the pixels of a picture; each thread holds a dozen pictures in memory. Larger ones: one thread."""

_SHARE = 25 * 6 * 1920 * 1080
"""Pixels to decode that make another thread worth its opening of the file: a few tenths of a second."""

_USUAL_FPS = 25

_BLOCK, _MOST_AHEAD = 64 << 10, 8 << 20
"""Bytes read ahead of a group, at least and at most."""

_REORDERING = 32
"""Packets looked at ahead and behind: no codec in use moves a picture by more than 16 places."""

_STEPS_BACK = 2
"""Key frames tried before the nearest one, where a stream takes a while to recover after a seek."""


def shown_pictures(
    source: Source,
    container: InputContainer,
    stream: VideoStream,
    targets: list[int],
    start: int,
    developer: Callable[[], Callable[[VideoFrame], T]],
) -> dict[int, T]:
    """Returns the pictures shown at `targets` (rising ticks), by the ticks at which they begin.

    `start` is the tick of the first frame shown. Where a wanted frame does not decode, the nearest
    one that does comes in its place; nothing comes where there is none. `developer` makes, for each
    thread, what turns a frame into a picture.
    """
    groups = plan(container, stream, targets, start)
    _announce(source, container, stream, groups, start)
    work = _Work(source, start, developer, groups)
    helpers = _thread_count(stream, groups, start) - 1
    with ThreadPoolExecutor(max(1, helpers), "decoder") as pool:
        started: list[Future[None]] = []
        try:
            # Where no thread can be had, this one does all.
            with suppress(RuntimeError):
                for _ in range(helpers):
                    started.append(pool.submit(work.help))
            work.do(container, stream)
        finally:
            work.waiting.clear()
        for helper in started:
            helper.result()
    return work.pictures()


def _announce(
    source: Source,
    container: InputContainer,
    stream: VideoStream,
    groups: list[Group],
    start: int,
) -> None:
    """Has what will be read sent ahead: about as much as the groups hold, and not the whole file."""
    rate = (container.bit_rate or 0) / 8 * float(stream.time_base or TICK)
    for group in groups:
        if group.keyframe is not None and group.keyframe.place is not None:
            size = min(_BLOCK + round(rate * group.span(start)), _MOST_AHEAD)
            source.will_read(group.keyframe.place, size)


def _thread_count(stream: VideoStream, groups: list[Group], start: int) -> int:
    seconds = sum(group.span(start) for group in groups) * float(stream.time_base or TICK)
    pixels = stream.width * stream.height
    fitting = next((count for size, count in _MOST_THREADS.items() if pixels <= size), 1)
    worthy = int(seconds * float(stream.average_rate or _USUAL_FPS) * pixels / _SHARE)
    return max(1, min(fitting, worthy, len(groups), _CORES))


@dataclass(slots=True)
class _Work(Generic[T]):
    """The groups of one video that are still to be decoded, and what came of the others."""

    source: Source
    start: int
    developer: Callable[[], Callable[[VideoFrame], T]]
    groups: list[Group]
    waiting: deque[int] = field(init=False)
    """Places of groups, the longest first, so that no thread ends much later than another."""
    _done: dict[int, dict[int, T]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        spans = [group.span(self.start) for group in self.groups]
        self.waiting = deque(sorted(range(len(spans)), key=lambda place: -spans[place]))

    def help(self) -> None:
        """Decodes on a thread of its own, as long as there are groups."""
        if self.waiting:
            with opened(self.source) as (container, stream):
                self.do(container, stream)

    def do(self, container: InputContainer, stream: VideoStream) -> None:
        """Decodes as long as there are groups."""
        # Threads that share one picture cost more than they bring: a group is a thread's own.
        stream.codec_context.thread_count = 1
        develop = self.developer()
        while (place := self._next()) is not None:
            self._done[place] = self._developed(container, stream, place, develop)

    def _next(self) -> int | None:
        try:
            return self.waiting.popleft()
        except IndexError:
            return None

    def pictures(self) -> dict[int, T]:
        """Returns all pictures; which of two at one time comes does not depend on the threads."""
        found: dict[int, T] = {}
        for place in sorted(self._done, reverse=True):
            found.update(self._done[place])
        return found

    def _developed(
        self,
        container: InputContainer,
        stream: VideoStream,
        place: int,
        develop: Callable[[VideoFrame], T],
    ) -> dict[int, T]:
        found: dict[int, T] = {}
        for frame in self._frames(container, stream, self.groups[place]):
            if stamp_of(frame) not in found:
                found[stamp_of(frame)] = develop(frame)
        return found

    def _frames(
        self, container: InputContainer, stream: VideoStream, group: Group
    ) -> Iterator[VideoFrame]:
        if group.seek_to is not None:
            yield from _decode_group(container, stream, group, self.start, _STEPS_BACK)
            return
        with opened(self.source) as (fresh_container, fresh_stream):
            fresh_stream.codec_context.thread_count = 1
            yield from _shown_at(fresh_container, fresh_stream, targets=group.targets, owed={})


def _decode_group(
    container: InputContainer, stream: VideoStream, group: Group, start: int, steps_back: int
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
    if (
        lost
        and steps_back
        and group.keyframe is not None
        and codec_name(stream) in ONE_PICTURE_EACH
    ):
        seek_to, keyframe = keyframe_before(container, stream, group.keyframe.tick - 1, start)
        if seek_to is not None:
            earlier = Group(seek_to, keyframe, lost)
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
    references = References(stream)
    for packet, hits in _with_hits(packets_of(container, stream), targets):
        unwanted = not hits and packet.pts is not None
        # NONREF drops a picture only if no other one refers to it, so the wanted ones stay exact.
        skips = unwanted and references.skippable(packet)
        stream.codec_context.skip_frame = "NONREF" if skips else "DEFAULT"
        needed = references.needed(packet, wanted=not unwanted)
        if needed is not None:
            yield from decode_packet(stream, needed)
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
        if packet.is_discard:
            yield packet, []
            continue
        stamp = stamp_of(packet)
        first = bisect_left(targets, stamp)
        if first == len(targets) or _comes_between(stamp, ahead, targets[first]):
            yield packet, []
        else:
            others = (*behind, *(stamp_of(other) for other in ahead if not other.is_discard))
            until = min((other for other in others if other > stamp), default=targets[-1] + 1)
            yield packet, targets[first : bisect_left(targets, until)]
        behind.append(stamp)


def _comes_between(stamp: int, ahead: deque[Packet[VideoStream]], target: int) -> bool:
    """Says, without looking at all, whether another picture is shown from `stamp` to `target`."""
    return bool(ahead) and not ahead[-1].is_discard and stamp < stamp_of(ahead[-1]) <= target


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
