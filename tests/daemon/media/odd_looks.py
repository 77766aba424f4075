"""Odd files that differ in how they look: turned, stretched, interlaced, of other colours."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from tests.daemon.media.odd_files import UPRIGHT, Odd, Spot, ffmpeg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    Light = npt.NDArray[np.float64]

X264 = "-c:v libx264 -preset veryfast -qp 10"
PLAIN = f"{X264} -pix_fmt yuv444p"


def coloured(name: str, what: str, make: str, **facts: object) -> Odd:
    """A row that shows the four colours, upright."""
    return Odd(name, what, f"QUARTERS {make}", {"duration": 0.4, **facts}, corners=UPRIGHT)


# Turned.


def turned(a: int, b: int, c: int, d: int) -> Callable[[Path, Path], None]:
    """Writes a display matrix into the track header (tkhd, ISO/IEC 14496-12, 8.3.2)."""

    def make(sources: Path, path: Path) -> None:
        ffmpeg(sources, f"QUARTERS {X264} -pix_fmt yuv420p", path)
        data = bytearray(path.read_bytes())
        at = data.index(b"tkhd") + 44
        data[at : at + 36] = struct.pack(
            ">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30
        )
        path.write_bytes(data)

    return make


def turn(
    name: str, what: str, matrix: tuple[int, int, int, int], corners: str, **facts: object
) -> Odd:
    return Odd(name, what, turned(*matrix), facts, corners=tuple(corners.split()))


TURNS = [
    turn(
        "quarter.mp4",
        "phone held upright",
        (0, 1, -1, 0),
        "blue red white green",
        rotation=90,
        width=96,
        height=128,
        mirrored=False,
    ),
    turn("head.mp4", "phone upside down", (-1, 0, 0, -1), "white blue green red", rotation=180),
    turn("other.mp4", "turned to the left", (0, -1, 1, 0), "green white red blue", rotation=270),
    turn("mirror.mp4", "mirrored", (-1, 0, 0, 1), "green red white blue", mirrored=True),
    turn("flip.mp4", "upside down and mirrored", (1, 0, 0, -1), "blue white red green"),
    turn("selfie.mp4", "mirrored, held upright", (0, 1, 1, 0), "red blue green white", width=96),
    turn("turnout.mp4", "mirrored, turned left", (0, -1, -1, 0), "white green blue red", width=96),
    turn("nowhere.mp4", "a display matrix of zeros", (0, 0, 0, 0), "red green blue white"),
]

# Stretched and sized.


def changing(sources: Path, path: Path) -> None:
    """Joins a wide and a high broadcast: the picture's size changes in mid-stream."""
    wide, high = path.with_name("wide.ts"), path.with_name("high.ts")
    ffmpeg(sources, f"QUARTERS {X264} -pix_fmt yuv420p", wide)
    high_one = "-vf scale=96:128 -pix_fmt yuv420p -output_ts_offset 0.48"
    ffmpeg(sources, f"QUARTERS {X264} {high_one}", high)
    path.write_bytes(wide.read_bytes() + high.read_bytes())


SHAPES = [
    coloured("wide.mp4", "pixels four times as wide as high", f"-vf setsar=4 {PLAIN}", width=512),
    coloured("pal.mkv", "PAL, 16:9", f"-vf scale=720:576,setsar=64/45 {PLAIN}", width=1024),
    coloured(
        "absurd.mkv", "pixels 99 times as high as wide", f"-vf setsar=1/99 {PLAIN}", width=128
    ),
    coloured("odd.mp4", "33×17", f"-vf scale=33:17 {PLAIN}", width=33, height=17),
    coloured("oddest.webm", "35×19, 4:2:0", "-vf scale=35:19 -c:v libvpx-vp9 -b:v 1M", width=35),
    coloured(
        "tiny.mkv", "2×2 pixels", "-vf scale=2:2:flags=neighbor -c:v ffv1 -pix_fmt bgr0", width=2
    ),
    coloured("panorama.mp4", "8000×16", f"-vf scale=8000:16 {PLAIN}", width=8000, height=16),
    Odd(
        "changing.ts",
        "the picture's size changes in mid-stream: bars at its sides",
        changing,
        {"width": 128, "height": 96, "duration": 0.8},
        (0.1, 0.7),
        corners=UPRIGHT,
        spots=(
            (0.05, 0.5, (0, 0, 0), 9),
            (0.4, 0.3, (255, 0, 0), 12),
            (0.6, 0.7, (255, 255, 255), 9),
        ),
    ),
]

