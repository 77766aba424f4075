"""Makes tiny video files for tests: numbered, turned, cut, uneven and broken ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

_BITS = 12
_BLOCK = 16


def plain(colour: Sequence[int], size: tuple[int, int] = (128, 96)) -> Picture:
    """Returns a picture of one RGB colour; `size` is width and height in pixels."""
    picture = np.empty((size[1], size[0], 3), dtype=np.uint8)
    picture[:] = colour
    return picture


def boxed(
    ground: Sequence[int],
    colour: Sequence[int],
    left: float,
    top: float,
    side: float,
    size: tuple[int, int] = (128, 96),
) -> Picture:
    """Returns a square on a plain ground; place and side are shares of the picture's height."""
    picture = plain(ground, size)
    x, y, length = (round(share * size[1]) for share in (left, top, side))
    picture[max(0, y) : max(0, y + length), max(0, x) : max(0, x + length)] = colour
    return picture


def textured(seed: int, size: tuple[int, int] = (128, 96)) -> Picture:
    """Returns a picture of smooth random colours, like an unfocused photograph."""
    coarse = np.random.default_rng(seed).integers(20, 236, size=(6, 8, 3))
    rows = np.linspace(0, 4.999, size[1])[:, None]
    columns = np.linspace(0, 6.999, size[0])[None, :]
    y, x = rows.astype(int), columns.astype(int)
    fy, fx = (rows - y)[..., None], (columns - x)[..., None]
    top = coarse[y, x] * (1 - fx) + coarse[y, x + 1] * fx
    bottom = coarse[y + 1, x] * (1 - fx) + coarse[y + 1, x + 1] * fx
    return (top * (1 - fy) + bottom * fy).astype(np.uint8)


def numbered(number: int) -> Picture:
    """Returns a 64 by 48 picture that carries its number as 12 black and white blocks."""
    bits = [(number >> bit) & 1 for bit in range(_BITS)]
    grid = np.array(bits, dtype=np.uint8).reshape(3, 4) * 255
    return np.repeat(np.kron(grid, np.ones((_BLOCK, _BLOCK), np.uint8))[..., None], 3, axis=2)


def number_of(picture: Picture) -> int:
    """Reads the number that `numbered` drew, at any scale."""
    height, width = picture.shape[:2]
    rows = [round((row + 0.5) * height / 3) for row in range(3)]
    columns = [round((column + 0.5) * width / 4) for column in range(4)]
    bits = [int(picture[row, column].mean() > 127) for row in rows for column in columns]
    return sum(bit << index for index, bit in enumerate(bits))


def write_video(
    path: Path,
    pictures: Iterable[Picture],
    *,
    fps: Fraction | int = 25,
    stamps: Sequence[int] | None = None,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    metadata: dict[str, str] | None = None,
    sound: bool = False,
) -> Path:
    """Encodes pictures; `stamps` are milliseconds, `rotation` is in degrees clockwise."""
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=fps, options=options or {"preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        tick = Fraction(1, 1000) if stamps else 1 / Fraction(fps)
        stream.codec_context.time_base = tick
        if rotation:
            stream.set_display_rotation(-rotation)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        voice = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        for index, picture in enumerate(pictures):
            if index == 0:
                stream.width, stream.height = picture.shape[1], picture.shape[0]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.time_base = tick
            frame.pts = stamps[index] if stamps else index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            _add_silence(container, voice)
    return path


def write_numbered(path: Path, count: int, **how: object) -> Path:
    """Encodes `count` numbered pictures; see `write_video` for the rest."""
    return write_video(path, (numbered(number) for number in range(count)), **how)  # type: ignore[arg-type]


def write_sound(path: Path, *, cover: bool = False) -> Path:
    """Writes a second of silence, with a cover picture if asked."""
    with av.open(str(path), "w") as container:
        voice = container.add_stream("libmp3lame" if path.suffix == ".mp3" else "aac", rate=16000)
        voice.layout = "mono"
        picture = container.add_stream("mjpeg", rate=1) if cover else None
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
            frame = av.VideoFrame.from_ndarray(numbered(5), format="rgb24")
            container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
        _add_silence(container, voice)
    return path


def _add_silence(container: av.container.OutputContainer, voice: av.AudioStream) -> None:
    for start in range(0, 16000, 1000):
        samples = np.zeros((1, 1000), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, start
        container.mux(voice.encode(frame))
    container.mux(voice.encode(None))


def cut_off(source: Path, target: Path, share: float) -> Path:
    """Copies the first `share` (0..1) of a file, as an interrupted copy does."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def moving_box(
    ground: Sequence[int], colour: Sequence[int], frames: int, side: float = 0.3
) -> list[Picture]:
    """Returns a square that crosses the picture from left to right."""
    return [boxed(ground, colour, 1.0 * i / frames, 0.35, side) for i in range(frames)]


def numbers(pictures: npt.NDArray[np.uint8]) -> list[int]:
    """Reads the numbers of several pictures."""
    return [number_of(picture) for picture in pictures]
