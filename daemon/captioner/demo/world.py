"""The demo world: clips of one or two coloured shapes that move before a plain background.

Everything random comes from the generator that is passed in: the same seed makes the same clip. What
a clip is made of is in `scene`, the words are in `vocabulary`, and both are re-exported here; `events`
draws things that happen in turn or briefly, and `render` makes the pixels.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from daemon.captioner.demo.scene import (
    RGB,
    Blink,
    Clip,
    Pose,
    Scene,
    Texture,
    TextureKind,
    Thing,
)
from daemon.captioner.demo.vocabulary import (
    ALL_TRIPLES,
    BACKGROUNDS,
    BRIEF_HELD_OUT,
    BRIEF_TRAINED,
    COLOURS,
    HELD_OUT,
    MOTIONS,
    NOTHING,
    REVERSED,
    SHAPES,
    TRAINED,
    Background,
    Colour,
    Motion,
    Reading,
    Shape,
    Triple,
    canonical,
    parse,
    read,
    sentence,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

__all__ = [
    "ALL_TRIPLES",
    "BACKGROUNDS",
    "BRIEF_HELD_OUT",
    "BRIEF_TRAINED",
    "COLOURS",
    "HELD_OUT",
    "MOTIONS",
    "NOTHING",
    "RATES",
    "REVERSED",
    "SHAPES",
    "SIZES",
    "TRAINED",
    "Background",
    "Blink",
    "Clip",
    "Colour",
    "Motion",
    "Pose",
    "Reading",
    "Scene",
    "Shape",
    "Texture",
    "TextureKind",
    "Thing",
    "Triple",
    "apart",
    "canonical",
    "draw_triples",
    "ground_shade",
    "parse",
    "random_clip",
    "random_nothing",
    "random_scene",
    "random_thing",
    "read",
    "sentence",
]

SIZES = (
    (284, 160), (320, 240), (426, 240), (240, 426), (480, 270), (640, 360), (360, 640), (480, 480),
    (640, 480), (854, 480), (1120, 480), (768, 432), (1280, 720), (720, 1280), (1680, 720), (1920, 1080),
)  # fmt: skip
"""Picture sizes (width, height) in pixels that random clips take, from 160 to 1080 lines."""

RATES = (12.0, 15.0, 24.0, 25.0, 30.0, 50.0, 60.0)

# Hue in degrees, saturation and value in 0..1: wide enough for another person's idea of the colour.
_COLOUR_RANGES: dict[Colour, tuple[tuple[float, float], ...]] = {
    Colour.RED: ((-9, 8), (0.78, 1.0), (0.72, 1.0)),
    Colour.BLUE: ((213, 246), (0.72, 1.0), (0.6, 1.0)),
    Colour.GREEN: ((98, 148), (0.62, 1.0), (0.45, 1.0)),
    Colour.YELLOW: ((49, 62), (0.72, 1.0), (0.85, 1.0)),
    Colour.WHITE: ((0, 360), (0.0, 0.05), (0.92, 1.0)),
    Colour.PURPLE: ((270, 302), (0.6, 1.0), (0.5, 0.95)),
}
_BACKGROUND_RANGES: dict[Background, tuple[tuple[float, float], ...]] = {
    Background.BLACK: ((0, 360), (0.0, 0.3), (0.0, 0.1)),
    Background.GREY: ((0, 360), (0.0, 0.05), (0.36, 0.64)),
    Background.BROWN: ((14, 33), (0.45, 1.0), (0.28, 0.58)),
    Background.SKY: ((189, 207), (0.28, 0.72), (0.84, 1.0)),
}


def _shade(rng: np.random.Generator, ranges: tuple[tuple[float, float], ...]) -> RGB:
    hue, saturation, value = (rng.uniform(*bounds) for bounds in ranges)
    red, green, blue = colorsys.hsv_to_rgb((hue % 360) / 360, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def ground_shade(rng: np.random.Generator, ground: Background) -> RGB:
    """Draw the colour of a background."""
    return _shade(rng, _BACKGROUND_RANGES[ground])


def _extent(size: tuple[int, int]) -> tuple[float, float]:
    """Return width and height in short sides."""
    short = min(size)
    return size[0] / short, size[1] / short


def _smallest_radius(size: tuple[int, int]) -> float:
    """Return the radius below which a wide picture, squeezed to a square, hides the shape."""
    return max(0.09, 0.053 * max(size) / min(size))


def _blink(rng: np.random.Generator, duration: float) -> Blink:
    """Draw a rhythm that 8 frames in the middles of equal parts of the scene can show."""
    middles = [(index + 0.5) / 8 * duration for index in range(8)]
    while True:
        share = rng.uniform(0.2, 0.62) if rng.random() < 0.7 else rng.uniform(0.08, 1.0)
        blink = Blink(share * duration, rng.uniform(0.35, 0.65), rng.random(), rng.random() < 0.12)
        seen = [blink.opacity(time) > 0.5 for time in middles]
        changes = sum(a != b for a, b in pairwise(seen))
        if 2 <= sum(seen) <= 6 and changes >= 2:
            return blink


def _radii(
    rng: np.random.Generator, motion: Motion, size: tuple[int, int], largest: float
) -> tuple[float, float]:
    least = _smallest_radius(size)
    if motion not in (Motion.GROW, Motion.SHRINK):
        # Squaring leans towards small objects, which are the hard ones.
        radius = least + (max(largest * 0.8, least * 1.3) - least) * rng.random() ** 1.4
        return radius, radius
    ratio = rng.uniform(1.6, 4.0)
    big = rng.uniform(max(1.5 * least, 0.16), max(largest, 1.6 * least))
    small = max(big / ratio, 0.7 * least)
    return (small, big) if motion is Motion.GROW else (big, small)


def _track(
    rng: np.random.Generator, motion: Motion, extent: tuple[float, float], radius: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Draw start and end of the way, in short sides."""
    inside = [max(0.01, side - 2 * radius * 0.97) for side in extent]
    spot = [radius * 0.97 + rng.random() * room for room in inside]
    axis = {Motion.RIGHTWARD: 0, Motion.LEFTWARD: 0, Motion.UP: 1, Motion.DOWN: 1}.get(motion)
    if axis is None:
        return (spot[0], spot[1]), (spot[0], spot[1])
    room = inside[axis]
    margin = radius * 0.97
    if rng.random() < 0.15:  # enters or leaves through the edge of the picture
        room, margin = extent[axis] + radius, -radius / 2
    length = min(room, max(0.24 * extent[axis], room * rng.uniform(0.3, 1.0)))
    low = margin + rng.random() * (room - length)
    first, last = list(spot), list(spot)
    first[axis], last[axis] = low, low + length
    if rng.random() < 0.25:
        last[1 - axis] += float(rng.uniform(-0.12, 0.12)) * length
    if motion in (Motion.LEFTWARD, Motion.UP):
        first[axis], last[axis] = last[axis], first[axis]
    return (first[0], first[1]), (last[0], last[1])


