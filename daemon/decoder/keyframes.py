"""Finds cuts from key frames and the sizes of packets, decoding only what they leave open.

Where two neighbouring key frames look alike, nothing is replaced between them. Where they do not,
the first picture of a new shot is expensive: either the encoder made it a key frame before one was
due, or its packet stands out of those beside it. Only pictures that others refer to are judged,
since those between them cost little and hide where the change is. What stands out clearly is taken
as the cut; of a group of pictures that leaves doubts, the pictures that others refer to are decoded.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from daemon.decoder.container import decode_packet, opened
from daemon.decoder.cuts import Cut, CutDetector
from daemon.decoder.showing import Showing
from daemon.decoder.stamps import Stamp, changed_share, difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from av.packet import Packet
    from av.video.stream import VideoStream

    from daemon.decoder.facts import Probe
    from daemon.decoder.source import Source

_LONGEST_GROUP = 20.0
"""Seconds between key frames from which they tell too little."""

_MOST_KEYS = 0.2
"""Share of key frames from which decoding them all saves nothing."""

_CHANGED = 0.3
"""Share of the picture that must change between two key frames."""

_LIKENESS, _PLAIN = 0.75, 5.0
"""Correlation from which two pictures are one in other light, and the contrast it needs."""

_AROUND = 25
"""Referred pictures on each side whose median size is the usual one."""

_BESIDE = 4
"""Referred pictures on each side that a cut stands out of."""

_SIZE = 1.9
"""Times the usual size from which a packet within a group may be a cut."""

_CLEAR_SIZE = 2.1
"""The same, for a cut for sure."""

_CALM_BEFORE, _CALM_BEHIND = 1.4, 2.1
"""Times the largest size close before and behind, from which a packet is a cut for sure. Encoders
put no key frame into motion that goes on, so before one placed by them less is asked for."""

_OPEN = 1.15
"""The same on both sides, from which a packet may be a cut."""

_HOPELESS = 0.9
"""The same, below which a placed key frame shows motion only."""

_MOST_DUE = 0.08
"""Share of groups of full length from which the encoder does not tell where cuts are."""

_SHORT_GROUP = 3.0
"""Seconds between key frames up to which a cut that stands out is taken to be the only one."""

_FLASH_SECONDS = 1.0
"""A picture that comes back within this time was covered, not cut away."""

_TRIED, _FOLLOWING = 2.0, 0.05
"""Times the usual size from which a packet is tried to stand alone; how fast the usual follows."""

_ENOUGH = 1000
"""Frames after which the share of key frames is known."""

_AFTER = 0.5
"""Seconds decoded behind a place in doubt, to tell a flash."""


Floats = npt.NDArray[np.float64]


class TooFewError(Exception):
    """Key frames are too far apart or too near to save anything; every frame must be decoded."""


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A picture that comes after all before it in the file: the others lie between two of them."""

    time: float
    before: float
    """Seconds of the anchor before; a change that shows here happened behind it."""
    size: int
    is_key: bool


@dataclass(slots=True)
class _Survey:
    """What reading all packets of a stretch and decoding those that stand alone tells."""

    anchors: list[_Anchor] = field(default_factory=list)
    times: array[float] = field(default_factory=lambda: array("d"))
    """Of all frames; rising once sorted."""
    stamps: dict[float, Stamp] = field(default_factory=dict)
    """Of the frames that stand alone, by time: key frames, and what an encoder put at a cut."""
    keys: list[float] = field(default_factory=list)
    """Times of key frames."""


def find_cuts_fast(
    source: Source,
    probe: Probe,
    start: float,
    end: float,
    tell: Callable[[float], bool],
) -> tuple[list[Cut], array[float], list[Cut]]:
    """Returns the cuts, the times of all frames and how pictures that stand alone differ.

    All are of about [start, end), in seconds; the last is empty where no key frame decodes.

    `tell` hears times, and says whether to stop.

    Raises `TooFewError`, and all that opening raises.
    """
    with opened(source) as (container, stream):
        showing = Showing(container, stream, probe)
        survey = _survey(showing, start, end, tell)
        doubts: list[tuple[float, float]] = []
        cuts = _judge(survey, doubts)
        for first, last in doubts:
            if tell(first):
                break
            cuts += _look_closely(showing, survey, probe, first, last)
    return sorted(cuts, key=lambda cut: cut.time), survey.times, _turns(survey)


