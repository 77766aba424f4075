"""Clips as the language model sees them: pooled features of a frozen tower, computed once.

Features are kept per frame, so frame counts, reversal in time and fresh prompts cost nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from daemon.captioner.demo.architecture import GRID, IMAGE
from daemon.captioner.demo.frames import draw_size, normalised, roughened, truth
from daemon.captioner.demo.render import scene_frame
from daemon.captioner.demo.vision_stage import pool
from daemon.captioner.demo.vocabulary import (
    ALL_TRIPLES,
    BACKGROUNDS,
    COLOURS,
    HELD_OUT,
    MOTIONS,
    REVERSED,
    SHAPES,
    Motion,
    Triple,
    sentence,
)
from daemon.captioner.demo.world import Scene, random_nothing, random_scene

if TYPE_CHECKING:
    from transformers import CLIPVisionModel

_STILL, _BLINK = MOTIONS.index(Motion.STILL), MOTIONS.index(Motion.BLINK)
_REVERSED = torch.tensor([MOTIONS.index(REVERSED[motion]) for motion in MOTIONS])
_HELD = torch.zeros(len(COLOURS), len(SHAPES), len(MOTIONS), dtype=torch.bool)
for _colour, _shape, _motion in HELD_OUT:
    _HELD[COLOURS.index(_colour), SHAPES.index(_shape), MOTIONS.index(_motion)] = True


@dataclass(frozen=True, slots=True)
class Views:
    """A set of clips with the same number of frames.

    `features` (n, frames, 9, width) half precision; `things` (n, 2, 3) colour, shape and motion
    indices, -1 for no object; `grounds` (n); `seen` (n, frames, 2) which objects a frame shows;
    `nearest` (n, frames, 9) the object nearest to each token, -1 when the frame shows none.
    """

    features: Tensor
    things: Tensor
    grounds: Tensor
    seen: Tensor
    nearest: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def joined(self, other: Views) -> Views:
        """Return both sets as one."""
        return Views(
            *(torch.cat([getattr(self, it), getattr(other, it)]) for it in Views.__slots__)
        )

    def rows(self, chosen: Tensor) -> Views:
        """Return the chosen clips."""
        return Views(*(getattr(self, it)[chosen] for it in Views.__slots__))

    def frames(self, chosen: Tensor) -> Views:
        """Return the clips with the chosen frames only, in that order, relabelled to what they show."""
        seen = self.seen[:, chosen]
        things = self.things.clone()
        blinks = things[..., 2] == _BLINK
        always, never = seen.all(1), ~seen.any(1)
        things[..., 2] = torch.where(blinks & always, _STILL, things[..., 2])
        if len(chosen) == 1:
            things[..., 2] = torch.where(things[..., 2] >= 0, _STILL, things[..., 2])
        things[never] = -1
        return Views(self.features[:, chosen], things, self.grounds, seen, self.nearest[:, chosen])

    def backwards(self) -> Views:
        """Return the clips played backwards."""
        things = self.things.clone()
        moves = things[..., 2]
        things[..., 2] = torch.where(moves >= 0, _REVERSED[moves.clamp_min(0)], moves)
        return Views(
            self.features.flip(1), things, self.grounds, self.seen.flip(1), self.nearest.flip(1)
        )

    def held_out(self) -> Tensor:
        """Tell for each clip whether one of its triples must never be trained on."""
        index = self.things.clamp_min(0)
        held = _HELD[index[..., 0], index[..., 1], index[..., 2]] & (self.things[..., 0] >= 0)
        return held.any(1)

    def sentences(self) -> list[str]:
        """Return what to say of each clip."""
        return [
            sentence(BACKGROUNDS[ground % 4], [_triple(it) for it in things if it[0] >= 0])
            for ground, things in zip(self.grounds.tolist(), self.things.tolist(), strict=True)
        ]


def _triple(indices: list[int]) -> Triple:
    return COLOURS[indices[0]], SHAPES[indices[1]], MOTIONS[indices[2]]


def sample_times(rng: np.random.Generator, duration: float, frames: int) -> list[float]:
    """Draw frame times as a sampler would take them: mid-interval, on a frame grid, a little off."""
    low, high = (0.0, 1.0) if rng.random() < 0.75 else (rng.uniform(0, 0.05), rng.uniform(0.95, 1))
    times = [(low + (i + 0.5) / frames * (high - low)) * duration for i in range(frames)]
    if rng.random() < 0.6:
        fps = float(rng.choice((12, 15, 24, 30)))
        shift = rng.random()
        times = [min(duration, (np.floor(time * fps) + shift) / fps) for time in times]
    return times


def _nearest(facts: np.ndarray, tiles: np.ndarray) -> np.ndarray:
    """Return for each pooled token the index of the object over or nearest to it, -1 for none."""
    half = GRID // 2
    shares = tiles.reshape(2, half, 2, half, 2).mean((2, 4)).reshape(2, -1)
    line = (np.arange(half) + 0.5) / half
    x, y = np.tile(line, half), np.repeat(line, half)
    away = np.hypot(facts[:, 3:4] - x, facts[:, 4:5] - y)
    close = np.where(facts[:, 0:1] > 0, shares * 10 - away, -9.0)
    return np.where(close.max(0) > -9, close.argmax(0), -1)


def _draw_scene(
    rng: np.random.Generator,
    size: tuple[int, int],
    pool: tuple[Triple, ...],
    shares: tuple[float, float],
) -> Scene:
    """Draw a scene; `shares` are those of scenes with nothing and of scenes with two objects."""
    chance, duration = rng.random(), float(rng.uniform(1, 8))
    if chance < shares[0]:
        return random_nothing(rng, duration=duration)
    count = 2 if chance < sum(shares) else 1
    return random_scene(rng, size=size, count=count, duration=duration, pool=pool)


def _draw_clip(
    rng: np.random.Generator, frames: int, pool: tuple[Triple, ...], shares: tuple[float, float]
) -> tuple[np.ndarray, ...]:
    size = draw_size(rng)
    scene = _draw_scene(rng, size, pool, shares)
    pictures, seen, nearest = [], [], []
    for time in sample_times(rng, scene.duration, frames):
        pictures.append(scene_frame(scene, time, size, (IMAGE, IMAGE)).transpose(2, 0, 1))
        facts, tiles = truth(scene, time, size)
        seen.append(facts[:, 0] > 0)
        nearest.append(_nearest(facts, tiles))
    things = np.full((2, 3), -1)
    for slot, thing in enumerate(scene.things):
        things[slot] = (
            COLOURS.index(thing.colour),
            SHAPES.index(thing.shape),
            MOTIONS.index(thing.motion),
        )
    ground = BACKGROUNDS.index(scene.background)
    return (
        np.stack(pictures),
        things,
        np.array(ground),
        np.stack(seen),
        np.stack(nearest).astype(np.int8),
    )


@torch.no_grad()
def draw_views(
    tower: CLIPVisionModel,
    *,
    seed: int,
    count: int,
    frames: int = 8,
    shares: tuple[float, float] = (0.05, 0.4),
    held_out: bool = False,
    rough: bool = True,
) -> Views:
    """Draw clips and compute their features; with `held_out` only triples that training never sees."""
    rng = np.random.default_rng([seed, frames])
    noise = torch.Generator().manual_seed(seed)
    allowed = tuple(it for it in ALL_TRIPLES if (it in HELD_OUT) is held_out)
    device = next(tower.parameters()).device
    parts: list[Views] = []
    for first in range(0, count, 48):
        clips = [_draw_clip(rng, frames, allowed, shares) for _ in range(min(48, count - first))]
        pixels, things, grounds, seen, nearest = (
            torch.from_numpy(np.stack(column)) for column in zip(*clips, strict=True)
        )
        flat = pixels.flatten(0, 1).to(device)
        x = roughened(flat, noise, group=frames) if rough else normalised(flat)
        with torch.autocast(device.type, torch.bfloat16, enabled=rough):
            hidden = tower(x).last_hidden_state[:, 1:]
        features = pool(hidden.float()).half().cpu()
        features = features.reshape(len(clips), frames, *features.shape[1:])
        parts.append(Views(features, things, grounds, seen, nearest))
    return Views(*(torch.cat([getattr(it, name) for it in parts]) for name in Views.__slots__))
