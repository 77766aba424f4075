"""Writes what was found in a stretch as bytes, and reads it back without trusting it.

Four counts of 32 bits (cuts, turns, times, signals), then arrays of 64-bit floats, low bytes first.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from daemon.decoder.cuts import Cut
from daemon.decoder.novelty import Signals
from daemon.decoder.scenes import Stretch

_HEAD = struct.Struct("<4I")
_FLOAT = np.dtype("<f8")

_MOST_A_SECOND = 60
_END_OF_TIME = 1e10
"""Seconds: three centuries."""

Floats = npt.NDArray[np.float64]


def pack(found: Stretch) -> bytes:
    """Returns what was found as bytes."""
    signals = found.signals
    arrays = (
        [cut.time for cut in found.cuts],
        [cut.strength for cut in found.cuts],
        [turn.time for turn in found.turns],
        [turn.strength for turn in found.turns],
        found.times,
        signals.times,
        signals.brief,
        signals.passing,
        signals.change,
    )
    counts = (found.cuts, found.turns, found.times, signals.times)
    head = _HEAD.pack(*(len(one) for one in counts))
    return head + b"".join(np.asarray(values, dtype=_FLOAT).tobytes() for values in arrays)


def unpack(data: bytes, start: float, end: float) -> Stretch | None:
    """Returns what was found in [start, end), in seconds; None for bytes that make no sense."""
    if len(data) < _HEAD.size or (len(data) - _HEAD.size) % _FLOAT.itemsize:
        return None
    cuts, turns, shown, looked = _HEAD.unpack_from(data)
    values: Floats = np.frombuffer(data, dtype=_FLOAT, offset=_HEAD.size).astype(np.float64)
    counts = (cuts, cuts, turns, turns, shown, looked, looked, looked, looked)
    if len(values) != sum(counts) or not np.isfinite(values).all():
        return None
    if max(cuts, turns) > min(shown, _MOST_A_SECOND * (end - start) + _MOST_A_SECOND):
        return None
    places, strengths, turned, turns_by, times, *signals = np.split(values, np.cumsum(counts)[:-1])
    if not all(_in_order(one, start) for one in (places, turned, times, signals[0])):
        return None
    return Stretch(
        start, end, _cuts(places, strengths), times, Signals(*signals), _cuts(turned, turns_by)
    )


def _cuts(times: Floats, strengths: Floats) -> tuple[Cut, ...]:
    return tuple(Cut(float(t), float(s)) for t, s in zip(times, strengths, strict=True))


def _in_order(times: Floats, start: float) -> bool:
    """Says whether times rise within the stretch; the last one goes on to the end of the file."""
    if not len(times):
        return True
    within = start <= times[0] and times[-1] < _END_OF_TIME
    return bool(within and (np.diff(times) >= 0).all())
