"""Takes the pictures shown at given times out of a video: upright, scaled, in RGB."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from daemon.decoder.container import TICK, opened
from daemon.decoder.facts import Frames
from daemon.decoder.groups import shown_pictures
from daemon.decoder.pictures import Developer, pixel_aspect
from daemon.decoder.plans import nearest_keyframes
from daemon.decoder.source import undecodable
from daemon.decoder.undated import is_undated, pictures_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from av.video.frame import VideoFrame

    from daemon.decoder.facts import Picture, Probe
    from daemon.decoder.source import Source


def sample_frames(
    source: Source,
    probe: Probe,
    times: Iterable[float],
    *,
    long_side: int | None,
    exact: bool = True,
) -> Frames:
    """Returns the pictures shown at `times` (seconds), upright, with square pixels.

    `long_side` bounds the larger side in pixels; the aspect is kept and nothing is enlarged. Times
    that fall on one picture give it once, so there may be fewer pictures than times, but at least
    one. In place of a picture that does not decode comes the nearest one that does.

    Not `exact`, the nearest key frames come instead, for a small part of the work. They are off by
    at most half of the way between two key frames: usually 1 to 5 s, but in files made for editing or
    streaming less, and in a recording with a single key frame as long as it is. Their times are true.

    Raises `MediaError`: unreadable when nothing decodes, and all that opening raises.
    """
    with opened(source) as (container, stream):
        base = stream.time_base or TICK
        start = round(Fraction(probe.start_time) / base)
        targets = sorted({_tick(time, probe, base) + start for time in times})
        size = _decoded_size(probe, long_side)
        aspect = pixel_aspect(stream)

        def developer() -> Callable[[VideoFrame], Picture]:
            return Developer(size, probe.rotation, probe.mirrored, aspect).picture

        if is_undated(container, stream):
            pictures = pictures_in_order(source, targets, developer())
        else:
            if not exact:
                targets = nearest_keyframes(container, stream, targets, start)
            pictures = shown_pictures(source, container, stream, targets, start, developer)
    if not pictures:
        raise undecodable(source.path)
    stamps = sorted(pictures)
    return Frames(
        times=tuple(max(0.0, float((stamp - start) * base)) for stamp in stamps),
        images=np.stack([pictures[stamp] for stamp in stamps]),
    )


def _tick(time: float, probe: Probe, base: Fraction) -> int:
    """Returns the last tick at or before a time; half a millisecond forgives rounded times."""
    forgiven = min(0.5, 0.0005 / float(base))
    return math.floor(min(max(time, 0.0), probe.duration) / float(base) + forgiven)


def _decoded_size(probe: Probe, long_side: int | None) -> tuple[int, int]:
    """Returns the width and height to scale to, before the picture is turned upright."""
    width, height = probe.scaled(long_side)
    return (height, width) if probe.rotation in (90, 270) else (width, height)
