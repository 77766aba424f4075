"""Makes the small pictures that the terminal draws with half blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from daemon.media.frames import Picture, sample_frames

if TYPE_CHECKING:
    from daemon.media.probe import Probe
    from daemon.media.source import Source

BOX = (40, 44)
"""Width and height in pixels of 40 columns by 22 rows, two pixels in a cell."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture."""

    width: int
    height: int
    rgb: bytes
    """Row by row, three bytes a pixel: `width * height * 3` bytes."""


def thumbnail(
    source: Source, probe: Probe, time: float, *, box: tuple[int, int] = BOX
) -> Thumbnail:
    """Returns the picture shown at `time` (seconds), fitted into `box` (pixels).

    Raises `MediaError` as `sample_frames` does.
    """
    frames = sample_frames(source, probe, (time,), long_side=4 * max(box))
    return thumbnail_from(frames.images[0], box=box)


def thumbnail_from(image: Picture, *, box: tuple[int, int] = BOX) -> Thumbnail:
    """Fits an RGB picture of shape (height, width, 3) into `box` (pixels), keeping its aspect."""
    height, width = image.shape[:2]
    scale = min(box[0] / width, box[1] / height, 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX), dtype=np.uint8)
    return Thumbnail(width=size[0], height=size[1], rgb=small.tobytes())
