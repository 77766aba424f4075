"""Draws clips and looks at them through the frozen tower: the views that the language model learns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from daemon.captioner.demo.architecture import GRID, IMAGE
from daemon.captioner.demo.events import random_brief, random_turns
from daemon.captioner.demo.frames import draw_size, normalised, roughened, truth
from daemon.captioner.demo.render import scene_frame
from daemon.captioner.demo.views import ALL_MOTIONS, Views
from daemon.captioner.demo.vision_stage import pool
from daemon.captioner.demo.vocabulary import (
    ALL_TRIPLES,
    BACKGROUNDS,
    BRIEF_HELD_OUT,
    BRIEF_TRAINED,
    COLOURS,
    HELD_OUT,
    SHAPES,
    Motion,
)
from daemon.captioner.demo.world import Scene, random_nothing, random_scene

if TYPE_CHECKING:
    from transformers import CLIPVisionModel

GRID_FRAMES, EXTRA_FRAMES = 16, 4
"""Frames of an event clip: an even grid from which smaller ones are cut, and some anywhere else."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of the drawn clips show nothing, two objects, two in turn, or a brief guest."""

    nothing: float = 0.05
    two: float = 0.4
    turns: float = 0.0
    brief: float = 0.0


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


def event_times(rng: np.random.Generator, scene: Scene) -> list[float]:
    """Draw the frame times of an event clip: an even grid, then the extra ones.

    Of these, two fall into a brief appearance, or close together somewhere, as a sampler that
    follows what changes would take them.
    """
    duration = scene.duration
    times = sample_times(rng, duration, GRID_FRAMES)
    brief = next((it for it in scene.things if it.motion is Motion.BRIEF), None)
    low, high = 0.0, duration
    if brief:
        low, high = (share * duration for share in brief.span)
    elif rng.random() < 0.6:
        low = float(rng.uniform(0, 0.92)) * duration
        high = low + 0.08 * duration
    inside = EXTRA_FRAMES // 2
    extras = [*rng.uniform(low, high, size=inside), *rng.uniform(0, duration, size=inside)]
    return times + [float(time) for time in extras]


def _draw_scene(
    rng: np.random.Generator, size: tuple[int, int], held_out: bool, shares: Shares
) -> Scene:
    pool = tuple(it for it in ALL_TRIPLES if (it in HELD_OUT) is held_out)
    chance, duration = rng.random(), float(rng.uniform(1, 8))
    if chance < shares.nothing:
        return random_nothing(rng, duration=duration)
    chance -= shares.nothing
    if chance < shares.turns + shares.brief:
        duration = float(np.exp(rng.uniform(np.log(2.5), np.log(60))))
        if chance < shares.turns:
            return random_turns(rng, size=size, duration=duration, pool=pool)
        guests = tuple(sorted(BRIEF_HELD_OUT, key=str)) if held_out else BRIEF_TRAINED
        return random_brief(
            rng, size=size, duration=duration, seconds=float(rng.uniform(0.15, 0.6)),
            pool=pool, guests=guests,
        )  # fmt: skip
    if shares.turns and rng.random() < 0.5:
        duration = float(np.exp(rng.uniform(np.log(4), np.log(60))))
    count = 2 if chance < shares.turns + shares.brief + shares.two else 1
    return random_scene(rng, size=size, count=count, duration=duration, pool=pool)


def _draw_clip(
    rng: np.random.Generator, frames: int, held_out: bool, shares: Shares
) -> tuple[np.ndarray, ...]:
    size = draw_size(rng)
    scene = _draw_scene(rng, size, held_out, shares)
    even = shares.turns + shares.brief == 0
    times = sample_times(rng, scene.duration, frames) if even else event_times(rng, scene)
    pictures, seen, nearest = [], [], []
    acting = np.zeros((len(times), 2), bool)
    for index, time in enumerate(times):
        for slot, thing in enumerate(scene.things):
            acting[index, slot] = thing.acts(time, scene.duration)
        pictures.append(scene_frame(scene, time, size, (IMAGE, IMAGE)).transpose(2, 0, 1))
        facts, tiles = truth(scene, time, size)
        seen.append(facts[:, 0] > 0)
        nearest.append(_nearest(facts, tiles))
    things = np.full((2, 3), -1)
    for slot, thing in enumerate(scene.things):
        things[slot] = (
            COLOURS.index(thing.colour),
            SHAPES.index(thing.shape),
            ALL_MOTIONS.index(thing.motion),
        )
    ground = BACKGROUNDS.index(scene.background)
    return (
        np.stack(pictures),
        things,
        np.array(ground),
        np.stack(seen),
        np.stack(nearest).astype(np.int8),
        acting,
        np.array(times, np.float32),
        np.array(scene.duration, np.float32),
        np.array(int(scene.in_turn)),
    )


@torch.no_grad()
def draw_views(
    tower: CLIPVisionModel,
    *,
    seed: int,
    count: int,
    frames: int = 8,
    shares: Shares = Shares(),
    held_out: bool = False,
    rough: bool = True,
) -> Views:
    """Draw clips and compute their features; with `held_out` only triples that training never sees.

    Clips with events have GRID_FRAMES and EXTRA_FRAMES, whatever `frames` says.
    """
    rng = np.random.default_rng([seed, frames])
    noise = torch.Generator().manual_seed(seed)
    device = next(tower.parameters()).device
    parts: list[Views] = []
    for first in range(0, count, 48):
        clips = [_draw_clip(rng, frames, held_out, shares) for _ in range(min(48, count - first))]
        pixels, *facts = (torch.from_numpy(np.stack(column)) for column in zip(*clips, strict=True))
        flat = pixels.flatten(0, 1).to(device)
        x = roughened(flat, noise, group=pixels.shape[1]) if rough else normalised(flat)
        with torch.autocast(device.type, torch.bfloat16, enabled=rough):
            hidden = tower(x).last_hidden_state[:, 1:]
        features = pool(hidden.float()).half().cpu()
        parts.append(Views(features.reshape(*pixels.shape[:2], *features.shape[1:]), *facts))
    return Views(*(torch.cat([getattr(it, name) for it in parts]) for name in Views.__slots__))
