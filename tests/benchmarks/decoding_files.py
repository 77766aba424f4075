"""Makes the files of `tests.benchmarks.decoding`: real footage, enlarged, with its frame number drawn in.

A long file is a short one, whose packets are copied until it is long enough: the number of a frame is
its index modulo `UNIQUE`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

FPS = 25
UNIQUE = 500
"""Frames of a short file."""
GROUP = 250
SIZES = {"1080p": (1920, 1080), "4K": (3840, 2160)}
LENGTHS = {"10min": 600, "1h": 3600}
"""In seconds."""
_GRAIN = 3.0
"""Levels of noise, as cameras have it: enlarged footage alone is too smooth to cost what real files do."""

_ROWS = 4
_BITS = 12
_SHARE = 16
"""The mark has 4 by 4 blocks; each is this part of the picture's height."""
_DARK, _BRIGHT = 32, 224


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is encoded."""

    encoder: str
    suffix: str
    options: dict[str, str]
    group: int = GROUP


ENCODINGS = {
    "h264": Encoding(
        "libx264", ".mp4", {"preset": "veryfast", "crf": "23", "x264-params": "scenecut=0"}
    ),
    "h264g30": Encoding(
        "libx264", ".mp4", {"preset": "veryfast", "crf": "23", "x264-params": "scenecut=0"}, 30
    ),
    "hevc": Encoding(
        "libx265",
        ".mp4",
        {"preset": "ultrafast", "crf": "20", "x265-params": "scenecut=0:bframes=3:log-level=none"},
    ),
    # With hidden frames, as videos of the web have them.
    "vp9": Encoding(
        "libvpx-vp9",
        ".webm",
        {
            **{"deadline": "good", "cpu-used": "5", "crf": "30", "row-mt": "1", "threads": "2"},
            **{"auto-alt-ref": "1", "lag-in-frames": "16", "tile-columns": "2"},
        },
    ),
    "av1": Encoding("libsvtav1", ".mp4", {"preset": "9", "crf": "28"}),
}


def draw_mark(luma: npt.NDArray[np.uint8], number: int) -> None:
    """Draws a number into the top left corner of a picture's brightness, with a check of it."""
    block = luma.shape[0] // _SHARE
    word = number | _check(number) << _BITS
    for place in range(_ROWS * _ROWS):
        row, column = divmod(place, _ROWS)
        level = _BRIGHT if word >> place & 1 else _DARK
        luma[row * block : (row + 1) * block, column * block : (column + 1) * block] = level


def read_mark(picture: npt.NDArray[np.uint8]) -> int | None:
    """Reads the number out of an RGB picture of any size; None where there is none."""
    block = picture.shape[0] / _SHARE
    word = 0
    for place in range(_ROWS * _ROWS):
        row, column = ((part + 0.5) * block for part in divmod(place, _ROWS))
        reach = block / 4
        patch = picture[
            int(row - reach) : int(row + reach) + 1, int(column - reach) : int(column + reach) + 1
        ]
        word |= int(patch.mean() > (_DARK + _BRIGHT) / 2) << place
    number = word & (1 << _BITS) - 1
    return number if word >> _BITS == _check(number) else None


def _check(number: int) -> int:
    return (number ^ number >> 4 ^ number >> 8 ^ 0b1010) & 0b1111


def name_of(codec: str, size: str, length: str) -> str:
    """Returns the name of a file."""
    return f"{codec}-{size}-{length}{ENCODINGS[codec].suffix}"


def make(folder: Path, footage: Path, codec: str, size: str, length: str) -> Path:
    """Makes a file and returns its path; one that is already there is kept."""
    path = folder / name_of(codec, size, length)
    if path.exists():
        return path
    short = folder / f"{codec}-{size}-short{ENCODINGS[codec].suffix}"
    if not short.exists():
        draft = short.with_stem("draft-" + short.stem)
        _encode(draft, footage, ENCODINGS[codec], SIZES[size])
        draft.rename(short)
    draft = path.with_stem("draft-" + path.stem)
    _repeat(short, draft, LENGTHS[length] * FPS // UNIQUE)
    draft.rename(path)
    return path


def _encode(path: Path, footage: Path, encoding: Encoding, size: tuple[int, int]) -> None:
    with av.open(str(path), "w") as container:
        options = {**encoding.options, "g": str(encoding.group)}
        stream = container.add_stream(encoding.encoder, rate=FPS, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(islice(_enlarged(footage, size), UNIQUE)):
            luma = _luma(frame)
            _add_grain(luma, number)
            draw_mark(luma, number)
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            # Else the key frames of the footage stay key frames.
            frame.pict_type = PictureType.NONE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _enlarged(footage: Path, size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    """Gives the frames of the footage, over and over."""
    reformatter = VideoReformatter()
    for _ in count():
        for path in sorted(footage.glob("*-detection.mp4"), reverse=True):
            with av.open(str(path)) as container:
                for frame in container.decode(video=0):
                    yield reformatter.reformat(frame, *size, "yuv420p", interpolation="BICUBIC")


def _luma(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Returns the brightness of a frame, to be written to."""
    plane = frame.planes[0]
    whole = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[arg-type]
    return whole[:, : plane.width]


def _add_grain(luma: npt.NDArray[np.uint8], number: int) -> None:
    rng = np.random.default_rng(number)
    height, width = luma.shape
    tile = rng.normal(scale=_GRAIN, size=(height // 8, width)).round().astype(np.int8)
    for top in range(0, height, height // 8):
        part = luma[top : top + height // 8]
        grain = np.roll(tile, int(rng.integers(width)), axis=1)[: len(part)]
        # Away from the ends of the range, so that nothing wraps around.
        np.clip(part, 16, 235, out=part)
        part += grain.view(np.uint8)


def _repeat(short: Path, path: Path, times: int) -> None:
    """Copies the packets of a file again and again."""
    loop = ["ffmpeg", "-v", "error", "-stream_loop", str(times - 1), "-i", str(short)]
    subprocess.run([*loop, "-c", "copy", str(path)], check=True)
