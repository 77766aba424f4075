"""Finds gradual transitions: dissolves from one picture into another, and fades through a plain one.

While one picture dissolves into another, every picture between them lies on the straight line from
one to the other in the space of all pictures, and moves on along it. Pans, zooms and things that
move leave that line. In a fade the contrast falls to nothing and comes back with another picture.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from daemon.decoder.cuts import Cut
from daemon.decoder.stamps import Stamp

_STEP = 0.08
"""Seconds: of each such part of the video, counted from its start, one frame is looked at."""

_POOL = 2
"""Side of the blocks, in pixels of the stamp, that are compared."""

_HALVES = (3, 6, 12, 20)
"""Looks before and behind the middle that are compared: 0.25 to 1.6 s at the usual frame rates."""

_WIDEST = _HALVES[-1]

_REACH = _WIDEST + _WIDEST // 2
"""Looks on each side that one is judged by."""

_SAMPLES = 6
"""Looks between these two at which a transition is checked to run straight."""

_HOP = 120
"""Looks between two evaluations."""

_LEAST_CHANGE = 10.0
"""Levels (0..255, root mean square) by which the pictures before and behind must differ."""

_STRAYED, _STRAYED_MOST = 0.10, 0.14
"""Share of the squared change by which pictures between may lie beside the line: mean, and any."""

_LEAST_SCORE = 8.0
"""Levels of change that must lie on the line beyond doubt."""

_BACKWARD = 0.08
"""Share of the line that a dissolve may go back, as things move in it too."""

_JUMP = 0.45
"""Share of the line passed in a sixth of the time from which it is no dissolve."""

_BEYOND, _BACK = 0.12, 0.3
"""Shares of the line by which pictures a while before and behind may lie beyond its ends or back."""

_TOGETHER = 0.25
"""Share of the line by which structure may be ahead of, or behind, the picture as a whole."""

_LEAST_STRUCTURE = 4.0
"""Levels (root mean square) by which structure must differ, apart from the mean of each channel."""

_ALIKE = 0.7
"""Correlation from which two pictures are the same one, moved a little or in other light."""

_PLAIN = 8.0
"""Levels of contrast below which a picture has no structure that could tell it from another."""

_CHANGED, _WIDELY = 20.0, 0.45
"""Sum of the three channels' differences from which a block changes, and the share that must."""

_FLAT = 0.3
"""Contrast in the middle of a fade, as a share of that of the pictures before and behind."""

_NOTHING = 2.5
"""Levels of contrast of a plain picture, however long it lasts."""

_RECOVERED = 0.85
"""Share of the contrast of a picture from which a fade is over."""

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Transition:
    """A gradual boundary."""

    cut: Cut
    """In its middle."""
    start: float
    end: float
    """Seconds between which it was looked for."""


