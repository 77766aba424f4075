"""Brings pictures of high dynamic range and wide gamut to sRGB, so that a person recognises them.

Sources: SMPTE ST 2084 (PQ), ARIB STD-B67 and ITU-R BT.2100 (HLG), ITU-R BT.2390 (the tone curve),
ITU-R BT.2408 (where white lies), ITU-R BT.2087 (gamuts), IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorPrimaries, ColorTrc

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.decoder.facts import Picture

Deep = npt.NDArray[np.uint16]
"""RGB in 16 bits, shape (height, width, 3), full range."""

_Floats = npt.NDArray[np.float32]

WHITE = 203.0
"""Candela per square metre of a white sheet in a picture of high range, BT.2408: white in sRGB."""

USUAL_PEAK = 1000.0
"""Candela per square metre of the brightest highlight, where a file does not say; that of HLG."""

PQ_PEAK = 10_000.0

_LEVELS = 65_536
_BAND = 1 << 20
"""Pixels converted at once, so that a large picture takes little memory."""

_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
"""Of the primaries of BT.2020."""

_TO_BT709 = {
    int(ColorPrimaries.BT2020): np.array(
        [
            [1.660491, -0.587641, -0.072850],
            [-0.124550, 1.132900, -0.008349],
            [-0.018151, -0.100579, 1.118730],
        ],
        dtype=np.float32,
    ),
    # P3 with the white of D65, as phones and Apple's screens have it: SMPTE EG 432-1.
    int(ColorPrimaries.SMPTE432): np.array(
        [
            [1.224940, -0.224940, 0.0],
            [-0.042057, 1.042057, 0.0],
            [-0.019638, -0.078636, 1.098274],
        ],
        dtype=np.float32,
    ),
}
"""Linear light of wider primaries to those of BT.709, which are sRGB's."""

_VIDEO_GAMMA = 2.4
"""How a screen turns an ordinary signal to light: ITU-R BT.1886."""


def is_high_range(transfer: int) -> bool:
    """Says whether a transfer characteristic (ITU-T H.273) is PQ or HLG."""
    return transfer in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)


def is_wide(primaries: int) -> bool:
    """Says whether colour primaries (ITU-T H.273) are wider than those of sRGB and known here."""
    return primaries in _TO_BT709


def tone_mapped(picture: Deep, transfer: int, primaries: int, peak: float) -> Picture:
    """Returns a picture in PQ or HLG as sRGB; what is darker than half of white keeps its light.

    `peak` is the light of the brightest highlight in cd/m². As players do, a picture that stays
    below is compressed only as far as its own brightest pixel needs.
    """
    matrix = _TO_BT709.get(primaries, _TO_BT709[int(ColorPrimaries.BT2020)])
    hlg = transfer == ColorTrc.ARIB_STD_B67
    table = _hlg_table() if hlg else _pq_table()
    own = float(table[int(picture.max())])
    own = USUAL_PEAK * own**1.2 if hlg else own
    knots, gains = _curve(min(max(peak, WHITE), PQ_PEAK, max(own, WHITE)))

    def light(band: Deep) -> _Floats:
        linear = _hlg_light(table[band]) if hlg else table[band]
        gain = np.interp(linear.max(axis=-1), knots, gains).astype(np.float32)
        within: _Floats = linear * (gain / np.float32(WHITE))[..., None]
        return within

    return _in_bands(picture, lambda band: _srgb(_narrowed(light(band), matrix)))


def narrowed(picture: Deep, primaries: int) -> Picture:
    """Returns an ordinary picture of wide primaries with those of sRGB; greys stay as they are."""
    matrix = _TO_BT709[primaries]
    table = _gamma_table()

    def signal(band: Deep) -> _Floats:
        return np.power(_narrowed(table[band], matrix), np.float32(1 / _VIDEO_GAMMA))

    return _in_bands(picture, signal)


