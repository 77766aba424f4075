"""Draws scenes in which things happen: two objects act in turn, or one has a brief guest.

Like `world`, everything random comes from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from daemon.captioner.demo.scene import Blink, Clip, Scene, Thing
from daemon.captioner.demo.vocabulary import (
    ALL_TRIPLES,
    BACKGROUNDS,
    BRIEF_HELD_OUT,
    BRIEF_TRAINED,
    HELD_OUT,
    TRAINED,
    Background,
    Motion,
    Triple,
)
from daemon.captioner.demo.world import (
    RATES,
    SIZES,
    apart,
    draw_triples,
    ground_shade,
    random_scene,
    random_thing,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


def _turn_blink(rng: np.random.Generator, thing: Thing, duration: float) -> Thing:
    """Give a rhythm that 8 or 16 even frames show at least twice within the span."""
    while True:
        for _ in range(40):
            period = rng.uniform(0.14, 0.34) * duration
            blink = Blink(period, rng.uniform(0.35, 0.65), rng.random())
            thing = replace(thing, blink=blink)
            if all(_shown_twice(thing, duration, shift) for shift in (0.25, 0.5, 0.75)):
                return thing
        # A short span has room for two appearances only where it rests in sight before and after.
        thing = replace(thing, lasting=True)


def _shown_twice(thing: Thing, duration: float, shift: float) -> bool:
    times = [(index + shift) / 8 * duration for index in range(8)]
    seen = [thing.pose(time, duration).opacity > 0.5 for time in times]
    return sum(b and not a for a, b in pairwise([False, *seen])) >= 2


def _acting(
    rng: np.random.Generator, thing: Thing, duration: float, span: tuple[float, float]
) -> Thing:
    """Let an object act in a part of the scene only; outside of it, it rests or is not there."""
    thing = replace(thing, span=span, lasting=bool(rng.random() < 0.55), blink=None)
    return _turn_blink(rng, thing, duration) if thing.motion is Motion.BLINK else thing


def random_turns(
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (640, 360),
    duration: float = 6.0,
    pool: Sequence[Triple] = TRAINED,
    background: Background | None = None,
) -> Scene:
    """Draw a scene in which first one object acts, then another; what stays still is left out."""
    ground = background or BACKGROUNDS[int(rng.integers(len(BACKGROUNDS)))]
    shade = ground_shade(rng, ground)
    active = [triple for triple in pool if triple[2] is not Motion.STILL]
    middle, gap = rng.uniform(0.4, 0.6), rng.uniform(0.015, 0.05)
    spans = (float(rng.uniform(0, 0.04)), middle - gap), (middle + gap, float(rng.uniform(0.96, 1)))
    while True:
        triples = draw_triples(rng, active, 2)
        for _ in range(30):
            first, second = (
                _acting(rng, random_thing(rng, triple, size, duration, 0.3), duration, span)
                for triple, span in zip(triples, spans, strict=True)
            )
            if apart(first, second, duration):
                return Scene(ground, shade, (first, second), duration, in_turn=True)


def random_brief(
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (640, 360),
    duration: float = 20.0,
    seconds: float = 0.3,
    pool: Sequence[Triple] = TRAINED,
    guests: Sequence[Triple] = BRIEF_TRAINED,
    background: Background | None = None,
) -> Scene:
    """Draw a scene of one object in which another is there for some `seconds` at a random moment."""
    while True:
        scene = random_scene(
            rng, size=size, count=1, duration=duration, pool=pool, background=background
        )
        (host,) = scene.things
        begin = float(rng.uniform(0.3, duration - seconds - 0.3)) / duration
        for _ in range(30):
            triple = guests[int(rng.integers(len(guests)))]
            guest = random_thing(rng, triple, size, duration, 0.3)
            guest = replace(guest, span=(begin, begin + seconds / duration), lasting=False)
            alike = guest.colour is host.colour and (
                guest.shape is host.shape or rng.random() < 0.7
            )
            if not alike and apart(host, guest, duration):
                return replace(scene, things=(host, guest))


def random_turns_clip(
    rng: np.random.Generator, *, held_out: bool = False, size: tuple[int, int] | None = None
) -> Clip:
    """Draw a clip of one shot, 3 to 12 seconds long, in which two objects act in turn."""
    size = size or SIZES[int(rng.integers(len(SIZES)))]
    fps = RATES[int(rng.integers(len(RATES)))]
    pool = tuple(it for it in ALL_TRIPLES if (it in HELD_OUT) is held_out)
    duration = round(float(rng.uniform(3, 12)) * fps) / fps
    return Clip((random_turns(rng, size=size, duration=duration, pool=pool),), *size, fps)


def random_brief_clip(
    rng: np.random.Generator,
    *,
    held_out: bool = False,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    duration: float = 20.0,
    seconds: float = 0.3,
) -> Clip:
    """Draw a clip of one shot in which an object is there for some `seconds`."""
    size = size or SIZES[int(rng.integers(len(SIZES)))]
    fps = fps or RATES[int(rng.integers(len(RATES)))]
    pool = tuple(it for it in ALL_TRIPLES if (it in HELD_OUT) is held_out)
    guests = tuple(sorted(BRIEF_HELD_OUT, key=str)) if held_out else BRIEF_TRAINED
    scene = random_brief(
        rng, size=size, duration=duration, seconds=seconds, pool=pool, guests=guests
    )
    return Clip((scene,), *size, fps)
