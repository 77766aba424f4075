"""Measures, while a video is decoded once, what is there only for a while, and how much moves.

Some frames a second are reduced to blocks of their stamps. A block counts as brief where it differs
from what it showed a while before and a while after, and these two are the same; and it counts the
more, the fewer frames around show it alike. So a thing that is there for a moment stands out beside
one that moves or blinks all the time. Of the frames that leave the sliding window, a few numbers are
kept: an hour of video takes about a megabyte.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from daemon.decoder.stamps import Stamp

_STEP = 0.058
"""Seconds between two looked-at frames, at least: 12 to 17 a second at the usual frame rates, so
that what is there for 0.3 s is seen three times."""

_BLOCK = 4
"""Side of a block, in pixels of the stamp."""

_HOP = 120
"""Frames between two evaluations: 7 to 10 s."""

_WINDOW = 3 * _HOP
"""Frames that a frame is compared with: 21 to 30 s."""

BRIEF, PASSING = 8, 16
"""Frames between looks that are compared: what is brief lasts up to 0.6 s, what passes up to 1.2 s."""

_LAG = 6
"""Frames between two looks that are compared for motion: about 0.4 s, so that slow motion shows."""

_LEAST_TOLERANCE = 3
"""Levels (0..255) by which a block may differ and still show the same."""

_USUAL = 0.15
"""Share of the window from which a look of a block is not rare: even frames show it anyway."""

_CUT = 0.45
"""Share of the blocks that change at once where frames before and after are not comparable."""

Floats = npt.NDArray[np.float64]
Blocks = npt.NDArray[np.int16]
"""Mean levels of the blocks of frames, shape (frames, 3 * blocks)."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of the frames that were looked at; all arrays of shape (frames,)."""

    times: Floats
    """Seconds from the start of the video, rising."""
    brief: Floats
    """By how many nats, summed over the blocks, what is briefly there is rarer than usual."""
    passing: Floats
    """The same of what is there for up to 1.2 s."""
    change: Floats
    """Levels by which blocks differ from a moment before, beyond noise, summed over all."""

    def between(self, start: float, end: float) -> Signals:
        """Returns the part within [start, end), in seconds."""
        first, last = np.searchsorted(self.times, (start, end), side="left")
        part = slice(int(first), int(last))
        return Signals(self.times[part], self.brief[part], self.passing[part], self.change[part])


@dataclass(slots=True)
class Novelty:
    """Takes the stamps of a video in the order of showing, and gives its signals at the end."""

    _window: list[Blocks] = field(default_factory=list)
    _judged: int = 0
    """Frames at the head of the window that are judged already."""
    _times: array[float] = field(default_factory=lambda: array("d"))
    _brief: array[float] = field(default_factory=lambda: array("f"))
    _passing: array[float] = field(default_factory=lambda: array("f"))
    _change: array[float] = field(default_factory=lambda: array("f"))

    def add(self, time: float, stamp: Stamp) -> None:
        """Takes a frame; most frames of a fast video are passed over."""
        if self._times and time - self._times[-1] < _STEP:
            return
        blocks = _blocks(stamp)
        self._times.append(time)
        self._window.append(blocks)
        if len(self._window) >= _WINDOW:
            self._judge(_WINDOW - _HOP)
            del self._window[:_HOP]
            self._judged -= _HOP

    def finish(self) -> Signals:
        """Judges the frames that are left and returns the signals of all."""
        self._judge(len(self._window))
        self._window.clear()
        kept = (self._times, self._brief, self._passing, self._change)
        return Signals(*(np.array(values, dtype=np.float64) for values in kept))

    def _judge(self, until: int) -> None:
        """Judges the frames of the window up to an index, by all that the window holds."""
        if until <= self._judged:
            return
        looks = np.stack(self._window)
        steps = np.abs(np.diff(looks, axis=0, prepend=looks[:1]))
        tolerance = _tolerance(steps)
        shots = np.cumsum((steps > tolerance).mean(axis=1) >= _CUT)
        part = np.arange(self._judged, until)
        steady = _steady(steps <= tolerance)[part]
        brief, passing = (
            _there_for_a_while(looks, tolerance, shots, part, lag) & steady
            for lag in (BRIEF, PASSING)
        )
        nats = np.zeros(brief.shape, dtype=np.float32)
        # Most blocks are at rest, and counting looks is what costs here.
        some = np.flatnonzero((brief | passing).any(axis=0))
        nats[:, some] = _rarity(looks[:, some], tolerance[some], part)
        self._brief.extend(_summed(np.where(brief, nats, 0)).tolist())
        self._passing.extend(_summed(np.where(passing, nats, 0)).tolist())
        before = np.maximum(part - _LAG, 0)
        self._change.extend(_summed(np.abs(looks[part] - looks[before]) - tolerance).tolist())
        self._judged = until


