"""Searches a stretch of a video for shot boundaries, in one of two ways."""

from __future__ import annotations

import math
from array import array
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from daemon.decoder.cuts import Cut, CutDetector
from daemon.decoder.keyframes import TooFewError, find_cuts_fast
from daemon.decoder.novelty import Novelty, Signals
from daemon.decoder.scenes import SEEKABLE, Mode, SceneSpan, Stretch, scenes_from, stretches
from daemon.decoder.showing import stamps_between
from daemon.decoder.source import undecodable
from daemon.decoder.transitions import Transition, TransitionDetector
from daemon.decoder.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.decoder.facts import Probe
    from daemon.decoder.source import Source

_LEAD = 8.0
"""Seconds read before and behind a stretch: more than any detector looks around."""

_REPORT_EVERY = 25
"""Frames between two reports of progress."""


def search_stretch(
    source: Source,
    probe: Probe,
    start: float,
    end: float,
    *,
    mode: Mode = "exact",
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Stretch:
    """Searches the stretch [start, end), in seconds.

    `progress` hears shares of it from 0 to 1. When `should_stop` says so, what was found up to
    there is returned, and it must not be kept.

    Raises `MediaError`: all that opening raises.
    """
    pulse = _Pulse(start, end, progress, should_stop)
    found = None
    if mode == "fast" and probe.format in SEEKABLE:
        with suppress(TooFewError):
            found = _search_fast(source, probe, start, end, pulse)
    if found is None:
        found = _search_exactly(source, probe, start, end, pulse)
    if progress:
        progress(1.0)
    return found


@dataclass(slots=True)
class _Pulse:
    """Tells how far the search of a stretch is, and hears whether to stop."""

    start: float
    end: float
    progress: Callable[[float], None] | None
    should_stop: Callable[[], bool] | None
    _told: float = 0.0

    def __call__(self, time: float) -> bool:
        """Takes the time in seconds that is reached, and says whether to stop."""
        share = min((time - self.start) / (self.end - self.start), 1.0)
        if self.progress and share > self._told:
            self._told = share
            self.progress(share)
        return bool(self.should_stop and self.should_stop())


def _until(probe: Probe, end: float) -> float:
    """Headers may understate the length: the last stretch goes on to the end of the file."""
    return math.inf if end >= probe.duration else end


def _search_fast(
    source: Source, probe: Probe, start: float, end: float, pulse: _Pulse
) -> Stretch | None:
    """Decodes key frames and what they leave open; None where nothing decodes."""
    until = _until(probe, end)
    cuts, shown, turns = find_cuts_fast(
        source, probe, max(0.0, start - _LEAD), until + _LEAD, pulse
    )
    nothing = np.zeros(0)
    if not turns:
        return None
    return Stretch(
        start,
        end,
        _within(cuts, start, until),
        np.array([time for time in shown if start <= time < until]),
        Signals(nothing, nothing, nothing, nothing),
        _within(turns, start, until),
    )


def _within(cuts: list[Cut], start: float, until: float) -> tuple[Cut, ...]:
    return tuple(cut for cut in cuts if start <= cut.time < until)


def _search_exactly(
    source: Source, probe: Probe, start: float, end: float, pulse: _Pulse
) -> Stretch:
    """Decodes every frame."""
    until = _until(probe, end)
    detector, transitions = CutDetector(probe.fps), TransitionDetector()
    novelty, turns = Novelty(), Turns()
    times = array("d")
    reading = stamps_between(source, probe, max(0.0, start - _LEAD), until + _LEAD)
    for index, (time, stamp) in enumerate(reading):
        detector.add(time, stamp)
        transitions.add(time, stamp)
        novelty.add(time, stamp)
        turns.add(time, stamp)
        if start <= time < until:
            times.append(time)
        if index % _REPORT_EVERY == _REPORT_EVERY - 1 and pulse(time):
            break
    cuts = _with_transitions(detector.finish(), transitions.finish())
    return Stretch(
        start,
        end,
        _within(cuts, start, until),
        np.array(times, dtype=np.float64),
        novelty.finish().between(start, until),
        _within(turns.finish(), start, until),
    )


def _with_transitions(cuts: list[Cut], transitions: list[Transition]) -> list[Cut]:
    """Adds the middles of the transitions in which no cut was found, rising in time."""
    gradual = [
        found.cut
        for found in transitions
        if not any(found.start < cut.time <= found.end for cut in cuts)
    ]
    return sorted([*cuts, *gradual], key=lambda cut: cut.time)


def find_scenes(
    source: Source,
    probe: Probe,
    *,
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    min_seconds: float = 0.5,
    max_seconds: float = 60.0,
    mode: Mode = "exact",
) -> tuple[SceneSpan, ...]:
    """Searches a whole video, one stretch after the other; see `search_stretch`, `scenes_from`.

    When `should_stop` says so, the scenes found up to there are returned, and the rest is the last
    one.

    Raises `MediaError`: unreadable when nothing decodes, and all that opening raises.
    """
    found: list[Stretch] = []
    for start, end in stretches(probe):
        share = _share_of(progress, start, end, probe.duration)
        found.append(
            search_stretch(
                source, probe, start, end, mode=mode, progress=share, should_stop=should_stop
            )
        )
        if should_stop and should_stop():
            break
    if not any(part.times.size for part in found):
        raise undecodable(source.path)
    if progress:
        progress(1.0)
    return scenes_from(probe, found, min_seconds=min_seconds, max_seconds=max_seconds)


def _share_of(
    progress: Callable[[float], None] | None, start: float, end: float, duration: float
) -> Callable[[float], None] | None:
    """Turns the progress of a stretch into that of the video."""
    if progress is None:
        return None
    return lambda share: progress(min(1.0, (start + share * (end - start)) / duration))
