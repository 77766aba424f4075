"""The functions of this package by path, as the daemon calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from daemon.media import frames, scenes, stills, thumbnails
from daemon.media import probe as probing
from daemon.media.frames import Frames, Picture
from daemon.media.probe import Probe
from daemon.media.scenes import SceneSpan
from daemon.media.source import Source
from daemon.media.thumbnails import Thumbnail


def probe(path: Path) -> Probe:
    with Source.of(path) as source:
        return probing.probe(source)


def probe_still(path: Path) -> Probe:
    with Source.of(path) as source:
        return stills.probe_still(source)


def still(path: Path, *, long_side: int | None) -> Picture:
    with Source.of(path) as source:
        return stills.still(source, long_side=long_side)


def sample_frames(
    path: Path, facts: Probe, times: Iterable[float], *, long_side: int | None
) -> Frames:
    with Source.of(path) as source:
        return frames.sample_frames(source, facts, times, long_side=long_side)


def thumbnail(
    path: Path, facts: Probe, time: float, *, box: tuple[int, int] = thumbnails.BOX
) -> Thumbnail:
    with Source.of(path) as source:
        return thumbnails.thumbnail(source, facts, time, box=box)


def find_scenes(
    path: Path,
    facts: Probe,
    *,
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    min_seconds: float = 0.5,
    max_seconds: float = 60.0,
) -> tuple[SceneSpan, ...]:
    with Source.of(path) as source:
        return scenes.find_scenes(
            source,
            facts,
            progress=progress,
            should_stop=should_stop,
            min_seconds=min_seconds,
            max_seconds=max_seconds,
        )
