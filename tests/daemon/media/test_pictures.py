"""A decoded frame becomes the picture that a person would see."""

from __future__ import annotations

import struct
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from daemon.decoder import colours
from daemon.decoder.colours import PQ_PEAK, WHITE, pq_light, pq_signal, tone_mapped
from daemon.decoder.container import settle_colours
from daemon.decoder.pictures import Developer
from daemon.media import probe, sample_frames

if TYPE_CHECKING:
    from pathlib import Path

    from daemon.decoder.facts import Picture

WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Shares of red and blue in luma by ITU-T H.273, table 4."""

PIXELS = """
    yuv420p yuvj420p yuv422p10le yuv444p12le gbrp gbrp10le rgb24 bgra rgba64le gray gray10le pal8
    yuva420p yuva444p10le nv12 p010le monob ya8 rgb555le yuyv422 yuv411p gbrap uyvy422 rgb8
    """.split()


def plain(name: str, levels: tuple[int, ...], size: tuple[int, int] = (64, 48)) -> av.VideoFrame:
    """Returns a frame of 8 bits whose planes have one value each."""
    frame = av.VideoFrame(*size, name)
    for plane, level in zip(frame.planes, levels, strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame


def developed(frame: av.VideoFrame, size: tuple[int, int] = (32, 24)) -> Picture:
    settle_colours(frame)
    return Developer(size, 0, False, Fraction(1)).picture(frame)


@pytest.mark.parametrize(("matrix", "full"), [*product(WEIGHTS, (False, True))])
def test_matrix_and_range_are_the_frame_s_own(matrix: int, full: bool) -> None:
    red, green, blue = 200 / 255, 60 / 255, 120 / 255
    of_red, of_blue = WEIGHTS[matrix]
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    chromas = (blue - luma) / 2 / (1 - of_blue), (red - luma) / 2 / (1 - of_red)
    low, span, reach = (0, 255, 255) if full else (16, 219, 224)
    levels = (round(low + span * luma), *(round(128 + reach * chroma) for chroma in chromas))
    frame = plain("yuv420p", levels)
    frame.colorspace = matrix
    frame.color_range = ColorRange.JPEG if full else ColorRange.MPEG
    assert np.abs(developed(frame).astype(int) - (200, 60, 120)).max() <= 2


def test_any_colour_tags_and_pixels_give_a_picture() -> None:
    tags = product((0, 2, 3, 8, 10, 14, 255), (1, 2, 9, 12, 200), (2, 16, 18, 77), (0, 2, 3, 9))
    for name, (matrix, primaries, transfer, levels) in product(PIXELS, [*tags][::7]):
        frame = av.VideoFrame(16, 12, name)
        frame.colorspace, frame.color_primaries = matrix, primaries
        frame.color_trc, frame.color_range = transfer, levels
        assert developed(frame, (8, 6)).shape == (6, 8, 3)


def test_what_is_half_transparent_lies_before_grey() -> None:
    levels = np.empty((48, 64, 4), dtype=np.uint8)
    levels[:] = (255, 255, 255, 128)
    picture = developed(av.VideoFrame.from_ndarray(levels, format="rgba"))
    assert np.abs(picture.astype(int) - 192).max() <= 1


@pytest.mark.parametrize("nits", [0.0, 0.01, 1.0, 100.0, 203.0, 1000.0, 10_000.0])
def test_pq_goes_both_ways(nits: float) -> None:
    assert pq_light(pq_signal(np.array(nits))) == pytest.approx(nits, rel=1e-6, abs=1e-6)


def test_pq_is_that_of_the_standard() -> None:
    # ITU-R BT.2408, table 1: where a grey card and white lie in PQ.
    assert pq_signal(np.array([26.0, WHITE])) == pytest.approx([0.38, 0.58], abs=0.005)


@pytest.mark.parametrize("peak", [1.0, 400.0, 1000.0, 4000.0, PQ_PEAK, 1e9])
def test_tones_rise_and_end_in_white(peak: float) -> None:
    nits = np.concatenate([np.linspace(0, 300, 100), np.geomspace(301, 10_000, 60)])
    signal = np.round(pq_signal(nits) * 65535).astype(np.uint16)
    picture = np.repeat(signal[None, :, None], 3, axis=2)
    seen = tone_mapped(picture, ColorTrc.SMPTE2084, ColorPrimaries.BT2020, peak)
    assert seen.dtype == np.uint8
    assert (np.ptp(seen[0].astype(int), axis=1) <= 1).all()
    tones = seen[0, :, 1].astype(int)
    assert (np.diff(tones) >= 0).all()
    assert (tones[0], tones[-1]) == (0, 255)
    # Ordinary light does not suffer much for the sake of highlights.
    assert 100 < tones[int(np.searchsorted(nits, 50))] < 145


def test_a_dark_picture_is_not_darkened_for_a_highlight_it_has_not() -> None:
    signal = np.full((4, 4, 3), round(float(pq_signal(np.array(WHITE))) * 65535), dtype=np.uint16)
    seen = tone_mapped(signal, ColorTrc.SMPTE2084, ColorPrimaries.BT2020, PQ_PEAK)
    assert seen.min() >= 253


def test_a_large_picture_is_converted_like_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.random.default_rng(1).integers(0, 60_000, size=(50, 40, 3)).astype(np.uint16)
    for transfer in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67):
        whole = tone_mapped(picture, transfer, ColorPrimaries.BT2020, 1000.0)
        with monkeypatch.context() as patched:
            patched.setattr(colours, "_BAND", 3 * 40)
            banded = tone_mapped(picture, transfer, ColorPrimaries.BT2020, 1000.0)
        assert np.array_equal(whole, banded)


@pytest.mark.parametrize(("declared", "tone"), [("cll=4000,400", 211), ("cll=0,0", 229), ("", 229)])
def test_the_peak_is_that_which_the_file_declares(tmp_path: Path, declared: str, tone: int) -> None:
    # White of 203 cd/m² beside a highlight of 4000: the curve bends the more, the higher the peak.
    path = tmp_path / "hdr.mp4"
    light = np.full((64, 64, 3), 203.0)
    light[:, 32:] = 4000.0
    levels = np.round(pq_signal(light) * 65535).astype(np.uint16)
    _write_pq(path, levels, declared)
    found = probe(path)
    assert found.hdr == "pq"
    image = sample_frames(path, found, [0.0], long_side=None).images[0]
    assert abs(int(image[32, 8, 1]) - tone) <= 4
    assert image[32, 56].min() >= 250


def test_the_screen_it_was_made_on_tells_the_peak_too(tmp_path: Path) -> None:
    path = tmp_path / "hdr.mp4"
    light = np.full((64, 64, 3), 203.0)
    light[:, 32:] = 4000.0
    screen = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)"
    levels = np.round(pq_signal(light) * 65535).astype(np.uint16)
    _write_pq(path, levels, f"mastering-display={screen}")
    image = sample_frames(path, probe(path), [0.0], long_side=None).images[0]
    assert abs(int(image[32, 8, 1]) - 211) <= 4


def _write_pq(path: Path, levels: np.ndarray, declared: str) -> None:
    picture = av.VideoFrame.from_ndarray(levels, format="rgb48le").reformat(
        format="yuv444p10le", dst_colorspace=Colorspace.BT2020, dst_color_range=ColorRange.MPEG
    )
    with av.open(str(path), "w") as container:
        options = {"preset": "ultrafast", "crf": "4", "x264-params": declared}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv444p10le"
        stream.codec_context.color_primaries = ColorPrimaries.BT2020
        stream.codec_context.color_trc = ColorTrc.SMPTE2084
        stream.codec_context.colorspace = Colorspace.BT2020
        picture.pts = 0
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def test_libav_s_records_are_as_long_as_is_believed() -> None:
    # Three primaries and the white point, two numbers each, then darkest and brightest, all fractions.
    assert struct.calcsize("=2i") * (3 * 2 + 2 + 2) + struct.calcsize("=2i") == 88
