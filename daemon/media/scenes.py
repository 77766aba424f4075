"""Splits a video into shots: where a picture is replaced, rather than moving or flashing.

Every frame is decoded without its loop filter and scaled to a stamp. A boundary is a frame that
differs from the one before far more than its neighbours do, in one of two ways: most of the picture
changes and does not change back at once, or a smaller part holds colours that were nowhere near a
frame before, while colours from before have gone. So shapes that move, grow or blink make none.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from av.video.reformatter import VideoReformatter

from catalog.errors import ErrorCode
from daemon.media.container import TICK, decode_packet, opened, packets_of, stamp_of
from daemon.media.moments import choose_moments
from daemon.media.novelty import Novelty
from daemon.media.source import Source, failure
from daemon.media.stamps import (
    STAMP_SIDE,
    Stamp,
    changed_share,
    difference,
    replaced_share,
    stamp_from,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from daemon.media.probe import Probe

_NEIGHBOURS = 6
"""Frames on each side that a boundary is compared with."""

_FLASH_SECONDS = 0.35
"""A picture that comes back within this time was covered by a flash, not cut away."""

_MOST = 0.45
"""Share of the picture that must change for change alone to count; a blinking shape has less."""

_PEAK = 2.6
"""How many times more than its neighbours a frame changes, where most of the picture does."""

_LEAST_CHANGE = 0.8
"""Mean difference (0..765) below which nothing is a boundary."""

_ALIKE = 0.4
"""Share of the change at a boundary below which two pictures count as the same one."""

_REPLACED = 0.006
"""Share of the picture that must be replaced for a boundary by replacement."""

_REPLACED_PEAK = 1.4
"""How many times more than its neighbours a frame changes, where a smaller part is replaced."""

_REPLACED_RISE = 3.0
"""How many times more of the picture is replaced than in the frames beside it."""

_SLOWEST, _FASTEST = 10.0, 120.0
"""Frames a second between which the window and the reach of motion follow the video."""

_REPORT_EVERY = 25
"""Frames between two reports of progress."""

_SPEED = 2.0
"""Picture widths a second that a moving thing may cross without counting as replaced."""


@dataclass(frozen=True, slots=True)
class SceneSpan:
    """One scene: [start, end) in seconds from the start of the video."""

    start: float
    end: float
    keyframe: float
    """Seconds of a picture that stands for the scene."""
    moments: tuple[float, ...] = ()
    """Seconds from the start of the video, the most important first; see `daemon.media.moments`."""


@dataclass(frozen=True, slots=True)
class _Cut:
    time: float
    strength: float


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """One frame."""

    time: float
    stamp: Stamp
    change: float
    """Mean difference to the frame before; 0 for the first."""


class _Detector:
    """Slides a window over the frames and judges the one in its middle."""

    def __init__(self, fps: float) -> None:
        self.cuts: list[_Cut] = []
        # Damaged headers claim a frame an hour, or a thousand a second: the window stays sensible.
        fps = min(max(fps, _SLOWEST), _FASTEST)
        self._reach = max(_NEIGHBOURS + 1, math.ceil(_FLASH_SECONDS * fps) + 1)
        self._radius = math.ceil(_SPEED * STAMP_SIDE / fps) + 1
        self._before: deque[_Moment] = deque(maxlen=self._reach)
        self._after: deque[_Moment] = deque()

    def add(self, time: float, stamp: Stamp) -> None:
        """Takes the next frame, in the order of showing."""
        last = self._after[-1] if self._after else None
        change = difference(last.stamp, stamp) if last else 0.0
        self._after.append(_Moment(time, stamp, change))
        if len(self._after) > self._reach:
            self._judge()

    def finish(self) -> list[_Cut]:
        """Judges the frames that are left and returns all boundaries, rising in time."""
        while self._after:
            self._judge()
        return self.cuts

    def _judge(self) -> None:
        moment = self._after[0]
        if self._before and moment.change >= _LEAST_CHANGE and self._is_boundary(moment):
            self.cuts.append(_Cut(moment.time, moment.change))
        self._before.append(self._after.popleft())

    def _is_boundary(self, moment: _Moment) -> bool:
        earlier = [m.change for m in list(self._before)[1:][-_NEIGHBOURS:]]
        later = [m.change for m in list(self._after)[1 : _NEIGHBOURS + 1]]
        if moment.change < max(earlier[-2:] + later[:2], default=0.0):
            return False
        usual = max(_mean(earlier), _mean(later))
        before = self._before[-1].stamp
        if changed_share(before, moment.stamp) >= _MOST:
            return moment.change >= _PEAK * usual and not self._is_flash(moment)
        return moment.change >= _REPLACED_PEAK * usual and self._is_replaced(moment)

    def _is_flash(self, moment: _Moment) -> bool:
        """Says whether the picture before comes back, or this one was there just before."""
        limit = _ALIKE * moment.change
        before = self._before[-1].stamp
        back = any(difference(before, m.stamp) < limit for m in list(self._after)[1:])
        return back or any(
            difference(m.stamp, moment.stamp) < limit for m in list(self._before)[:-1]
        )

    def _is_replaced(self, moment: _Moment) -> bool:
        frames = [*list(self._before)[-3:], *list(self._after)[:3]]
        place = frames.index(moment)
        shares = [replaced_share(a.stamp, b.stamp, self._radius) for a, b in pairwise(frames)]
        share = shares.pop(place - 1)
        return share >= max(_REPLACED, _REPLACED_RISE * max(shares, default=0.0))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def find_scenes(
    source: Source,
    probe: Probe,
    *,
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    min_seconds: float = 0.5,
    max_seconds: float = 60.0,
) -> tuple[SceneSpan, ...]:
    """Returns the scenes of a video: in order, without gaps, from 0 to its duration; at least one.

    Shots shorter than `min_seconds` join a neighbour; longer ones than `max_seconds` are split
    evenly. `progress` hears shares from 0 to 1. When `should_stop` says so, the scenes found up to
    there are returned, and the rest is the last one.

    Raises `MediaError`: unreadable when nothing decodes, and all that opening raises.
    """
    detector, novelty = _Detector(probe.fps), Novelty()
    times = array("d")
    for time, stamp in _stamps(source, probe):
        detector.add(time, stamp)
        novelty.add(time, stamp)
        times.append(time)
        if len(times) % _REPORT_EVERY == 0:
            if progress:
                progress(min(1.0, time / probe.duration))
            if should_stop and should_stop():
                break
    if not times:
        raise failure(
            ErrorCode.UNREADABLE,
            source.path,
            "holds no picture that can be decoded",
            "check that it plays, or delete it",
        )
    if progress:
        progress(1.0)
    cuts = _spaced(detector.finish(), probe.duration, min_seconds)
    edges = [0.0, *(cut.time for cut in cuts), probe.duration]
    shots = (_split(start, end, times, max_seconds) for start, end in pairwise(edges))
    signals = novelty.finish()
    return tuple(
        SceneSpan(start, end, (start + end) / 2, choose_moments(signals, times, start, end))
        for start, end in chain.from_iterable(shots)
    )


def _stamps(source: Source, probe: Probe) -> Iterator[tuple[float, Stamp]]:
    """Decodes the whole video and gives the time in seconds and the stamp of each frame."""
    reformatter = VideoReformatter()
    with opened(source) as (container, stream):
        base = stream.time_base or TICK
        start = round(Fraction(probe.start_time) / base)
        # Blocks may stay visible: a stamp averages them away, and filtering costs much.
        stream.codec_context.options = {"skip_loop_filter": "all"}
        for packet in chain(packets_of(container, stream), (None,)):
            for frame in decode_packet(stream, packet):
                if not frame.is_corrupt:
                    time = float((stamp_of(frame) - start) * base)
                    yield time, stamp_from(frame, reformatter)


def _split(
    start: float, end: float, times: Sequence[float], max_seconds: float
) -> Iterator[tuple[float, float]]:
    """Splits a shot evenly into scenes of at most `max_seconds`, each with a frame of its own."""
    frames = bisect_left(times, end) - bisect_left(times, start)
    parts = max(1, min(math.ceil((end - start) / max_seconds), frames))
    edges = [*(start + (end - start) * part / parts for part in range(parts)), end]
    yield from pairwise(edges)


def _spaced(cuts: list[_Cut], duration: float, min_seconds: float) -> list[_Cut]:
    """Keeps the strongest boundaries that leave no shot shorter than `min_seconds`."""
    kept: list[_Cut] = []
    for cut in sorted(cuts, key=lambda cut: (-cut.strength, cut.time)):
        apart = all(abs(cut.time - other.time) >= min_seconds for other in kept)
        if apart and min_seconds <= cut.time <= duration - min_seconds:
            kept.append(cut)
    return sorted(kept, key=lambda cut: cut.time)
