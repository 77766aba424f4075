"""Makes small pictures: those that the terminal draws with half blocks, and files for exports."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image

from daemon.decoder.facts import Picture

PictureFormat = Literal["jpeg", "webp"]

_SAVING: dict[PictureFormat, dict[str, int | bool]] = {
    "jpeg": {"quality": 85, "optimize": True, "progressive": True},
    "webp": {"quality": 80, "method": 4},
}
"""Small, with faults that a person does not see at this size."""

BOX = (40, 44)
"""Width and height in pixels of 40 columns by 22 rows, two pixels in a cell."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture."""

    width: int
    height: int
    rgb: bytes
    """Row by row, three bytes a pixel: `width * height * 3` bytes."""


def thumbnail_from(image: Picture, *, box: tuple[int, int] = BOX) -> Thumbnail:
    """Fits an RGB picture of shape (height, width, 3) into `box` (pixels), keeping its aspect."""
    height, width = image.shape[:2]
    scale = min(box[0] / width, box[1] / height, 1.0)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX), dtype=np.uint8)
    return Thumbnail(width=size[0], height=size[1], rgb=small.tobytes())


def picture_file(image: Picture, kind: PictureFormat) -> bytes:
    """Returns the file of an RGB picture of shape (height, width, 3); it holds nothing else.

    Raises `ValueError` where the picture is larger than the format allows: 65535 pixels on a side
    in JPEG, 16383 in WebP.
    """
    file = BytesIO()
    try:
        Image.fromarray(image).save(file, kind, **_SAVING[kind])
    except (OSError, ValueError) as error:
        size = f"{image.shape[1]}×{image.shape[0]}"
        raise ValueError(f"A picture of {size} pixels does not fit into {kind}.") from error
    return file.getvalue()
