"""Draws the demo world: signed-distance shapes with anti-aliased edges, and H.264 clips of them.

A raster may have another aspect than the clip: the picture is then squeezed onto it, exactly as
the demo checkpoint's video processor does, so training frames are drawn straight at model size.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from daemon.captioner.demo.scene import Clip, Pose, Scene, Texture, TextureKind, Thing
from daemon.captioner.demo.vocabulary import Shape

if TYPE_CHECKING:
    from pathlib import Path

Picture = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""
Floats = NDArray[np.float32] | NDArray[np.float64]

# How far each outline reaches from its centre, in radii; the outlines have similar areas.
_REACH = {Shape.CIRCLE: 1.0, Shape.SQUARE: 1.27, Shape.TRIANGLE: 1.3, Shape.STAR: 1.3}


def _square(x: Floats, y: Floats) -> Floats:
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.89)


def _triangle(x: Floats, y: Floats) -> Floats:
    """Signed distance to an upright triangle whose corners lie 1.3 radii from the centre."""
    sides = np.float32(math.sqrt(3) / 2) * np.abs(x) - np.float32(0.5) * y
    return np.maximum(sides, y) - np.float32(0.65)


def _star(x: Floats, y: Floats, waist: float) -> Floats:
    """Signed distance to the edges of an upright five-pointed star, outer radius 1.3."""
    step = np.float32(2 * math.pi / 5)
    angle = np.arctan2(x, -y)
    # Fold the ten half-points onto one: the angle from the nearest point of the star.
    angle = np.abs(angle - step * np.round(angle / step))
    radius = np.hypot(x, y)
    tip_x, tip_y = 1.3, 0.0
    inner_x, inner_y = 1.3 * waist * math.cos(math.pi / 5), 1.3 * waist * math.sin(math.pi / 5)
    length = math.hypot(tip_x - inner_x, tip_y - inner_y)
    normal_x, normal_y = (inner_y - tip_y) / length, (tip_x - inner_x) / length
    along, across = radius * np.cos(angle), radius * np.sin(angle)
    return (along - tip_x) * np.float32(normal_x) + across * np.float32(normal_y)


def _distance(thing: Thing, x: Floats, y: Floats) -> Floats:
    """Signed distance in radii from points in the object's own turned frame."""
    if thing.shape is Shape.CIRCLE:
        return np.hypot(x, y) - np.float32(1)
    if thing.shape is Shape.SQUARE:
        return _square(x, y)
    if thing.shape is Shape.TRIANGLE:
        return _triangle(x, y)
    return _star(x, y, thing.waist)


def _span(centre: float, reach: float, extent: float, pixels: int) -> tuple[int, int]:
    """Return the range of pixel indices that [centre - reach, centre + reach] can touch."""
    low = math.floor((centre - reach) / extent * pixels) - 1
    high = math.ceil((centre + reach) / extent * pixels) + 1
    return min(pixels, max(0, low)), min(pixels, max(0, high))


def coverage(
    thing: Thing, pose: Pose, extent: tuple[float, float], raster: tuple[int, int]
) -> tuple[slice, slice, Floats] | None:
    """Return rows, columns and the share of each pixel there that the object covers, 0 to 1.

    `extent` is the picture's width and height in short sides, `raster` its (height, width) in pixels.
    """
    height, width = raster
    reach = pose.radius * _REACH[thing.shape]
    left, right = _span(pose.x, reach, extent[0], width)
    top, bottom = _span(pose.y, reach, extent[1], height)
    if right - left < 2 or bottom - top < 2 or pose.opacity <= 0.0:
        return None
    step_x, step_y = extent[0] / width, extent[1] / height
    dx = ((np.arange(left, right, dtype=np.float32) + 0.5) * step_x - pose.x) / pose.radius
    dy = ((np.arange(top, bottom, dtype=np.float32) + 0.5) * step_y - pose.y) / pose.radius
    cos, sin = np.float32(math.cos(thing.angle)), np.float32(math.sin(thing.angle))
    x = dx[None, :] * cos + dy[:, None] * sin
    y = dy[:, None] * cos - dx[None, :] * sin
    distance = _distance(thing, x, y)
    if abs(step_x / step_y - 1) < 0.02:
        footprint: Floats | np.float32 = np.float32(step_x / pose.radius)
    else:  # squeezed pixels are wider than high: their size along the edge's normal counts
        slope_y, slope_x = np.gradient(distance)
        footprint = np.maximum(np.hypot(slope_x, slope_y), np.float32(1e-4))
    mask = np.clip(np.float32(0.5) - distance / footprint, 0, 1)
    return slice(top, bottom), slice(left, right), mask * np.float32(pose.opacity)


def _sample_grid(cells: Floats, x: Floats, y: Floats) -> Floats:
    """Read a small periodic colour grid at fractional positions, bilinearly."""
    rows, columns = cells.shape[:2]
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = (x - x0)[None, :, None], (y - y0)[:, None, None]
    top, bottom = cells[y0 % rows], cells[(y0 + 1) % rows]
    rows_mixed = top * (1 - fy) + bottom * fy
    mixed: Floats = rows_mixed[:, x0 % columns] * (1 - fx) + rows_mixed[:, (x0 + 1) % columns] * fx
    return mixed


