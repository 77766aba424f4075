"""Photos come out upright, in sRGB, of bounded size; what is wrong with one is said in a sentence."""

from __future__ import annotations

import struct
import sys
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageCms

from daemon.decoder import stills
from daemon.decoder.source import Source
from daemon.media import MediaError, is_still, probe_still, still, thumbnail_from

if TYPE_CHECKING:
    from pathlib import Path

RED, GREEN, BLUE, WHITE = (220, 30, 30), (40, 180, 60), (30, 60, 220), (255, 255, 255)
ORIENTATION, TAKEN_AT, TAKEN_OFFSET, EXIF = 0x0112, 0x9003, 0x9011, 0x8769


def corners(size: tuple[int, int] = (320, 200)) -> Image.Image:
    """Returns a picture that is red at its upper left, green at its upper right, blue below."""
    picture = Image.new("RGB", size, BLUE)
    half = (size[0] // 2, size[1] // 2)
    picture.paste(RED, (0, 0, *half))
    picture.paste(GREEN, (half[0], 0, size[0], half[1]))
    return picture


def corner_colours(pixels: np.ndarray) -> list[str]:
    """Names the colours at the upper left, upper right, lower left and lower right."""
    height, width = pixels.shape[:2]
    named = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    found: list[str] = []
    for y, x in ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75)):
        pixel = pixels[int(y * height), int(x * width)].astype(int)
        distance = {name: int(np.abs(pixel - colour).sum()) for name, colour in named.items()}
        assert min(distance.values()) < 40, pixel
        found.append(min(distance, key=lambda name: distance[name]))
    return found


def test_only_photos_are_stills(tmp_path: Path) -> None:
    assert all(is_still(tmp_path / name) for name in ("a.jpg", "B.JPEG", "c.png", "d.HEIC"))
    assert not any(is_still(tmp_path / name) for name in ("a.mp4", "b.gif", "jpg", "c.txt"))


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.jpg", "jpeg"), ("a.png", "png"), ("a.webp", "webp"), ("a.avif", "av1")],
)
def test_every_format_opens(tmp_path: Path, name: str, codec: str) -> None:
    corners().save(tmp_path / name)
    facts = probe_still(tmp_path / name)
    assert (facts.width, facts.height, facts.codec) == (320, 200, codec)
    assert (facts.duration, facts.fps, facts.created_at) == (0.0, 0.0, None)
    pixels = still(tmp_path / name, long_side=None)
    assert pixels.shape == (200, 320, 3)
    assert corner_colours(pixels) == ["red", "green", "blue", "blue"]