# Interlaced: one field is red and the other blue, so that a mix of both would be purple.

FIELDS = (
    "-f lavfi -i color=red:s=128x96:r=25:d=1 -f lavfi -i color=blue:s=128x96:r=25:d=1 "
    "-filter_complex [1]setpts=PTS+0.02/TB[b];[0][b]interleave,fps=50,"
)


def fields(name: str, what: str, make: str) -> Odd:
    blue = (0, 0, 254)
    spots: tuple[Spot, ...] = ((0.5, 0.5, blue, 25), (0.25, 0.26, blue, 25), (0.75, 0.8, blue, 25))
    return Odd(name, what, FIELDS + make, {"interlaced": True}, spots=spots)


INTERLACED = [
    fields(
        "fields.mp4",
        "interlaced H.264",
        f"tinterlace=interleave_top,setfield=tff {X264} -flags +ildct+ilme -pix_fmt yuv420p",
    ),
    fields(
        "fields.ts",
        "interlaced MPEG-2",
        "tinterlace=interleave_top,setfield=tff -c:v mpeg2video -flags +ildct+ilme -q:v 2",
    ),
    fields(
        "fields.mov",
        "interlaced ProRes",
        "tinterlace=interleave_top,setfield=tff -c:v prores_ks -flags +ildct+ilme",
    ),
]

# Colours.

_UNSPECIFIED = 2
"""What ITU-T H.273 calls a matrix that is not named."""

_TO_BT2020 = np.array(
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)
"""ITU-R BT.2087, table 4."""

SCENE = (
    *((0, 0, 0), (20, 20, 20), (100, 100, 100), (100, 60, 40)),
    *((80, 0, 0), (0, 0, 80), (203, 203, 203), (1000, 1000, 1000)),
)
"""Light in cd/m², in the primaries of BT.709, in stripes from left to right."""

SEEN = (
    *((0, 0, 0), (88, 88, 88), (186, 186, 186), (186, 148, 123)),
    *((168, 0, 0), (0, 0, 168), (229, 229, 229), (255, 255, 255)),
)
"""The same in sRGB, where white is at 203 cd/m²: what is darker than half of that is the same light."""


def pq(light: Light) -> Light:
    """SMPTE ST 2084, equation 5.2."""
    power = (light / 10_000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(light: Light) -> Light:
    """ARIB STD-B67 on a screen of 1000 cd/m²: the light undone of its gamma of 1.2, then the curve."""
    scene = light / 1000
    luminance = np.maximum(scene @ (0.2627, 0.6780, 0.0593), 1e-9)
    scene = scene * luminance[..., None] ** (1 / 1.2 - 1)
    dark = np.sqrt(3 * scene)
    bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.asarray(np.where(scene <= 1 / 12, dark, bright))


def high_range(curve: Callable[[Light], Light], transfer: str) -> Callable[[Path, Path], None]:
    """Encodes the scene with a curve of high dynamic range."""

    def make(sources: Path, path: Path) -> None:
        light = np.repeat(np.array(SCENE, dtype=float)[None], 32, axis=1) @ _TO_BT2020.T
        _encode_wide(sources, path, curve(light), transfer)

    return make


def wide_gamut(sources: Path, path: Path) -> None:
    """Encodes ordinary red and grey."""
    light = np.array([(1.0, 0.0, 0.0), (0.2, 0.2, 0.2)]) @ _TO_BT2020.T
    _encode_wide(sources, path, np.repeat(light ** (1 / 2.4), 64, axis=0)[None], "bt2020-10")


def _encode_wide(sources: Path, path: Path, signal: Light, transfer: str) -> None:
    """Encodes a row of colours as a picture in HEVC, 10 bits, with the primaries of BT.2020."""
    levels = np.clip(np.repeat(signal, 64, axis=0) * 65535, 0, 65535).astype("<u2")
    raw = path.with_suffix(".rgb")
    raw.write_bytes(levels.tobytes() * 10)
    tags = f"colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc:range=limited"
    ffmpeg(
        sources,
        f"-f rawvideo -pix_fmt rgb48le -s {levels.shape[1]}x64 -r 25 -i {raw} "
        "-vf scale=out_color_matrix=bt2020:out_range=tv,format=yuv444p10le -c:v libx265 -crf 4 "
        f"-preset ultrafast -x265-params {tags}:log-level=none -tag:v hvc1",
        path,
    )


def untagged(size: tuple[int, int], matrix: Colorspace) -> Callable[[Path, Path], None]:
    """Encodes green by a matrix that the file does not name."""

    def make(_: Path, path: Path) -> None:
        levels = np.empty((size[1], size[0], 3), dtype=np.uint16)
        levels[:] = (20 * 257, 200 * 257, 60 * 257)
        picture = av.VideoFrame.from_ndarray(levels, format="rgb48le").reformat(
            format="yuv420p", dst_colorspace=matrix, dst_color_range=ColorRange.MPEG
        )
        picture.colorspace = _UNSPECIFIED
        with av.open(str(path), "w") as container:
            options = {"preset": "ultrafast", "crf": "4"}
            stream = container.add_stream("libx264", rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            for number in range(10):
                picture.pts = number
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))

    return make


