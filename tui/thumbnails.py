"""Thumbnails as half blocks: two pixels in a cell, drawn by any terminal that has colours."""

from collections.abc import Iterator
from dataclasses import dataclass

Pixel = tuple[int, int, int]
Cell = tuple[Pixel, Pixel]
"""The upper and the lower pixel."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Pixels out of the catalog's blob: a byte of width, one of height, then RGB rows."""

    width: int
    height: int
    pixels: bytes

    @classmethod
    def from_blob(cls, blob: bytes | None) -> "Picture | None":
        """Reads a blob. None where there is none, or where it is not whole."""
        if blob is None or len(blob) < 2 or not (blob[0] and blob[1]):
            return None
        if len(blob) != 2 + blob[0] * blob[1] * 3:
            return None
        return cls(blob[0], blob[1], blob[2:])

    def at(self, x: int, y: int) -> Pixel:
        """The pixel in a column and a row."""
        start = (y * self.width + x) * 3
        red, green, blue = self.pixels[start : start + 3]
        return red, green, blue


def fitting_size(picture: Picture, columns: int, rows: int) -> tuple[int, int]:
    """The columns and rows of cells that show a picture whole. A cell is twice as high as wide."""
    scale = min(columns / picture.width, rows * 2 / picture.height)
    return (
        max(1, min(columns, round(picture.width * scale))),
        max(1, min(rows, round(picture.height * scale / 2))),
    )


def half_blocks(picture: Picture, columns: int, rows: int) -> Iterator[list[Cell]]:
    """The rows of cells that draw a picture in so many columns and rows."""
    across = [column * picture.width // columns for column in range(columns)]
    down = [line * picture.height // (rows * 2) for line in range(rows * 2)]
    for row in range(rows):
        upper, lower = down[row * 2], down[row * 2 + 1]
        yield [(picture.at(x, upper), picture.at(x, lower)) for x in across]