def test_a_heic_photo_opens_where_its_package_is_installed(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif", reason="the extra `heic` is not installed")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(EXIF)[TAKEN_AT] = "2024:10:12 09:00:00"
    path = tmp_path / "a.heic"
    corners().save(path, exif=exif.tobytes())
    facts = probe_still(path)
    assert (facts.width, facts.height, facts.codec) == (200, 320, "hevc")
    assert facts.created_at == "2024-10-12T09:00:00"
    pixels = still(path, long_side=160)
    assert pixels.shape == (160, 100, 3)
    assert corner_colours(pixels) == ["blue", "red", "blue", "green"]


@pytest.mark.parametrize("name", ["a.HEIC", "a.jpg"])
def test_a_heic_photo_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / name
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with (
        Source.of(path) as source,
        pytest.raises(MediaError, match=rf"{name} is a HEIC photo.*install.*`heic`") as raised,
    ):
        stills.still(source, long_side=100)
    assert raised.value.code == "unreadable"


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, ["red", "green", "blue", "blue"]),
        (2, ["green", "red", "blue", "blue"]),
        (3, ["blue", "blue", "green", "red"]),
        (4, ["blue", "blue", "red", "green"]),
        (5, ["red", "blue", "green", "blue"]),
        (6, ["blue", "red", "blue", "green"]),
        (7, ["blue", "green", "blue", "red"]),
        (8, ["green", "blue", "red", "blue"]),
        (77, ["red", "green", "blue", "blue"]),
    ],
)
def test_a_photo_comes_out_upright(tmp_path: Path, orientation: int, expected: list[str]) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = tmp_path / "a.jpg"
    corners().save(path, exif=exif)
    pixels = still(path, long_side=160)
    assert corner_colours(pixels) == expected
    facts = probe_still(path)
    assert (facts.width, facts.height) == (2 * pixels.shape[1], 2 * pixels.shape[0])


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_the_long_side_is_bounded_and_nothing_is_enlarged(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    corners((1600, 1000)).save(path)
    assert still(path, long_side=336).shape == (210, 336, 3)
    assert still(path, long_side=5000).shape == (1000, 1600, 3)
    assert corner_colours(still(path, long_side=100)) == ["red", "green", "blue", "blue"]


@pytest.mark.parametrize(
    ("taken", "offset", "expected"),
    [
        ("2024:10:12 09:00:00", "+09:00", "2024-10-12T09:00:00+09:00"),
        ("2024:10:12 09:00:00", None, "2024-10-12T09:00:00"),
        ("2024:10:12 09:00:00", "nonsense", "2024-10-12T09:00:00"),
        ("0000:00:00 00:00:00", None, None),
        ("1970:01:01 00:00:00", None, None),
        ("yesterday", None, None),
    ],
)
def test_when_it_was_taken(
    tmp_path: Path, taken: str, offset: str | None, expected: str | None
) -> None:
    exif = Image.Exif()
    exif.get_ifd(EXIF)[TAKEN_AT] = taken
    if offset:
        exif.get_ifd(EXIF)[TAKEN_OFFSET] = offset
    corners().save(tmp_path / "a.jpg", exif=exif)
    assert probe_still(tmp_path / "a.jpg").created_at == expected


def test_what_is_transparent_stands_before_white(tmp_path: Path) -> None:
    picture = corners().convert("RGBA")
    picture.paste((0, 0, 0, 0), (160, 100, 320, 200))
    picture.save(tmp_path / "a.png")
    picture.convert("P").save(tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        pixels = still(tmp_path / name, long_side=160)
        assert corner_colours(pixels)[:3] == ["red", "green", "blue"]
    assert corner_colours(still(tmp_path / "a.png", long_side=None))[3] == "white"


@pytest.mark.parametrize("mode", ["L", "LA", "1", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(tmp_path: Path, mode: str) -> None:
    grey = Image.new("L", (64, 48), 0)
    grey.paste(255, (32, 0, 64, 48))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        picture = grey.convert(mode)
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    picture.save(path)
    pixels = still(path, long_side=None)
    assert pixels[24, 8].max() < 10
    assert pixels[24, 56].min() > 245


def test_colours_are_converted_by_the_profile_in_the_file(tmp_path: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    for name, profile in (("right.jpg", srgb.tobytes()), ("wrong.jpg", lab.tobytes())):
        corners().save(tmp_path / name, icc_profile=profile)
        pixels = still(tmp_path / name, long_side=None)
        assert corner_colours(pixels) == ["red", "green", "blue", "blue"]
    corners().save(tmp_path / "broken.jpg", icc_profile=b"no profile")
    assert corner_colours(still(tmp_path / "broken.jpg", long_side=None))[0] == "red"


def test_a_photo_cut_short_is_told_from_one_that_is_none(tmp_path: Path) -> None:
    whole = BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (300, 400, 3), np.uint8)).save(
        whole, "JPEG"
    )
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    codes = {}
    for name in ("cut.jpg", "text.jpg", "empty.jpg", "broken.png", "none.jpg"):
        with pytest.raises(MediaError, match=name) as raised:
            still(tmp_path / name, long_side=100)
        codes[name] = raised.value.code.value
        assert str(raised.value).endswith(".")
    assert codes == {
        "cut.jpg": "truncated",
        "text.jpg": "unreadable",
        "empty.jpg": "unreadable",
        "broken.png": "unreadable",
        "none.jpg": "vanished",
    }


def claims(width: int, height: int) -> bytes:
    """Returns a small PNG whose header claims any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_300, 15_000, 20_000, 100_000])
def test_a_decompression_bomb_is_not_decoded(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(claims(side, side))
    with pytest.raises(MediaError, match=r"bomb\.png has more pixels than are safe") as raised:
        still(path, long_side=336)
    assert raised.value.code == "unreadable"


def test_a_photo_of_a_good_phone_is_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("L", (12_000, 9_000), 200).save(path, quality=30)
    assert still(path, long_side=336).shape == (252, 336, 3)


def test_a_video_with_the_name_of_a_photo_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"GIF89a" + bytes(100))
    with pytest.raises(MediaError, match="does not open as a photo"):
        still(tmp_path / "a.jpg", long_side=100)


def test_a_photo_has_a_thumbnail(tmp_path: Path) -> None:
    corners().save(tmp_path / "a.jpg")
    small = thumbnail_from(still(tmp_path / "a.jpg", long_side=160))
    assert (small.width, small.height) == (40, 25)
