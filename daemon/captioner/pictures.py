"""Making frames fit the model's square without losing the sides of a wide picture.

A processor that resizes the short side and crops the centre loses 44 % of a 16:9 picture. Before such a
one, frames are letterboxed to a square. A processor that squeezes the whole picture into its square (the
SigLIP way, and the demo model's) gets them as they are.
"""

from typing import Any

import numpy as np

from daemon.captioner.base import Pictures


def crops_sides(video_processor: Any) -> bool:
    """Whether a transformers video processor would cut off what sticks out of a square."""
    size = video_processor.size
    return bool(getattr(video_processor, "do_center_crop", False)) and bool(
        getattr(size, "shortest_edge", None)
    )


def input_pixels(video_processor: Any) -> int:
    """The side of the model's square, in pixels."""
    size = video_processor.size
    return int(getattr(size, "shortest_edge", None) or max(size.height, size.width))


def letterboxed(pictures: Pictures, fill: tuple[int, int, int]) -> Pictures:
    """Centres pictures of shape (n, height, width, 3) on squares of one colour."""
    count, height, width, _ = pictures.shape
    if height == width:
        return pictures
    side = max(height, width)
    square = np.empty((count, side, side, 3), dtype=np.uint8)
    square[:] = fill
    top, left = (side - height) // 2, (side - width) // 2
    square[:, top : top + height, left : left + width] = pictures
    return square