def _in_bands(picture: Deep, convert: Callable[[Deep], _Floats]) -> Picture:
    result = np.empty(picture.shape, dtype=np.uint8)
    rows = max(1, _BAND // picture.shape[1])
    for top in range(0, picture.shape[0], rows):
        signal = convert(picture[top : top + rows])
        result[top : top + rows] = np.rint(np.clip(signal, 0.0, 1.0) * 255.0)
    return result


def _curve(peak: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns light in cd/m² and by what to multiply it, so that `peak` comes out at white.

    The curve of BT.2390, 5.4.1, on the PQ scale: straight up to a knee, then a spline to white.
    """
    top = float(pq_signal(np.array(peak)))
    white = float(pq_signal(np.array(WHITE))) / top
    knee = 1.5 * white - 0.5
    signal = np.linspace(0.0, 1.0, 1025)
    t = np.maximum(signal - knee, 0.0) / max(1.0 - knee, 1e-6)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * white
    )
    mapped = np.where(signal < knee, signal, spline)
    before, after = pq_light(signal * top), pq_light(mapped * top)
    gains = np.divide(after, before, out=np.ones_like(after), where=before > 0)
    # Brighter than the peak is as bright as the peak.
    return np.append(before, PQ_PEAK * 2), np.append(gains, WHITE / (PQ_PEAK * 2))


def _narrowed(linear: _Floats, matrix: _Floats) -> _Floats:
    """Changes primaries; a colour outside of the new ones fades towards its grey until it fits."""
    colours = linear @ matrix.T
    lowest = colours.min(axis=-1, keepdims=True)
    grey = np.maximum(linear @ _LUMINANCE, 0.0)[..., None]
    share = grey / np.maximum(grey - lowest, np.float32(1e-9))
    faded: _Floats = np.where(lowest < 0, grey + (colours - grey) * share, colours)
    return np.maximum(faded, 0.0)


def _srgb(linear: _Floats) -> _Floats:
    bounded = np.clip(linear, 0.0, 1.0)
    curve = 1.055 * np.power(bounded, np.float32(1 / 2.4)) - 0.055
    return np.where(bounded <= 0.0031308, 12.92 * bounded, curve).astype(np.float32)


def _hlg_light(scene: _Floats) -> _Floats:
    """Returns the light of a screen of 1000 cd/m² in cd/m²: BT.2100, table 5, with gamma 1.2."""
    luminance = np.maximum(scene @ _LUMINANCE, np.float32(1e-9))
    gain: _Floats = np.float32(USUAL_PEAK) * np.power(luminance, np.float32(0.2))
    return scene * gain[..., None]


def pq_light(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns the light in cd/m² of a PQ signal, 0..1: ST 2084, equation 4.1."""
    m1, m2, c1, c2, c3 = _PQ
    root = np.power(np.maximum(signal, 0.0), 1 / m2)
    light = np.power(np.maximum(root - c1, 0.0) / (c2 - c3 * root), 1 / m1)
    return np.asarray(PQ_PEAK * light, dtype=np.float64)


def pq_signal(light: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns the PQ signal, 0..1, of light in cd/m²: ST 2084, equation 5.2."""
    m1, m2, c1, c2, c3 = _PQ
    power = np.power(np.maximum(light, 0.0) / PQ_PEAK, m1)
    return np.asarray(np.power((c1 + c2 * power) / (1 + c3 * power), m2), dtype=np.float64)


_PQ = (2610 / 16384, 2523 / 4096 * 128, 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32)


@cache
def _pq_table() -> _Floats:
    return pq_light(np.linspace(0.0, 1.0, _LEVELS)).astype(np.float32)


@cache
def _hlg_table() -> _Floats:
    """Scene light, 0..1, of each level: the inverse OETF of BT.2100, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.linspace(0.0, 1.0, _LEVELS)
    light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return light.astype(np.float32)


@cache
def _gamma_table() -> _Floats:
    return np.power(np.linspace(0.0, 1.0, _LEVELS), _VIDEO_GAMMA).astype(np.float32)
