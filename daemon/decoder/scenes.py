"""Splits a video into scenes: at the boundaries of its shots, and long takes where content turns.

The search goes by stretches of fixed length. Each is searched by itself and reads a while beyond
both of its ends, so that it finds the same wherever the others stand; what was found in it is small.
Only stretches of files in which a seek is exact are shorter than the file.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from daemon.decoder.cuts import Cut
from daemon.decoder.moments import choose_moments
from daemon.decoder.novelty import Signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from daemon.decoder.facts import Probe

Mode = Literal["exact", "fast"]
"""Whether every frame is decoded, or only key frames and what they make suspicious."""

SEEKABLE = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "flv"})
"""Formats in which pictures carry their times, so that they have the same ones after a seek."""

_STRETCH = 300.0
"""Seconds of a stretch; the last one may be half as long again."""

_MOST_STRETCHES = 1000
"""Headers may claim centuries."""

_LEAST_TURN = 4.0
"""Mean difference (0..765) from which content turns; below, a long take is split evenly."""


@dataclass(frozen=True, slots=True)
class SceneSpan:
    """One scene: [start, end) in seconds from the start of the video."""

    start: float
    end: float
    keyframe: float
    """Seconds of a picture that stands for the scene."""
    moments: tuple[float, ...] = ()
    """Seconds from the start of the video, the most important first; see `daemon.decoder.moments`."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What was found in [start, end), in seconds from the start of the video."""

    start: float
    end: float
    cuts: tuple[Cut, ...]
    """Boundaries, rising in time; nothing is merged yet."""
    times: npt.NDArray[np.float64]
    """Seconds at which the frames are shown, rising; without any, nothing decodes."""
    signals: Signals
    """Of its frames; without any in the fast mode."""
    turns: tuple[Cut, ...] = ()
    """About one a second: where a long take may be split, and how much content differs there."""


def stretches(probe: Probe) -> list[tuple[float, float]]:
    """Returns the stretches [start, end) of a video in seconds, without gaps; at least one."""
    length = max(_STRETCH, probe.duration / _MOST_STRETCHES)
    count = max(1, round(probe.duration / length)) if probe.format in SEEKABLE else 1
    edges = [*(length * index for index in range(count)), probe.duration]
    return list(pairwise(edges))


def scenes_from(
    probe: Probe,
    found: Sequence[Stretch],
    *,
    min_seconds: float = 0.5,
    max_seconds: float = 60.0,
) -> tuple[SceneSpan, ...]:
    """Returns the scenes of a video: in order, without gaps, from 0 to its duration; at least one.

    `found` are all stretches, in order. Shots shorter than `min_seconds` join a neighbour; longer
    ones than `max_seconds` are split where content turns, or evenly.
    """
    cuts = _spaced([cut for part in found for cut in part.cuts], probe.duration, min_seconds)
    times = array("d")
    for part in found:
        times.frombytes(part.times.tobytes())
    turns = [turn for part in found for turn in part.turns if turn.strength >= _LEAST_TURN]
    signals = _joined([part.signals for part in found])
    edges = [0.0, *(cut.time for cut in cuts), probe.duration]
    shots = (_split(start, end, times, turns, max_seconds) for start, end in pairwise(edges))
    return tuple(
        SceneSpan(start, end, (start + end) / 2, choose_moments(signals, times, start, end))
        for start, end in chain.from_iterable(shots)
    )


def _joined(parts: Sequence[Signals]) -> Signals:
    def whole(name: str) -> npt.NDArray[np.float64]:
        return np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)])

    return Signals(whole("times"), whole("brief"), whole("passing"), whole("change"))


def _split(
    start: float, end: float, times: Sequence[float], turns: Sequence[Cut], max_seconds: float
) -> Iterator[tuple[float, float]]:
    """Splits a shot into scenes of at most `max_seconds`, each with a frame of its own.

    The parts are about even: each edge is the strongest turn that is nearer to its even place than
    to half-way to the next, as far as the limit allows.
    """
    frames = bisect_left(times, end) - bisect_left(times, start)
    parts = max(1, min(math.ceil((end - start) / max_seconds), frames))
    length = (end - start) / parts
    edges = [start]
    for part in range(1, parts):
        even = start + (end - start) * part / parts
        earliest = max(
            even - length / 2, edges[-1] + length / 4, end - (parts - part) * max_seconds
        )
        latest = min(even + length / 2, edges[-1] + max_seconds)
        near = [turn for turn in turns if earliest <= turn.time <= latest]
        best = max(near, key=lambda turn: (turn.strength, -turn.time), default=None)
        edges.append(best.time if best else min(even, latest))
    yield from pairwise([*edges, end])


def _spaced(cuts: list[Cut], duration: float, min_seconds: float) -> list[Cut]:
    """Keeps the strongest boundaries that leave no shot shorter than `min_seconds`."""
    kept: list[Cut] = []
    for cut in sorted(cuts, key=lambda cut: (-cut.strength, cut.time)):
        place = bisect_left(kept, cut.time, key=lambda other: other.time)
        beside = kept[max(0, place - 1) : place + 1]
        apart = all(abs(cut.time - other.time) >= min_seconds for other in beside)
        if apart and min_seconds <= cut.time <= duration - min_seconds:
            kept.insert(place, cut)
    return kept
