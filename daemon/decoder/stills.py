"""Opens photos without trusting them: of listed formats, of bounded size; upright, in sRGB."""

from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from catalog.errors import ErrorCode
from daemon.decoder.facts import MAX_PIXELS, Probe
from daemon.decoder.source import MediaError, Source, failure, out_of_memory, truncated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from daemon.decoder.facts import Picture

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
"""The readers of Pillow that may open a file."""

_CODECS = {"MPO": "jpeg", "HEIF": "hevc", "AVIF": "av1"}
"""Codec names where they are not that of the format; MPO is how phones call a JPEG with a second one."""

_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""Brands of HEIF files with HEVC pictures, ISO/IEC 23008-12; phones also name such files `.jpg`."""

_MAX_DECLARED = 256_000_000
"""Pixels of a JPEG, which is decoded at an eighth of its size if need be; phones make 200 million."""

# Pillow refuses twice as many as this, and the warning below that is nobody's to read.
Image.MAX_IMAGE_PIXELS = _MAX_DECLARED // 2
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_ORIENTATION, _TAKEN_AT, _TAKEN_OFFSET, _EXIF = 0x0112, 0x9003, 0x9011, 0x8769
"""Tags of EXIF 2.32."""

_CLOCKWISE = {3: 180, 5: 90, 6: 90, 7: 270, 8: 270}
"""Degrees by which a picture of that orientation is turned, before it is mirrored or not."""

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture of that orientation upright; Pillow turns against the clock."""

_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error, zlib.error)
"""What Pillow raises over a file whose content is not what it should be."""


def probe_still(source: Source) -> Probe:
    """Reads what a photo is; its duration and frame rate are 0.

    Raises `MediaError`: unreadable, vanished.
    """
    with _opened(source) as image:
        exif = image.getexif()
        rotation = _CLOCKWISE.get(exif.get(_ORIENTATION, 1), 0)
        width, height = image.size
        if rotation in (90, 270):
            width, height = height, width
        name = image.format or ""
        return Probe(
            duration=0.0,
            width=width,
            height=height,
            rotation=rotation,
            fps=0.0,
            variable_fps=False,
            codec=_CODECS.get(name, name.lower()),
            frame_count=1,
            start_time=0.0,
            has_audio=False,
            created_at=_taken_at(exif),
        )


def still(source: Source, *, long_side: int | None) -> Picture:
    """Returns a photo, upright, in RGB (sRGB), shape (height, width, 3).

    `long_side` bounds the larger side in pixels; the aspect is kept and nothing is enlarged.

    Raises `MediaError`: unreadable, truncated, vanished, out_of_memory.
    """
    with _opened(source) as image:
        scale = min(1.0, long_side / max(image.size)) if long_side else 1.0
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image.draft(None, size)  # a JPEG decodes at 1/2, 1/4 or 1/8 of its size for less
        if image.width * image.height > MAX_PIXELS:
            raise _too_large(source.path)
        image.load()
        profile = image.info.get("icc_profile")
        small = _eight_bits(image).resize(size, Image.Resampling.BICUBIC)
        picture = _in_srgb(_flat(small), profile)
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
        return np.array(picture if turn is None else picture.transpose(turn), dtype=np.uint8)


@contextmanager
def _opened(source: Source) -> Iterator[Image.Image]:
    """Opens a photo; its pixels have not been decoded yet."""
    path = source.path
    heic = _is_heic(source)
    if heic and not _reads_heic():
        raise failure(
            ErrorCode.UNREADABLE,
            path,
            "is a HEIC photo, and the package that reads these is not installed",
            "install haeseol with its extra `heic`, or the package pillow-heif beside it",
        )
    try:
        with (
            source.reader() as file,
            Image.open(file, formats=("HEIF",) if heic else _FORMATS) as image,
        ):
            if image.width * image.height > _MAX_DECLARED:
                raise _too_large(path)
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(path) from error
    except UnidentifiedImageError as error:
        raise _no_photo(path) from error
    except MemoryError as error:
        raise out_of_memory(path) from error
    except PermissionError:
        raise  # refused by the sandbox, and so no word on the photo
    except _DAMAGED as error:
        if "truncated" in str(error):
            raise truncated(path) from error
        raise _no_photo(path) from error


def _is_heic(source: Source) -> bool:
    try:
        with source.reader() as file:
            head = file.read(12)
    except OSError:
        return False  # opening it tells why
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC


def _reads_heic() -> bool:
    """Makes Pillow read HEIC, where the package for it is installed."""
    try:
        import pillow_heif  # the extra `heic`: its decoder is under the LGPL, and large
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _taken_at(exif: Image.Exif) -> str | None:
    """Returns when a photo was taken, ISO 8601, with the zone where the camera wrote it."""
    tags = exif.get_ifd(_EXIF)
    offset = str(tags.get(_TAKEN_OFFSET, "")).strip("\0 ")
    for zone in (offset, ""):
        try:
            moment = datetime.strptime(
                str(tags.get(_TAKEN_AT, "")).strip("\0 ") + zone,
                "%Y:%m:%d %H:%M:%S" + ("%z" if zone else ""),
            )
        except ValueError:
            continue
        # Cameras without a set clock write the zero of their epoch.
        return moment.isoformat() if moment.year > 1970 else None
    return None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Brings a picture into a mode that scales smoothly, 8 bits a channel."""
    if image.mode.startswith("I"):
        levels = np.asarray(image).astype(np.int64) >> 8
        return Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA") if image.mode in ("P", "PA") else image


def _flat(image: Image.Image) -> Image.Image:
    """Puts what is transparent before white, as on paper."""
    if image.mode not in ("RGBA", "LA"):
        return image
    seen = image.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Converts colours by the profile in the file; one that does not fit is passed over."""
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, own, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def _too_large(path: Path) -> MediaError:
    return failure(
        ErrorCode.UNREADABLE, path, "has more pixels than are safe to decode", "make it smaller"
    )


def _no_photo(path: Path) -> MediaError:
    return failure(
        ErrorCode.UNREADABLE,
        path,
        "does not open as a photo",
        "check that it shows in a viewer, save it as JPEG, or delete it",
    )