def _turns(survey: _Survey) -> list[Cut]:
    """Returns by how much each picture that stands alone differs from the one before."""
    edges = sorted(survey.stamps.items())
    pairs = pairwise([(0.0, edges[0][1]), *edges] if edges else [])
    return [Cut(time, difference(one, other)) for (_, one), (time, other) in pairs]


def _survey(showing: Showing, start: float, end: float, tell: Callable[[float], bool]) -> _Survey:
    survey = _Survey()
    # Whatever refers to others is passed over, so that only likely packets need to be tried.
    showing.stream.codec_context.skip_frame = "NONINTRA"
    latest, usual = float("-inf"), 0.0
    for packet in showing.packets(start):
        time, is_key = showing.time_of(packet), bool(packet.is_keyframe)
        if is_key:
            if time >= end or tell(time):
                break
            survey.keys.append(time)
        if not packet.is_discard:
            survey.times.append(time)
        if time > latest:
            survey.anchors.append(_Anchor(time, latest, packet.size, is_key))
            if is_key or packet.size > _TRIED * usual:
                _take(showing, survey, packet)
            if not is_key:
                usual += _FOLLOWING * (packet.size - usual)
            latest = time
        if len(survey.times) == _ENOUGH and len(survey.keys) > _MOST_KEYS * _ENOUGH:
            raise TooFewError
    _take(showing, survey, None)
    survey.times = array("d", sorted(survey.times))
    edges = [*survey.keys, latest]
    if max((after - before for before, after in pairwise(edges)), default=0.0) > _LONGEST_GROUP:
        raise TooFewError
    return survey


def _take(showing: Showing, survey: _Survey, packet: Packet[VideoStream] | None) -> None:
    for frame in decode_packet(showing.stream, packet):
        if not frame.is_corrupt and frame.pts is not None:
            survey.stamps[showing.time_of(frame)] = showing.stamp_of(frame)


# Judging ------------------------------------------------------------------------------------------


def _judge(survey: _Survey, doubts: list[tuple[float, float]]) -> list[Cut]:
    """Returns the cuts that are sure and fills in the spans that must be decoded."""
    anchors = survey.anchors
    alone = [place for place, anchor in enumerate(anchors) if anchor.time in survey.stamps]
    sizes = _Sizes.of(survey)
    placed = _places_keys(survey)
    cuts: list[Cut] = []
    for index, (before, after) in enumerate(pairwise(alone)):
        first, last = anchors[before].time, anchors[after].time
        one, other = survey.stamps[first], survey.stamps[last]
        if not _unlike(one, other):
            continue
        if placed:
            later = [anchors[place].time for place in alone[index + 2 : index + 3]]
            if any(t - last < _FLASH_SECONDS and not _unlike(one, survey.stamps[t]) for t in later):
                continue
            due = _is_due(survey, last)
            own = not due and min(sizes.times_beside(after)) >= _HOPELESS
            inner = [place for place in sizes.standing_out(before, after) if sizes.is_clear(place)]
            found = [*inner, *([after] if own else [])]
            clear = [*inner, *([after] if own and sizes.is_clear(after, _CALM_BEFORE) else [])]
        else:
            found = sizes.standing_out(before, after)
            clear = [place for place in found if sizes.is_clear(place)]
        if placed and due:
            # The encoder saw no cut, yet something else is shown: sizes alone cannot tell.
            doubts.append((first, last))
        elif len(clear) == 1 and (placed or last - first <= _SHORT_GROUP):
            time = _middle(survey.times, anchors[clear[0]])
            cuts.append(Cut(time, difference(one, other)))
        elif found or not placed:
            doubts.append((first, anchors[found[-1]].time if placed else last))
    return cuts