@dataclass(slots=True)
class TransitionDetector:
    """Takes the stamps of a video in the order of showing."""

    _looks: list[npt.NDArray[np.float32]] = field(default_factory=list)
    _judged: int = 0
    """Looks at the head of the window that are judged already."""
    _bin: int = -1
    _times: array[float] = field(default_factory=lambda: array("d"))
    _score: array[float] = field(default_factory=lambda: array("d"))
    """How surely a dissolve has its middle at a look; 0 for no."""
    _half: array[int] = field(default_factory=lambda: array("b"))
    """Looks to each side within which it was found."""
    _change: array[float] = field(default_factory=lambda: array("d"))
    _fade: array[float] = field(default_factory=lambda: array("d"))
    """Change from before to behind a fade through a plain picture; 0 for no."""

    def add(self, time: float, stamp: Stamp) -> None:
        """Takes a frame; most frames of a fast video are passed over."""
        # Counted from the start of the video: the same frames wherever the reading began.
        place = math.floor(time / _STEP + 1e-6)
        if place == self._bin:
            return
        self._bin = place
        self._times.append(time)
        self._looks.append(_pooled(stamp))
        if len(self._looks) >= _HOP + 2 * _REACH:
            self._judge(len(self._looks) - _REACH)
            del self._looks[: self._judged - _REACH]
            self._judged = _REACH

    def finish(self) -> list[Transition]:
        """Judges the looks that are left and returns the transitions, rising in time."""
        self._judge(len(self._looks))
        self._looks.clear()
        fades = self._fades()
        dissolves = [
            found
            for found in self._dissolves()
            if not any(fade.start < found.cut.time < fade.end for fade in fades)
        ]
        return sorted([*fades, *dissolves], key=lambda found: found.cut.time)

    def _judge(self, until: int) -> None:
        """Judges the looks of the window up to an index, by all that the window holds."""
        if until <= self._judged:
            return
        gram = _Gram.of(np.stack(self._looks))
        score, half, change = _dissolving(gram, self._judged, until)
        self._score.extend(score.tolist())
        self._half.extend(half.tolist())
        self._change.extend(change.tolist())
        self._fade.extend(_fading(gram, self._judged, until).tolist())
        self._judged = until

    def _dissolves(self) -> list[Transition]:
        """Returns the looks at which a dissolve is surer than at all around."""
        score = np.array(self._score)
        if not len(score):
            return []
        padded = np.pad(score, _WIDEST)
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _WIDEST + 1)
        places = np.flatnonzero((score > 0) & (score >= around.max(axis=1)))
        return [self._transition(int(place)) for place in places]

    def _transition(self, place: int) -> Transition:
        half = self._half[place]
        start, end = max(0, place - half), min(len(self._times) - 1, place + half)
        cut = Cut(self._times[place], self._change[place])
        return Transition(cut, self._times[start], self._times[end])

    def _fades(self) -> list[Transition]:
        """Returns the middle of each run of plain pictures."""
        flat = np.flatnonzero(np.array(self._fade) > 0)
        runs = np.split(flat, np.flatnonzero(np.diff(flat) > 2) + 1) if len(flat) else []
        found: list[Transition] = []
        for run in runs:
            first, last = int(run[0]), int(run[-1])
            start, end = max(0, first - _WIDEST), min(len(self._times) - 1, last + _WIDEST)
            cut = Cut(self._times[(first + last) // 2], self._fade[first])
            found.append(Transition(cut, self._times[start], self._times[end]))
        return found


def _pooled(stamp: Stamp) -> npt.NDArray[np.float32]:
    """Returns the mean levels of blocks of the stamp, shape (3, blocks)."""
    height, width = (side // _POOL * _POOL for side in stamp.shape[1:])
    whole = stamp[:, :height, :width]
    rows = whole[:, ::_POOL] + whole[:, 1::_POOL]
    blocks = rows[:, :, ::_POOL] + rows[:, :, 1::_POOL]
    return blocks.reshape(3, -1).astype(np.float32) / np.float32(_POOL**2)


@dataclass(frozen=True, slots=True)
class _Gram:
    """Inner products of all looks of a window, per value: shape (looks, looks)."""

    whole: Floats
    centred: Floats
    """The same without the mean of each channel: what is left is the picture's structure."""
    looks: npt.NDArray[np.float32]
    """Shape (looks, 3, blocks)."""

    @classmethod
    def of(cls, looks: npt.NDArray[np.float32]) -> _Gram:
        flat = looks.reshape(len(looks), -1).astype(np.float64)
        whole = flat @ flat.T / flat.shape[1]
        means = looks.mean(axis=2, dtype=np.float64)
        return cls(whole, whole - means @ means.T / means.shape[1], looks)

    def squared_change(self, one: Places, other: Places) -> Floats:
        """Returns the mean squared difference of looks."""
        gram = self.whole
        change: Floats = gram[one, one] + gram[other, other] - 2 * gram[one, other]
        return np.maximum(change, 0.0)

    def changes_widely(self, one: int, other: int) -> bool:
        """Says whether most of the picture differs: slow motion runs straight too, along edges."""
        change = np.abs(self.looks[one] - self.looks[other]).sum(axis=0)
        return bool((change > _CHANGED).mean() >= _WIDELY)

    def differs(self, one: Places, other: Places) -> Mask:
        """Says whether looks show different things, rather than one in other light."""
        gram = self.centred
        # One level of contrast is noise.
        power = np.maximum((gram[one, one] + 1.0) * (gram[other, other] + 1.0), 1e-9)
        plain = np.maximum(gram[one, one], gram[other, other]) < _PLAIN**2
        differs: Mask = (gram[one, other] / np.sqrt(power) <= _ALIKE) & ~plain
        return differs


def _dissolving(gram: _Gram, first: int, until: int) -> tuple[Floats, Places, Floats]:
    """Returns, for looks as middles, how surely they dissolve, within how many looks, and the change."""
    places = np.arange(first, until)
    score = np.zeros(len(places))
    halves = np.zeros(len(places), dtype=np.intp)
    changes = np.zeros(len(places))
    for half in _HALVES:
        inside = np.flatnonzero((places >= half) & (places + half < len(gram.whole)))
        if not len(inside):
            continue
        surely, change = _straightness(gram, places[inside], half)
        better = surely > score[inside]
        score[inside[better]] = surely[better]
        halves[inside[better]] = half
        changes[inside[better]] = change[better]
    return score, halves, changes


def _straightness(gram: _Gram, middles: Places, half: int) -> tuple[Floats, Floats]:
    """Returns how surely pictures run straight from `half` looks before to behind, and the change."""
    before, behind = middles - half, middles + half
    steps = np.rint(np.linspace(-half, half, _SAMPLES + 1)).astype(np.intp)
    between = middles[:, None] + steps
    a, b = before[:, None], behind[:, None]
    squared, along = _along(gram.whole, a, b, between)
    structure, along_structure = _along(gram.centred, a, b, between)
    beside = (gram.squared_change(between, a) / squared - along**2).clip(0)[:, 1:-1]
    strayed = beside.mean(axis=1)
    steps_along = np.diff(along, axis=1)
    change = np.sqrt(squared[:, 0])
    fits = (change >= _LEAST_CHANGE) & (strayed <= _STRAYED)
    fits &= beside.max(axis=1) <= _STRAYED_MOST
    fits &= (steps_along.min(axis=1) >= -_BACKWARD) & (steps_along.max(axis=1) <= _JUMP)
    # What goes on in the same way before and behind is motion.
    outer = middles[:, None] + np.array([-1, 1]) * (half + max(2, half // 2))
    _, beyond = _along(gram.whole, a, b, outer.clip(0, len(gram.whole) - 1))
    fits &= (beyond[:, 0] >= -_BEYOND) & (beyond[:, 0] <= _BACK)
    fits &= (beyond[:, 1] <= 1 + _BEYOND) & (beyond[:, 1] >= 1 - _BACK)
    fits &= (outer[:, 0] >= 0) & (outer[:, 1] < len(gram.whole))
    # Light that changes slowly runs straight while something else comes or goes at once.
    together = np.abs(along_structure - along).max(axis=1) <= _TOGETHER
    fits &= together & (structure[:, 0] >= _LEAST_STRUCTURE**2)
    fits &= gram.differs(before, behind)
    # The middle of a dissolve is half-way along the line.
    centred = 1 - 2 * np.abs(along[:, _SAMPLES // 2] - 0.5)
    surely = change * (1 - strayed / _STRAYED) * centred
    fits &= surely >= _LEAST_SCORE
    for place in np.flatnonzero(fits):
        fits[place] = gram.changes_widely(int(before[place]), int(behind[place]))
    return np.where(fits, surely, 0.0), change


def _along(gram: Floats, a: Places, b: Places, between: Places) -> tuple[Floats, Floats]:
    """Returns the squared length of lines from `a` to `b`, and the shares passed between them."""
    squared = np.maximum(gram[a, a] + gram[b, b] - 2 * gram[a, b], 1e-6)
    share: Floats = (gram[between, b] - gram[between, a] - gram[a, b] + gram[a, a]) / squared
    return squared, share


def _fading(gram: _Gram, first: int, until: int) -> Floats:
    """Returns by how much pictures before and behind differ where a look between is plain; else 0."""
    contrast = np.sqrt(np.maximum(np.diag(gram.centred), 0.0))
    change = np.zeros(until - first)
    for place in range(max(first, 1), min(until, len(contrast) - 1)):
        before = place - 1 - _recovery(contrast[max(0, place - _WIDEST) : place][::-1])
        behind = place + 1 + _recovery(contrast[place + 1 : place + 1 + _WIDEST])
        plain = _FLAT * min(contrast[before], contrast[behind])
        # What stays beyond a moment is a shot, unless nothing at all is to be seen.
        beside = contrast[max(0, place - 2) : place + 3]
        if contrast[place] > _NOTHING and (beside <= plain).all():
            continue
        ways = contrast[before + 1 : place], contrast[place + 1 : behind]
        # A flash comes at once, and so do cuts to black and back.
        if contrast[place] > plain or not all((way > plain).any() for way in ways):
            continue
        pair = np.array([before]), np.array([behind])
        differ = float(np.sqrt(gram.squared_change(*pair))[0])
        if differ >= _LEAST_CHANGE and gram.differs(*pair)[0]:
            change[place - first] = differ
    return change


def _recovery(contrast: Floats) -> int:
    """Returns the first place at which contrast is about as high as it gets."""
    return int((contrast >= _RECOVERED * contrast.max()).argmax())
