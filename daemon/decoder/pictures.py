"""From a decoded frame to the picture that a person would see: upright, in sRGB, of the wanted size.

Quarter turns and mirroring follow the display matrix (ISO/IEC 14496-12, 8.3.2). Of an interlaced
frame one field is taken, so that nothing is combed. PQ and HLG are tone-mapped. What is transparent
lies before mid grey, on which white and black drawings both show; that of VP8 and VP9 is not seen, as
libav's own decoders drop it and PyAV lets no stream have another one. Dolby Vision without a layer
that other players read (profile 5) keeps its odd colours.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorTrc, Interpolation, VideoReformatter

from daemon.decoder.colours import USUAL_PEAK, is_high_range, is_wide, narrowed, tone_mapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    from av.buffer import Buffer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from daemon.decoder.colours import Deep
    from daemon.decoder.facts import Picture

    _Pixels = npt.NDArray[Any]

_BEHIND = 128
"""The grey behind what is transparent."""

_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""The short cuts that this leaves out save a third of a millisecond, and cost up to 3 levels of 255."""

_SANE_ASPECT = (Fraction(1, 8), Fraction(8))

_TURNS = {
    # (turned on its side, x runs on, y runs on): (degrees clockwise, mirrored before that)
    (False, True, True): (0, False),
    (True, False, True): (90, False),
    (False, False, False): (180, False),
    (True, True, False): (270, False),
    (False, False, True): (0, True),
    (True, False, False): (90, True),
    (False, True, False): (180, True),
    (True, True, True): (270, True),
}

_MATRIX = struct.Struct("=9i")
"""Of the display matrix: a b u, c d v, x y w, where x' = a·x + c·y and y' = b·x + d·y."""

_MASTERING = struct.Struct("=72x2i8x")
"""Of libav's AVMasteringDisplayMetadata: the brightest light of the screen, a fraction of cd/m²."""

_LIGHT_LEVEL = struct.Struct("=I4x")
"""Of libav's AVContentLightMetadata: MaxCLL, the light of the brightest pixel in cd/m²."""