def random_thing(
    rng: np.random.Generator, triple: Triple, size: tuple[int, int], duration: float, largest: float
) -> Thing:
    """Draw an object that acts all through a scene; `largest` bounds its radius in short sides."""
    colour, shape, motion = triple
    radii = _radii(rng, motion, size, largest)
    start, end = _track(rng, motion, _extent(size), max(radii))
    return Thing(
        colour, shape, motion, _shade(rng, _COLOUR_RANGES[colour]), start, end, radii,
        angle=float(rng.uniform(-0.26, 0.26)) if rng.random() < 0.5 else 0.0,
        easing=float(rng.uniform(-0.8, 0.8)) if rng.random() < 0.4 else 0.0,
        waist=float(rng.uniform(0.36, 0.5)),
        blink=_blink(rng, duration) if motion is Motion.BLINK else None,
    )  # fmt: skip


def apart(first: Thing, second: Thing, duration: float) -> bool:
    """Tell whether two objects never cover much of each other."""
    for step in range(17):
        a, b = (thing.pose(step / 16 * duration, duration) for thing in (first, second))
        if math.hypot(a.x - b.x, a.y - b.y) < 0.95 * (a.radius + b.radius):
            return False
    return True


def draw_triples(rng: np.random.Generator, pool: Sequence[Triple], count: int) -> list[Triple]:
    """Draw triples of objects that can be told apart."""
    while True:
        chosen = [pool[int(index)] for index in rng.integers(len(pool), size=count)]
        if count == 1:
            return chosen
        colours, looks = {it[0] for it in chosen}, {it[:2] for it in chosen}
        # Objects that look the same could not be told apart; a shared colour is made rare.
        if len(looks) == count and (len(colours) == count or rng.random() < 0.3):
            return chosen


def random_scene(
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (640, 360),
    count: int = 1,
    duration: float = 3.0,
    pool: Sequence[Triple] = TRAINED,
    background: Background | None = None,
) -> Scene:
    """Draw a scene of 1 or 2 objects whose triples come from the pool, for a picture size in pixels."""
    ground = background or BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    shade = ground_shade(rng, ground)
    largest = 0.4 if count == 1 else 0.3
    while True:
        triples = draw_triples(rng, pool, count)
        for _ in range(30):
            things = tuple(random_thing(rng, it, size, duration, largest) for it in triples)
            if count == 1 or apart(things[0], things[1], duration):
                return Scene(ground, shade, things, duration)


def random_nothing(rng: np.random.Generator, *, duration: float = 3.0) -> Scene:
    """Draw a scene in which there is nothing to name: a texture or the bare background."""
    ground = BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    kind = tuple(TextureKind)[int(rng.choice(5, p=(0.1, 0.1, 0.15, 0.25, 0.4)))]
    drift = float(rng.uniform(-0.2, 0.2)) if rng.random() < 0.6 else 0.0
    texture = Texture(kind, int(rng.integers(2**31)), drift)
    return Scene(ground, ground_shade(rng, ground), (), duration, texture)


def random_clip(
    rng: np.random.Generator,
    *,
    counts: Sequence[int] = (1,),
    held_out: bool = False,
    size: tuple[int, int] | None = None,
) -> Clip:
    """Draw a clip with one scene for each object count; neighbouring scenes differ in background.

    With `held_out` every triple is one that training never saw, otherwise none is.
    """
    size = size or SIZES[int(rng.integers(len(SIZES)))]
    pool = tuple(it for it in ALL_TRIPLES if (it in HELD_OUT) is held_out)
    fps = RATES[int(rng.integers(len(RATES)))]
    scenes: list[Scene] = []
    for count in counts:
        last = scenes[-1].background if scenes else None
        ground = [it for it in BACKGROUNDS if it is not last][int(rng.integers(3))]
        # A whole number of frames, so that the encoded clip has exactly these scene lengths.
        duration = round(float(rng.uniform(1.0, 8.0 / len(counts))) * fps) / fps
        scenes.append(
            random_scene(
                rng, size=size, count=count, duration=duration, pool=pool, background=ground
            )
        )
    return replace(Clip((), *size, fps), scenes=tuple(scenes))
