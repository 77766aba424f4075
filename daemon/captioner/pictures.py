"""Making frames fit the model's square without losing the sides of a wide picture.

Stock LLaVA-NeXT-Video processors resize the short side and crop the centre, which loses 44 % of a 16:9
picture. Two ways keep it whole:

- `letterbox` keeps the shapes and spends 44 % of the tokens on bars;
- `squeeze` spends no token on bars and distorts the shapes by 16:9.

Frames are squeezed. So does SigLIP's processor in LLaVA-OneVision, and so LLaVA-NeXT itself learned to
see a whole picture: AnyRes begins with the picture squeezed into one square. Of wide held-out demo clips
97 % are told right squeezed, 88 % cropped and 8 % letterboxed, of tall ones 97 %, 78 % and 27 %; but the
demo model was trained squeezed, so that says what a change of the way costs, not which way a large model
prefers: `python -m tests.benchmarks.letterbox`.
"""

from typing import Any, Literal

import numpy as np

from daemon.captioner.base import Pictures

Fit = Literal["squeeze", "letterbox", "crop"]
FIT: Fit = "squeeze"


def fitted(
    pictures: Pictures, fit: Fit, processor: Any, side: int
) -> tuple[Pictures, dict[str, Any]]:
    """Pictures of shape (n, height, width, 3), and the options that make a processor fit them.

    `side` is that of the model's square in pixels.
    """
    if fit == "crop":
        return pictures, {}
    if fit == "letterbox":
        pictures = letterboxed(pictures, mean_colour(processor))
    return pictures, {"size": {"height": side, "width": side}, "do_center_crop": False}


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


def mean_colour(processor: Any) -> tuple[int, int, int]:
    """The colour that the model sees as nothing: its normalisation takes it to zero."""
    red, green, blue = (round(255 * float(part)) for part in processor.image_mean)
    return red, green, blue


def evenly(count: int, wanted: int) -> tuple[int, ...]:
    """That many places out of `count`, spread evenly over the whole."""
    return tuple(int((2 * place + 1) * count / (2 * wanted)) for place in range(wanted))
