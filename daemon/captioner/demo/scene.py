"""What a clip of the demo world is: objects on their way, scenes, clips.

Lengths are in units of the picture's short side, so a clip is the same at 160 and at 1080 lines.
Times are seconds from the start of the scene or clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from daemon.captioner.demo.vocabulary import (
    Background,
    Colour,
    Motion,
    Shape,
    Triple,
    canonical,
    sentence,
)

RGB = tuple[int, int, int]


class TextureKind(Enum):
    """A picture in which there is nothing to name."""

    PLAIN = "plain"  # the background alone
    NOISE = "noise"  # grain, fresh in every frame
    GRADIENT = "gradient"  # one colour runs into another
    CLOUD = "cloud"  # soft random blobs that drift, like an unfocused landscape
    CLUTTER = "clutter"  # many boxes and ellipses, some moving, like a street or a room


@dataclass(frozen=True, slots=True)
class Texture:
    """A picture without recognisable objects; all its randomness follows from the seed."""

    kind: TextureKind
    seed: int
    drift: float = 0.0
    """How far the picture pans, in picture widths per second."""


@dataclass(frozen=True, slots=True)
class Blink:
    """An on-off rhythm: visible while (time / period + phase) mod 1 is below the duty."""

    period: float
    duty: float
    phase: float
    soft: bool = False
    """True when the object fades in and out instead of switching."""

    def opacity(self, time: float) -> float:
        """Return how visible the object is at a time in seconds, 0 to 1."""
        turn = (time / self.period + self.phase) % 1.0
        if not self.soft:
            return 1.0 if turn < self.duty else 0.0
        centred = ((turn - self.duty / 2 + 0.5) % 1.0) - 0.5
        edge = min(self.duty, 1.0 - self.duty)
        return min(1.0, max(0.0, 0.5 + (self.duty / 2 - abs(centred)) / edge))


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an object is at one moment: centre and radius in short sides, opacity 0 to 1."""

    x: float
    y: float
    radius: float
    opacity: float


@dataclass(frozen=True, slots=True)
class Thing:
    """One coloured shape and its way through the scene."""

    colour: Colour
    shape: Shape
    motion: Motion
    rgb: RGB
    start: tuple[float, float]
    end: tuple[float, float]
    radii: tuple[float, float]
    angle: float = 0.0
    """Rotation in radians, constant through the scene."""
    easing: float = 0.0
    """-1 to 1: slow or fast in the middle of the way; 0 is constant speed."""
    waist: float = 0.42
    """Inner radius of a star as a share of its outer one."""
    blink: Blink | None = None
    span: tuple[float, float] = (0.0, 1.0)
    """From when to when it does what it does, as shares of the scene; before and after, it rests."""
    lasting: bool = True
    """True when it is there before and after its span as well."""

    @property
    def triple(self) -> Triple:
        """Return what the sentence says of this object."""
        return self.colour, self.shape, self.motion

    def acts(self, time: float, duration: float) -> bool:
        """Tell whether a time in seconds lies in the object's span."""
        return self.span[0] <= time / duration <= self.span[1]

    def pose(self, time: float, duration: float) -> Pose:
        """Return the pose at a time in seconds in a scene of that duration."""
        begin, end = self.span
        u = min(1.0, max(0.0, (time / duration - begin) / (end - begin)))
        s = u + self.easing * math.sin(2 * math.pi * u) / (2 * math.pi)
        return Pose(
            self.start[0] + (self.end[0] - self.start[0]) * s,
            self.start[1] + (self.end[1] - self.start[1]) * s,
            self.radii[0] + (self.radii[1] - self.radii[0]) * s,
            self._opacity(time, duration),
        )

    def _opacity(self, time: float, duration: float) -> float:
        if not self.acts(time, duration):
            return float(self.lasting)
        return self.blink.opacity(time) if self.blink else 1.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One shot: a background, the objects before it, or a texture without objects."""

    background: Background
    rgb: RGB
    things: tuple[Thing, ...]
    duration: float
    texture: Texture | None = None
    in_turn: bool = False
    """True when the objects act one after the other, in their order here."""

    @property
    def triples(self) -> list[Triple]:
        """Return what there is to name, in the order of the sentence."""
        triples = [thing.triple for thing in self.things]
        return triples if self.in_turn else canonical(triples)

    @property
    def sentence(self) -> str:
        """Return the Korean sentence that describes the scene."""
        return sentence(self.background, self.triples, in_turn=self.in_turn)


@dataclass(frozen=True, slots=True)
class Clip:
    """One video: scenes in a row, hard cuts between them; size in pixels, fps per second."""

    scenes: tuple[Scene, ...]
    width: int
    height: int
    fps: float

    @property
    def duration(self) -> float:
        """Return the length in seconds."""
        return sum(scene.duration for scene in self.scenes)

    def at(self, time: float) -> tuple[Scene, float]:
        """Return the scene shown at a time in seconds and the time within it."""
        for scene in self.scenes[:-1]:
            if time < scene.duration:
                return scene, time
            time -= scene.duration
        return self.scenes[-1], time
