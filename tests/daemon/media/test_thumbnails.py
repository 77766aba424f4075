"""Thumbnails fit their box and keep aspect and colour."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from daemon.media import probe, thumbnail, thumbnail_from
from daemon.media.thumbnails import PictureFormat, picture_file
from tests.clips import boxed, plain, textured, write_video

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("size", "fitted"),
    [((640, 360), (40, 22)), ((360, 640), (25, 44)), ((100, 100), (40, 40)), ((8, 4), (8, 4))],
)
def test_it_fits_the_box(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    small = thumbnail_from(plain((10, 200, 30), size))
    assert (small.width, small.height) == fitted
    assert small.rgb == bytes((10, 200, 30)) * fitted[0] * fitted[1]


def test_it_shows_the_picture_of_its_time(tmp_path: Path) -> None:
    pictures = [boxed((20, 20, 20), (220, 30, 30), 0.0, 0.0, 0.5)] * 25 + [
        plain((30, 60, 220))
    ] * 25
    path = write_video(tmp_path / "clip.mp4", pictures)
    found = probe(path)
    first, second = thumbnail(path, found, 0.5), thumbnail(path, found, 1.5)
    assert len(first.rgb) == first.width * first.height * 3
    assert first.rgb[0] > 180
    assert np.abs(np.frombuffer(second.rgb, np.uint8)[:3].astype(int) - (30, 60, 220)).max() < 15


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_file_for_exports_shows_the_same(kind: PictureFormat) -> None:
    image = textured(3, (320, 180))
    data = picture_file(image, kind)
    with Image.open(BytesIO(data)) as read:
        assert (read.format, read.size, read.mode) == (kind.upper(), (320, 180), "RGB")
        assert not read.getexif()
        shown = np.asarray(read).astype(int)
    assert np.abs(shown - image).mean() < 3
    assert len(data) < image.size / 8


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_a_file_holds_one_pixel_but_not_too_many(kind: PictureFormat) -> None:
    assert picture_file(plain((9, 200, 40), (1, 1)), kind)
    with pytest.raises(ValueError, match="65536×1 pixels"):
        picture_file(plain((0, 0, 0), (65_536, 1)), kind)