def _blocks(stamp: Stamp) -> Blocks:
    """Returns the mean levels of the blocks of a stamp, shape (3 * blocks,)."""
    height, width = (side // _BLOCK for side in stamp.shape[1:])
    whole = stamp[:, : height * _BLOCK, : width * _BLOCK]
    # Adding slices is far faster than summing over an axis, and 16 levels of 255 fit 16 bits.
    rows = whole[:, ::_BLOCK].copy()
    for place in range(1, _BLOCK):
        rows += whole[:, place::_BLOCK]
    sums = rows[:, :, ::_BLOCK].copy()
    for place in range(1, _BLOCK):
        sums += rows[:, :, place::_BLOCK]
    return sums.reshape(-1) // np.int16(_BLOCK**2)


def _summed(values: npt.NDArray[np.generic]) -> Floats:
    """Sums over the blocks what is above zero in the strongest channel, shape (frames,)."""
    strongest = values.reshape(len(values), 3, -1).max(axis=1)
    total: Floats = np.maximum(strongest, 0).sum(axis=1, dtype=np.float64)
    return total


def _tolerance(steps: Blocks) -> Blocks:
    """Returns the levels within which each block shows the same, shape (3 * blocks,)."""
    noise = np.minimum(steps, 6).mean(axis=0)
    tolerance: Blocks = _LEAST_TOLERANCE + np.rint(2 * noise).astype(np.int16)
    return tolerance


def _rarity(looks: Blocks, tolerance: Blocks, part: npt.NDArray[np.intp]) -> Floats:
    """Returns by how many nats blocks are rarer than usual, shape (frames of part, 3 * blocks)."""
    count, width = looks.shape
    # Place 0 of each run of 257 stays empty, so that differences of sums never cross two blocks.
    places = np.arange(width) * 257 + 1
    sums = np.cumsum(np.bincount((looks + places).reshape(-1), minlength=257 * width))
    judged = looks[part].astype(np.int64)
    upper = sums[np.minimum(judged + tolerance, 255) + places]
    lower = sums[np.maximum(judged - tolerance, 0) + places - 1]
    nats: Floats = np.log(_USUAL * count / (upper - lower))
    return nats


def _steady(alike: Mask) -> Mask:
    """Says which blocks look as in the frame before or after, both of shape (frames, 3 * blocks).

    The edge of something that moves on has passed a moment later, and never looks the same.
    """
    steady = alike.copy()
    steady[:1] = False
    steady[:-1] |= alike[1:]
    return steady


def _there_for_a_while(
    looks: Blocks,
    tolerance: Blocks,
    shots: npt.NDArray[np.intp],
    part: npt.NDArray[np.intp],
    lag: int,
) -> Mask:
    """Says which blocks differ from `lag` frames before and after, which are alike.

    Where a shot begins or ends nearer than that, two looks of the other side are compared. Shape
    (frames of part, 3 * blocks).
    """
    last = len(looks) - 1

    def same_shot(places: npt.NDArray[np.intp]) -> Mask:
        within: Mask = (places >= 0) & (places <= last)
        within &= shots[np.clip(places, 0, last)] == shots[part]
        return within

    before = np.where(same_shot(part - lag), part - lag, part + 2 * lag)
    after = np.where(same_shot(part + lag), part + lag, part - 2 * lag)
    usable = same_shot(before) & same_shot(after)
    earlier, later = looks[np.clip(before, 0, last)], looks[np.clip(after, 0, last)]
    now = looks[part]
    there: Mask = (np.abs(now - earlier) > tolerance) & (np.abs(now - later) > tolerance)
    there &= (np.abs(earlier - later) <= tolerance) & usable[:, None]
    return there
