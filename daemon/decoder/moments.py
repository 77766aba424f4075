"""Chooses the moments of a scene that are worth showing, in order of importance.

The first N moments are a sample of their own for every N: they cover the scene about evenly, and
beside that hold what even times can miss, which is what is there only for a moment, and more of
where it moves more. A scene in which neither happens has no moments: even times show it best.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from daemon.decoder.facts import uniform_times
from daemon.decoder.novelty import BRIEF, PASSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.decoder.novelty import Floats, Mask, Signals

MOST = 32
"""Moments of a scene."""

_WIDEST = 2.5
"""Times the even spacing that the first N moments may lie apart, for every N."""

_PASSING_WEIGHT = 0.5
"""What passes may be seen at even times as well, so it counts less than what is brief."""

_RARE = 2.0
"""Nats by which an event must stand out of what is around it..."""

_OUTSTANDING = 0.5
"""...and by which share of what is around it, where that is much: fast things are brief everywhere."""

_CREST = 0.75
"""Share of an event's height from which its frames show it well."""

_EDGE_WEIGHT = 0.4
"""At an edge of the scene only one side tells, so what leaves or enters may look like an event."""

_SHORTEST = 3.0
"""Seconds of a scene below which even times lie dense enough."""

_MOST_EVENTS = 16

_STILL_PACE = 8.0
"""Levels of change that count as much as time itself."""

_FASTEST_PACE = 5.0
"""Times that, beyond which more change counts no more."""

_UNEVEN = 0.15
"""Share of the pace that must fall elsewhere than even pace would, for a burst of motion."""


def adaptive_times(
    moments: Sequence[float], start: float, end: float, count: int
) -> tuple[float, ...]:
    """Returns `count` times within [start, end), rising, in seconds: the first `count` moments.

    Fewer moments are filled up in the widest gaps; without any, the times are even.
    """
    if not moments:
        return uniform_times(start, end, count)
    # Stored moments are rounded and may fall a trifle outside.
    inside = (min(max(moment, start), max(start, end - 0.0005)) for moment in moments[:count])
    times = sorted(set(inside))
    while len(times) < count:
        widest = max(_gaps(times, start, end), key=lambda gap: gap.width)
        insort(times, widest.middle)
    return tuple(times)


def choose_moments(
    signals: Signals, shown: Sequence[float], start: float, end: float
) -> tuple[float, ...]:
    """Returns at most `MOST` moments of the scene [start, end), the most important first.

    `shown` are the times of all frames of the video, rising; all times are in seconds.
    """
    part = signals.between(start, end)
    if end - start < _SHORTEST or len(part.times) < 3:
        return ()
    events = _events(part)
    pace = _Pace.of(part, start, end)
    if not events and not pace.uneven:
        return ()
    chooser = _Chooser(shown[bisect_left(shown, start) : bisect_left(shown, end)], start, end)
    while len(chooser.chosen) < MOST:
        taken = chooser.take_event(events) or (pace.uneven and chooser.take_by_pace(pace))
        if not taken and not chooser.take_middle():
            break
    return tuple(chooser.chosen)


# What happens in a scene --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Event:
    """Something rare, from the first to the last frame that shows it, in seconds."""

    first: float
    last: float


def _events(part: Signals) -> list[_Event]:
    """Returns what is there for a while only, what stands out most first."""
    brief = _outstanding(part.brief, 2 * BRIEF)
    outstanding = np.maximum(brief, _PASSING_WEIGHT * _outstanding(part.passing, 2 * PASSING))
    outstanding[:BRIEF] *= _EDGE_WEIGHT
    outstanding[-BRIEF:] *= _EDGE_WEIGHT
    events: list[_Event] = []
    while len(events) < _MOST_EVENTS:
        peak = int(outstanding.argmax())
        if not outstanding[peak]:
            break
        before, after = outstanding[peak::-1], outstanding[peak:]
        top = _CREST * outstanding[peak]
        left, right = _reach(before >= top), _reach(after >= top)
        first, last = float(part.times[peak - left]), float(part.times[peak + right])
        events.append(_Event(first, last))
        # Its slopes belong to it; what rises again is another event.
        left, right = left + _slope(before[left:]), right + _slope(after[right:])
        outstanding[peak - left : peak + right + 1] = 0.0
    return events


def _reach(holds: Mask) -> int:
    """Returns how many places behind the first it goes on to hold."""
    return len(holds) - 1 if holds.all() else int(holds.argmin()) - 1


def _slope(values: Floats) -> int:
    """Returns for how many places values go on falling, or stay."""
    return _reach(np.append(True, values[1:] <= values[:-1]))


def _outstanding(values: Floats, width: int) -> Floats:
    """Returns by how much values stand out of what is around them, 0 where it is not enough."""
    around = _opened(values, width)
    return np.where(values - around >= np.maximum(_RARE, _OUTSTANDING * around), values - around, 0)