class Developer:
    """Turns the frames of one video into pictures of one size; for one thread at a time."""

    def __init__(
        self, size: tuple[int, int], rotation: int, mirrored: bool, aspect: Fraction
    ) -> None:
        """Takes width and height in pixels, before the picture is turned, and a pixel's aspect."""
        self._size = size
        self._rotation, self._mirrored, self._aspect = rotation, mirrored, aspect
        # One for all, on this thread: setting one up, and sharing its work out, cost more than its use.
        self._scaler = VideoReformatter()
        self._fields: dict[tuple[str, int, int], Graph] = {}

    def picture(self, frame: VideoFrame) -> Picture:
        """Returns the picture of a frame: RGB, shape (height, width, 3)."""
        inner = _fitted(self._size, (frame.width * self._aspect, frame.height))
        flat = self._scaled(self._one_field(frame), inner)
        if inner != self._size:
            flat = _framed(flat, self._size)
        if self._mirrored:
            flat = flat[:, ::-1]
        return np.ascontiguousarray(np.rot90(flat, -self._rotation // 90), dtype=np.uint8)

    def _scaled(self, frame: VideoFrame, size: tuple[int, int]) -> Picture:
        transfer, primaries = frame.color_trc, frame.color_primaries
        if is_high_range(transfer):
            return tone_mapped(self._deep(frame, size), transfer, primaries, _peak_of(frame))
        if any(component.is_alpha for component in frame.format.components):
            return _before_grey(self._reformatted(frame, size, "rgba"))
        if is_wide(primaries):
            return narrowed(self._deep(frame, size), primaries)
        return np.asarray(self._reformatted(frame, size, "rgb24"), dtype=np.uint8)

    def _deep(self, frame: VideoFrame, size: tuple[int, int]) -> Deep:
        return np.asarray(self._reformatted(frame, size, "rgb48le"), dtype=np.uint16)

    def _reformatted(self, frame: VideoFrame, size: tuple[int, int], name: str) -> _Pixels:
        return self._scaler.reformat(
            frame, *size, name, interpolation=_EXACT, threads=1
        ).to_ndarray()

    def _one_field(self, frame: VideoFrame) -> VideoFrame:
        """Returns the even lines of an interlaced frame; they are not copied."""
        if not frame.interlaced_frame or frame.height < 2:
            return frame
        kind = (frame.format.name, frame.width, frame.height)
        if kind not in self._fields:
            self._fields[kind] = _field_taker(frame)
        self._fields[kind].vpush(frame)
        return self._fields[kind].vpull()


def turn_of(frame: VideoFrame) -> tuple[int, bool]:
    """Returns the degrees clockwise that turn a frame upright, and whether it is mirrored before."""
    try:
        a, b, _, c, d, *_ = _MATRIX.unpack(side_data(frame, SideData.DISPLAYMATRIX))
    except struct.error:
        # What is known without its bytes counts against the clock, and of mirroring nothing.
        return round(-frame.rotation / 90) % 4 * 90, False
    lying = abs(b) + abs(c) > abs(a) + abs(d)
    across, down = (c, b) if lying else (a, d)
    return _TURNS[lying, across >= 0, down >= 0]


def pixel_aspect(stream: VideoStream) -> Fraction:
    """Returns how many times as wide as high a pixel is shown."""
    aspect = stream.sample_aspect_ratio or Fraction(1)
    return aspect if _SANE_ASPECT[0] <= aspect <= _SANE_ASPECT[1] else Fraction(1)


def high_range_of(frame: VideoFrame) -> str:
    """Returns `pq`, `hlg`, `dolby vision`, or nothing for an ordinary picture."""
    if side_data(frame, SideData.DOVI_METADATA) or side_data(frame, SideData.DOVI_RPU_BUFFER):
        return "dolby vision"
    names = {int(ColorTrc.SMPTE2084): "pq", int(ColorTrc.ARIB_STD_B67): "hlg"}
    return names.get(frame.color_trc, "")


def side_data(frame: VideoFrame, kind: SideData) -> bytes:
    """Returns what comes with a frame beside its pixels; empty if there is nothing of that kind."""
    try:
        found = cast("Mapping[SideData, Buffer]", frame.side_data).get(kind)
    except ValueError:
        return b""  # one of a kind that PyAV does not know hides all of them
    return b"" if found is None else bytes(found)


def _peak_of(frame: VideoFrame) -> float:
    """Returns the light of the brightest highlight in cd/m², as the file declares it."""
    with suppress(struct.error):
        (brightest,) = _LIGHT_LEVEL.unpack(side_data(frame, SideData.CONTENT_LIGHT_LEVEL))
        if brightest:
            return float(brightest)
    with suppress(struct.error):
        numerator, denominator = _MASTERING.unpack(
            side_data(frame, SideData.MASTERING_DISPLAY_METADATA)
        )
        if numerator > 0 and denominator > 0:
            return float(numerator / denominator)
    return USUAL_PEAK


def _fitted(size: tuple[int, int], shape: tuple[Fraction, int]) -> tuple[int, int]:
    """Returns how large a picture of that shape is within `size`; a changed one leaves bars."""
    scale = min(size[0] / shape[0], Fraction(size[1], shape[1]))
    width, height = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    # What rounding has taken off leaves none.
    near = size[0] - width <= 1 + size[0] // 100 and size[1] - height <= 1 + size[1] // 100
    return size if near else (width, height)


def _framed(picture: Picture, size: tuple[int, int]) -> Picture:
    framed = np.zeros((size[1], size[0], 3), dtype=np.uint8)
    height, width = picture.shape[:2]
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    framed[top : top + height, left : left + width] = picture
    return framed


def _before_grey(picture: _Pixels) -> Picture:
    """Puts an RGBA picture before grey."""
    alpha = picture[..., 3:].astype(np.uint16)
    mixed = picture[..., :3] * alpha + _BEHIND * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _field_taker(frame: VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    graph.link_nodes(
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base or Fraction(1, 90_000),
        ),
        graph.add("field", "type=top"),
        graph.add("buffersink"),
    ).configure()
    return graph
