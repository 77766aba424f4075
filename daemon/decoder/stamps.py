"""Compares pictures scaled down to stamps, where a shot boundary still shows and noise does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

STAMP_SIDE = 64
"""The longer side of a stamp, in pixels."""

Stamp = npt.NDArray[np.int16]
"""Luma and both chromas, shape (3, height, width), values 0..255."""

Mask = npt.NDArray[np.bool_]

_NO_COLOUR = np.array([-999, -999, -999], dtype=np.int16)

_CHANGED = 20
"""Sum of the three channels' differences from which a pixel counts as another colour."""


def stamp_size(width: int, height: int) -> tuple[int, int]:
    """Returns the size in pixels of the stamp of a picture."""
    scale = STAMP_SIDE / max(width, height)
    return max(8, round(width * scale)), max(8, round(height * scale))


def stamp_from(frame: VideoFrame, reformatter: VideoReformatter, size: tuple[int, int]) -> Stamp:
    """Scales a frame down to `size`, width and height in pixels.

    One reformatter serves all frames, as setting one up is dear.
    """
    width, height = size
    small = reformatter.reformat(frame, width, height, "yuv444p", interpolation="AREA", threads=1)
    return cast("Stamp", small.to_ndarray().reshape(3, height, width).astype(np.int16))


def difference(before: Stamp, after: Stamp) -> float:
    """Returns the mean over the pixels of the summed channel differences."""
    return float(np.abs(after - before).sum(axis=0).mean())


def changed_share(before: Stamp, after: Stamp) -> float:
    """Returns the share of pixels, 0..1, that took another colour."""
    return float((np.abs(after - before).sum(axis=0) > _CHANGED).mean())


def replaced_share(before: Stamp, after: Stamp, radius: int) -> float:
    """Returns the share of the picture, 0..1, that motion within `radius` pixels does not explain.

    Both ways must hold: colours appear that were not near before, and colours vanish that are not
    near after. A shape that only appears or only vanishes is therefore not a replacement.
    """
    return min(_unexplained(after, before, radius), _unexplained(before, after, radius))


def _unexplained(stamp: Stamp, other: Stamp, radius: int) -> float:
    """Returns the share of pixels whose colour is not within `radius` pixels in the other stamp."""
    changed = np.abs(stamp - other).sum(axis=0) > _CHANGED
    # A large shape that vanishes uncovers ground far from any other: the colour of what stayed.
    ground = np.median(other[:, ~changed], axis=1) if not changed.all() else _NO_COLOUR
    changed &= np.abs(stamp - ground[:, None, None]).sum(axis=0) > _CHANGED
    rows, columns = np.nonzero(changed)
    colours = stamp[:, rows, columns]
    padded = np.pad(other, ((0, 0), (radius, radius), (radius, radius)), mode="edge")
    open_ = np.arange(len(rows))
    # Nearest shifts first, so that most pixels are explained early and drop out.
    for down, right in _shifts(radius):
        near = padded[:, rows[open_] + radius + down, columns[open_] + radius + right]
        open_ = open_[np.abs(near - colours[:, open_]).sum(axis=0) > _CHANGED]
        if not len(open_):
            return 0.0
    mask = np.zeros(stamp.shape[1:], dtype=np.bool_)
    mask[rows[open_], columns[open_]] = True
    return float(_solid(mask).mean())


def _shifts(radius: int) -> list[tuple[int, int]]:
    around = range(-radius, radius + 1)
    return sorted(
        ((down, right) for down in around for right in around), key=lambda s: s[0] ** 2 + s[1] ** 2
    )


def _solid(mask: Mask) -> Mask:
    """Drops lines one pixel thin: the blended edge of a moving shape has colours of its own."""
    square = mask[:-1, :-1] & mask[1:, :-1] & mask[:-1, 1:] & mask[1:, 1:]
    return np.pad(square, ((0, 1), (0, 1)))