def _greyed(rng: np.random.Generator, colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take away some colour: most of what a camera sees is nearly grey."""
    greyed: NDArray[np.float64] = colour + rng.random() ** 0.5 * (colour.mean() - colour)
    return greyed


def _cloud(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    tint = _greyed(rng, rng.uniform(20, 235, size=3))
    contrast, stretch = rng.uniform(0.3, 1.2), rng.uniform(0.5, 1.5, size=2)
    total: Floats = np.broadcast_to(tint, (len(y), len(x), 3)).astype(np.float32)
    for octave in range(4):
        cells = 2 << octave
        spread = contrast / (octave + 1)
        grid = rng.normal(0, 70 * spread, size=(cells, cells, 1)) * rng.uniform(0.6, 1.2, size=3)
        grid = grid + rng.normal(0, 25 * spread * rng.random(), size=(cells, cells, 3))
        total = total + _sample_grid(
            grid.astype(np.float32), x * cells * stretch[0], y * cells * stretch[1]
        )
    return total


def _clutter(rng: np.random.Generator, x: Floats, y: Floats, time: float) -> Floats:
    """Draw boxes and ellipses of all sizes over a cloud, some of them moving."""
    picture = _cloud(rng, x, y)
    for _ in range(int(rng.integers(6, 50))):
        centre = rng.uniform(-0.2, 1.2, size=2)
        half = rng.uniform(0.01, 0.25, size=2) * rng.random(2)
        if rng.random() < 0.3:
            centre = centre + rng.uniform(-0.2, 0.2, size=2) * time
        colour, boxed = _greyed(rng, rng.uniform(0, 255, size=3)), rng.random() < 0.6
        dx, dy = np.abs(x - centre[0]) / half[0], np.abs(y - centre[1]) / half[1]
        columns, rows = np.flatnonzero(dx < 1), np.flatnonzero(dy < 1)
        if not len(columns) or not len(rows):
            continue
        if boxed:
            picture[np.ix_(rows, columns)] = colour
        else:
            inside = dx[None, columns] ** 2 + dy[rows, None] ** 2 < 1
            part = picture[np.ix_(rows, columns)]
            part[inside] = colour
            picture[np.ix_(rows, columns)] = part
    return picture


def _textured(
    texture: Texture, rgb: tuple[int, int, int], time: float, raster: tuple[int, int]
) -> Picture:
    height, width = raster
    rng = np.random.default_rng(texture.seed)
    x = (np.arange(width, dtype=np.float32) + 0.5) / width + np.float32(texture.drift * time)
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    if texture.kind is TextureKind.PLAIN:
        return np.broadcast_to(np.array(rgb, np.uint8), (height, width, 3)).copy()
    if texture.kind is TextureKind.GRADIENT:
        ends = rng.uniform(0, 255, size=(2, 3)).astype(np.float32)
        turn = rng.uniform(0, 2 * math.pi)
        mix = 0.5 + 0.7 * (
            math.cos(turn) * (x[None, :] - 0.5) + math.sin(turn) * (y[:, None] - 0.5)
        )
        picture = ends[0] + np.clip(mix, 0, 1)[..., None] * (ends[1] - ends[0])
    elif texture.kind is TextureKind.NOISE:
        cells = int(rng.integers(8, 64))
        fresh = np.random.default_rng([texture.seed, round(time * 60)])
        picture = fresh.uniform(0, 255, size=(cells, cells, 3 if texture.seed % 2 else 1))
        picture = picture[(y * cells).astype(int)][:, (x * cells).astype(int) % cells]
    else:
        cloud = texture.kind is TextureKind.CLOUD
        picture = _cloud(rng, x, y) if cloud else _clutter(rng, x, y, time)
    return np.broadcast_to(np.clip(picture, 0, 255), (height, width, 3)).astype(np.uint8)


def scene_frame(
    scene: Scene, time: float, size: tuple[int, int], raster: tuple[int, int]
) -> Picture:
    """Draw a scene at a time in seconds; `size` gives the true aspect, `raster` the (height, width)."""
    if scene.texture is not None:
        return _textured(scene.texture, scene.rgb, time, raster)
    picture = np.empty((*raster, 3), np.uint8)
    picture[:] = scene.rgb
    short = min(size)
    extent = (size[0] / short, size[1] / short)
    for thing in scene.things:
        covered = coverage(thing, thing.pose(time, scene.duration), extent, raster)
        if covered is not None:
            rows, columns, mask = covered
            under = picture[rows, columns].astype(np.float32)
            over = under + mask[..., None] * (np.array(thing.rgb, np.float32) - under)
            picture[rows, columns] = (over + 0.5).astype(np.uint8)
    return picture


def frame_at(clip: Clip, time: float, raster: tuple[int, int] | None = None) -> Picture:
    """Draw a clip at a time in seconds, at its own size unless a (height, width) raster is given."""
    scene, local = clip.at(time)
    return scene_frame(scene, local, (clip.width, clip.height), raster or (clip.height, clip.width))


def write_clip(path: Path, clip: Clip, *, crf: int = 20) -> None:
    """Encode a clip to H.264 in 4:2:0 MP4; sizes must be even."""
    import av  # slow to import, and drawing alone does not need it

    rate = Fraction(clip.fps).limit_denominator(1001)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height = clip.width, clip.height
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast"}
        for index in range(round(clip.duration * clip.fps)):
            picture = frame_at(clip, (index + 0.5) / clip.fps)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