def stripes(colours: tuple[tuple[int, int, int], ...], within: int) -> tuple[Spot, ...]:
    return tuple(
        ((index + 0.5) / len(colours), 0.5, colour, within) for index, colour in enumerate(colours)
    )


GREEN: tuple[Spot, ...] = ((0.5, 0.5, (20, 200, 60), 5),)

COLOURS = [
    Odd(
        "hdr10.mp4",
        "HDR10: PQ in BT.2020",
        high_range(pq, "smpte2084"),
        {"hdr": "pq", "bit_depth": 10, "pixel_format": "yuv444p10le"},
        spots=stripes(SEEN, 8),
    ),
    Odd(
        "hlg.mp4",
        "HLG in BT.2020",
        high_range(hlg, "arib-std-b67"),
        {"hdr": "hlg", "bit_depth": 10},
        spots=stripes(SEEN, 8),
    ),
    Odd(
        "gamut.mp4",
        "BT.2020 without a high range",
        wide_gamut,
        {"hdr": "", "bit_depth": 10},
        spots=stripes(((255, 0, 0), (130, 130, 130)), 6),
    ),
    Odd(
        "hd.mp4",
        "high definition, no word of its matrix",
        untagged((1280, 720), Colorspace.ITU709),
        spots=GREEN,
    ),
    Odd(
        "sd.mp4",
        "small, no word of its matrix",
        untagged((640, 480), Colorspace.ITU601),
        spots=GREEN,
    ),
    coloured("ten.mp4", "10 bits", f"{X264} -pix_fmt yuv420p10le", bit_depth=10, hdr=""),
    coloured("twelve.mkv", "12 bits", "-c:v ffv1 -pix_fmt yuv422p12le", bit_depth=12),
    coloured(
        "full.mov", "full range", "-c:v mjpeg -pix_fmt yuvj420p -q:v 2", pixel_format="yuvj420p"
    ),
    coloured("rgb.mp4", "H.264 in RGB", "-c:v libx264rgb -qp 0", pixel_format="gbrp"),
    coloured("444.mp4", "4:4:4", PLAIN, pixel_format="yuv444p"),
    Odd(
        "grey.mkv",
        "only grey",
        "QUARTERS -c:v ffv1 -pix_fmt gray",
        {"pixel_format": "gray"},
        corners=("grey", "grey", "black", "white"),
    ),
    Odd(
        "alpha.mov",
        "ProRes 4444, right half transparent",
        "-f lavfi -i color=white:s=128x96:d=0.4,format=yuva444p10le,geq=lum=p(X\\,Y):"
        "cb=p(X\\,Y):cr=p(X\\,Y):a=if(lt(X\\,64)\\,1023\\,0) -c:v prores_ks -profile:v 4444",
        {"codec": "prores"},
        corners=("white", "grey", "white", "grey"),
    ),
    Odd(
        "alpha.gif",
        "GIF, right half transparent",
        "-f lavfi -i color=red:s=128x96:d=0.4 -filter_complex format=rgba,geq=r=255:g=0:b=0:"
        "a=if(lt(X\\,64)\\,255\\,0),split[a][b];[a]palettegen[p];[b][p]paletteuse -c:v gif",
        {"codec": "gif"},
        corners=("red", "grey", "red", "grey"),
    ),
    Odd(
        "alpha.webm",
        "VP9 with transparency, which is not seen",
        "-f lavfi -i color=red:s=128x96:d=0.4,format=yuva420p,geq=lum=p(X\\,Y):"
        "cb=p(X\\,Y):cr=p(X\\,Y):a=if(lt(X\\,64)\\,255\\,0) -c:v libvpx-vp9 -b:v 1M",
        {"codec": "vp9"},
        corners=("red", "red", "red", "red"),
    ),
]
