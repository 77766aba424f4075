"""Finds cuts: frames at which a picture is replaced, rather than moving or flashing.

A boundary is a frame that differs from the one before far more than its neighbours do, in one of
two ways: most of the picture changes and does not change back at once, or a smaller part holds
colours that were nowhere near a frame before, while colours from before have gone. So shapes that
move, grow or blink make none.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from daemon.decoder.stamps import (
    STAMP_SIDE,
    Stamp,
    changed_share,
    difference,
    replaced_share,
)

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

_SPEED = 2.0
"""Picture widths a second that a moving thing may cross without counting as replaced."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A boundary between two shots, or a place that would do for one."""

    time: float
    """Seconds from the start of the video, of the first frame behind it."""
    strength: float
    """Mean difference (0..765) of what is before and behind."""


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """One frame."""

    time: float
    stamp: Stamp
    change: float
    """Mean difference to the frame before; 0 for the first."""


class CutDetector:
    """Slides a window over the frames and judges the one in its middle."""

    def __init__(self, fps: float) -> None:
        self.cuts: list[Cut] = []
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

    def finish(self) -> list[Cut]:
        """Judges the frames that are left and returns all boundaries, rising in time."""
        while self._after:
            self._judge()
        return self.cuts

    def _judge(self) -> None:
        moment = self._after[0]
        if self._before and moment.change >= _LEAST_CHANGE and self._is_boundary(moment):
            self.cuts.append(Cut(moment.time, moment.change))
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