def _opened(values: Floats, width: int) -> Floats:
    """Flattens every peak narrower than `width` values down to what is beside it."""
    left, right = width // 2, width - 1 - width // 2
    # Outside of the scene there is no more of what its edge shows: a peak there is narrow too.
    padded = np.pad(values, (left, right), constant_values=values.min())
    eroded = np.lib.stride_tricks.sliding_window_view(padded, width).min(axis=1)
    padded = np.pad(eroded, (right, left), constant_values=values.min())
    opened: Floats = np.lib.stride_tricks.sliding_window_view(padded, width).max(axis=1)
    return opened


@dataclass(frozen=True, slots=True)
class _Pace:
    """A measure of the scene that runs faster where more moves: values at times, both rising."""

    times: Floats
    measure: Floats
    """From 0 to 1."""
    uneven: bool

    @classmethod
    def of(cls, part: Signals, start: float, end: float) -> _Pace:
        """Measures a scene."""
        speed = 1.0 + np.minimum(part.change / _STILL_PACE, _FASTEST_PACE)
        edges = np.concatenate(([start], (part.times[1:] + part.times[:-1]) / 2, [end]))
        measure = np.concatenate(([0.0], np.cumsum(speed * np.diff(edges))))
        measure /= measure[-1]
        even = (edges - start) / (end - start)
        return cls(edges, measure, bool(np.abs(measure - even).max() >= _UNEVEN))

    def at(self, time: float) -> float:
        """Returns the measure at a time."""
        return float(np.interp(time, self.times, self.measure))

    def when(self, value: float) -> float:
        """Returns the time at which the measure has a value."""
        return float(np.interp(value, self.measure, self.times))


# Choosing -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Gap:
    """The way between two neighbouring times, or between an edge of the scene and a time."""

    first: float
    last: float
    at_start: bool = False
    at_end: bool = False

    @property
    def width(self) -> float:
        """What it counts for: a frame at even times stands half a gap from the edges."""
        return (self.last - self.first) * (2 if self.at_start or self.at_end else 1)

    @property
    def middle(self) -> float:
        """The place that splits it into two that count the same."""
        share = 1 / 3 if self.at_start else 2 / 3 if self.at_end else 1 / 2
        if self.at_start and self.at_end:
            share = 1 / 2
        return self.first + share * (self.last - self.first)


def _gaps(times: Sequence[float], start: float, end: float) -> list[_Gap]:
    if not times:
        return [_Gap(start, end, at_start=True, at_end=True)]
    inner = [_Gap(first, last) for first, last in pairwise(times)]
    return [_Gap(start, times[0], at_start=True), *inner, _Gap(times[-1], end, at_end=True)]


@dataclass(slots=True)
class _Chooser:
    """Chooses frames of a scene one by one, so that all of them together always cover it."""

    frames: Sequence[float]
    """Times of the scene's frames, rising."""
    start: float
    end: float
    chosen: list[float] = field(default_factory=list)
    """In the order of importance."""
    _sorted: list[float] = field(default_factory=list)

    def take_event(self, waiting: list[_Event]) -> bool:
        """Takes a frame of the first event that no frame shows yet, if coverage allows."""
        while waiting and any(waiting[0].first <= time <= waiting[0].last for time in self.chosen):
            waiting.pop(0)
        # One or two frames shall show what is usual.
        if not waiting or len(self.chosen) < 2:
            return False
        return self._take((waiting[0].first + waiting[0].last) / 2)

    def take_by_pace(self, pace: _Pace) -> bool:
        """Takes the frame in the middle of the gap in which most moves, if coverage allows."""
        measured = [pace.at(time) for time in self._sorted]
        widest = max(_gaps(measured, 0.0, 1.0), key=lambda gap: gap.width)
        return self._take(pace.when(widest.middle))

    def take_middle(self) -> bool:
        """Takes the frame in the middle of the widest gap that has any."""
        for gap in sorted(_gaps(self._sorted, self.start, self.end), key=lambda gap: -gap.width):
            if self._add(self._nearest(gap.middle)):
                return True
        return False

    def _take(self, time: float) -> bool:
        frame = self._nearest(time)
        return self._covers_with(frame) and self._add(frame)

    def _add(self, frame: float) -> bool:
        if frame in self._sorted:
            return False
        self.chosen.append(frame)
        insort(self._sorted, frame)
        return True

    def _nearest(self, time: float) -> float:
        place = bisect_left(self.frames, time)
        around = self.frames[max(0, place - 1) : place + 1]
        return min(around, key=lambda frame: abs(frame - time))

    def _covers_with(self, frame: float) -> bool:
        """Says whether, with this frame, middles of gaps can keep every later sample even enough."""
        times = sorted({*self._sorted, frame})
        widths = [
            (-gap.width, gap.at_start or gap.at_end) for gap in _gaps(times, self.start, self.end)
        ]
        heapq.heapify(widths)
        allowed = _WIDEST * (self.end - self.start)
        for count in range(len(times), MOST + 1):
            width, at_edge = widths[0]
            if -width * count > allowed:
                return False
            # A middle leaves two halves; at an edge, two thirds count as one.
            part = width / 3 if at_edge else width / 2
            heapq.heapreplace(widths, (part, at_edge))
            heapq.heappush(widths, (part, False))
        return True