def _is_due(survey: _Survey, time: float) -> bool:
    """Says whether a picture stands alone only because the longest distance was reached."""
    place = bisect_left(survey.keys, time)
    if not 0 < place < len(survey.keys) or survey.keys[place] != time:
        return False
    lengths = [after - before for before, after in pairwise(survey.keys)]
    return lengths[place - 1] >= 0.97 * max(lengths)


def _places_keys(survey: _Survey) -> bool:
    """Says whether the encoder put pictures that stand alone where cuts are, not evenly."""
    lengths = [after - before for before, after in pairwise(sorted(survey.stamps))]
    longest = max(lengths, default=0.0)
    early = sum(length < 0.9 * longest for length in lengths)
    # One that lets many groups run to their full length misses cuts, as it does in grainy pictures.
    due = sum(_is_due(survey, time) for time in survey.keys) - 1
    return early > 0.2 * len(lengths) and due <= _MOST_DUE * len(lengths)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Sizes of the anchors' packets, in bytes."""

    all: Floats
    usual: Floats
    """0 for those that stand alone, which are large anyway."""

    @classmethod
    def of(cls, survey: _Survey) -> _Sizes:
        sizes = np.array([anchor.size for anchor in survey.anchors], dtype=np.float64)
        alone = np.array([anchor.time in survey.stamps for anchor in survey.anchors], dtype=bool)
        return cls(sizes, np.where(alone, 0.0, sizes))

    def times_usual(self, place: int) -> float:
        """Returns how many times larger than usual around an anchor is."""
        around = self.usual[max(0, place - _AROUND) : place + _AROUND + 1]
        around = around[around > 0]
        return float(self.all[place] / np.median(around)) if len(around) else 1.0

    def times_beside(self, place: int) -> tuple[float, float]:
        """Returns how many times larger than those close before and behind it an anchor is."""
        before = self.usual[max(0, place - _BESIDE) : place].max(initial=1.0)
        behind = self.usual[place + 1 : place + 1 + _BESIDE].max(initial=1.0)
        return float(self.all[place] / before), float(self.all[place] / behind)

    def is_clear(self, place: int, calm_before: float = _CALM_BEHIND) -> bool:
        """Says whether something new begins at an anchor for sure."""
        before, behind = self.times_beside(place)
        calm = before >= calm_before and behind >= _CALM_BEHIND
        return calm and self.times_usual(place) >= _CLEAR_SIZE

    def standing_out(self, before: int, after: int) -> list[int]:
        """Returns the places behind one anchor, before another, at which a cut may be."""
        return [
            place
            for place in range(before + 1, after)
            if min(self.times_beside(place)) >= _OPEN and self.times_usual(place) >= _SIZE
        ]


def _unlike(one: Stamp, other: Stamp) -> bool:
    """Says whether two pictures show different things, rather than one in other light."""
    if changed_share(one, other) < _CHANGED:
        return False
    a, b = (stamp - stamp.mean(axis=(1, 2), keepdims=True) for stamp in (one, other))
    contrast = np.sqrt((a * a).mean()), np.sqrt((b * b).mean())
    if min(contrast) < _PLAIN:
        return True
    return bool((a * b).mean() < _LIKENESS * contrast[0] * contrast[1])


def _middle(times: array[float], anchor: _Anchor) -> float:
    """Returns the middle one of the frames behind the anchor before, up to an anchor."""
    first, last = bisect_right(times, anchor.before), bisect_left(times, anchor.time)
    return times[(first + last + 1) // 2] if first <= last < len(times) else anchor.time


def _look_closely(
    showing: Showing, survey: _Survey, probe: Probe, first: float, last: float
) -> list[Cut]:
    """Decodes the pictures of a span that others refer to, and a while behind it."""
    detector = CutDetector(probe.fps / 2)
    seen = array("d")
    for time, stamp in showing.stamps(first, last + _AFTER, referred_only=True):
        detector.add(time, stamp)
        seen.append(time)
    cuts: list[Cut] = []
    for cut in detector.finish():
        if cut.time <= last:
            before = seen[bisect_left(seen, cut.time) - 1]
            anchor = _Anchor(cut.time, before, 0, False)
            cuts.append(Cut(_middle(survey.times, anchor), cut.strength))
    return cuts
