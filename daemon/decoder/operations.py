"""What the daemon may ask a decoder process to do with a file.

Each takes the open file, shared memory for what is large, and a function to tell progress, 0 to 1;
the result is plain data for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from mmap import mmap
from typing import Any

import numpy as np

from daemon.decoder import frames, searching, stills
from daemon.decoder import probe as probing
from daemon.decoder.facts import Picture, Probe
from daemon.decoder.packing import pack
from daemon.decoder.scenes import Mode
from daemon.decoder.source import Source

Progress = Callable[[float], None]


def probe(source: Source, room: mmap, progress: Progress) -> dict[str, Any]:
    """Returns the fields of a video's `Probe`."""
    return asdict(probing.probe(source))


def probe_still(source: Source, room: mmap, progress: Progress) -> dict[str, Any]:
    """Returns the fields of a photo's `Probe`."""
    return asdict(stills.probe_still(source))


def still(
    source: Source, room: mmap, progress: Progress, *, long_side: int | None
) -> dict[str, Any]:
    """Writes a photo into the room and returns its shape."""
    return {"shape": _write(room, stills.still(source, long_side=long_side))}


def sample(
    source: Source,
    room: mmap,
    progress: Progress,
    *,
    facts: Probe,
    times: Sequence[float],
    long_side: int | None,
    exact: bool,
) -> dict[str, Any]:
    """Writes the pictures shown at `times` into the room and returns their times and shape."""
    sampled = frames.sample_frames(source, facts, times, long_side=long_side, exact=exact)
    return {"times": sampled.times, "shape": _write(room, sampled.images)}


def _write(room: mmap, pictures: Picture) -> tuple[int, ...]:
    place: Picture = np.frombuffer(room, dtype=np.uint8, count=pictures.size)
    place[:] = pictures.reshape(-1)
    return pictures.shape


def search(
    source: Source,
    room: mmap,
    progress: Progress,
    *,
    facts: Probe,
    start: float,
    end: float,
    mode: Mode,
) -> dict[str, Any]:
    """Searches a stretch of a video for scenes, writes what was found and returns its size in bytes."""
    packed = pack(searching.search_stretch(source, facts, start, end, mode=mode, progress=progress))
    room[: len(packed)] = packed
    return {"bytes": len(packed)}
