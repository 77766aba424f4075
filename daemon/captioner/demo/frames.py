"""Training pictures with their truth, drawn straight at model size, and the noise put on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from daemon.captioner.demo.architecture import GRID, IMAGE, MEAN, PATCH, STD
from daemon.captioner.demo.render import coverage, scene_frame
from daemon.captioner.demo.vocabulary import ALL_TRIPLES, BACKGROUNDS, COLOURS, SHAPES
from daemon.captioner.demo.world import (
    SIZES,
    Scene,
    TextureKind,
    random_nothing,
    random_scene,
)

if TYPE_CHECKING:
    from daemon.captioner.demo.vocabulary import Triple

FIELDS = 7
"""Columns of an object's truth: seen, shape, colour, x, y, half width, half height."""
NO_BACKGROUND = len(BACKGROUNDS)
"""Background index of pictures without a plain background."""


def draw_size(rng: np.random.Generator) -> tuple[int, int]:
    """Draw a picture size in pixels: a usual one, or any aspect from 9:16 to 21:9."""
    if rng.random() < 0.6:
        return SIZES[int(rng.integers(len(SIZES)))]
    aspect = float(np.exp(rng.uniform(np.log(9 / 16), np.log(21 / 9))))
    return (round(720 * aspect), 720) if aspect > 1 else (720, round(720 / aspect))


def truth(scene: Scene, time: float, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return what is visible: objects (2, FIELDS), and their shares of each patch (2, GRID * GRID).

    Positions and half extents are shares of the picture's width and height.
    """
    short = min(size)
    extent = size[0] / short, size[1] / short
    facts = np.zeros((2, FIELDS), np.float32)
    shares = np.zeros((2, IMAGE, IMAGE), np.float32)
    for slot, thing in enumerate(scene.things):
        pose = thing.pose(time, scene.duration)
        covered = coverage(thing, pose, extent, (IMAGE, IMAGE))
        if covered is None or pose.opacity < 0.25:
            continue
        rows, columns, mask = covered
        shares[:slot, rows, columns] *= 1 - mask
        shares[slot, rows, columns] = mask / pose.opacity
        facts[slot] = (
            1, SHAPES.index(thing.shape), COLOURS.index(thing.colour),
            pose.x / extent[0], pose.y / extent[1], pose.radius / extent[0], pose.radius / extent[1],
        )  # fmt: skip
    tiles = shares.reshape(2, GRID, PATCH, GRID, PATCH).mean((2, 4)).reshape(2, GRID * GRID)
    facts[:, 0] *= tiles.sum(1) > 0.02  # an object that has left the picture is not seen
    return facts, tiles


def ground(scene: Scene) -> int:
    """Return the background's index, or NO_BACKGROUND for textures."""
    if scene.texture is not None and scene.texture.kind is not TextureKind.PLAIN:
        return NO_BACKGROUND
    return BACKGROUNDS.index(scene.background)


def still_pictures(
    seed: int, count: int, pool: tuple[Triple, ...] = ALL_TRIPLES
) -> dict[str, Tensor]:
    """Draw independent pictures with dense truth; a single picture shows no motion to hold out."""
    rng = np.random.default_rng(seed)
    pixels = np.empty((count, 3, IMAGE, IMAGE), np.uint8)
    facts = np.empty((count, 2, FIELDS), np.float32)
    tiles = np.empty((count, 2, GRID * GRID), np.float32)
    grounds = np.empty(count, np.int64)
    for index in range(count):
        size, chance = draw_size(rng), rng.random()
        if chance < 0.13:
            scene = random_nothing(rng)
        else:
            scene = random_scene(rng, size=size, count=1 if chance < 0.5 else 2, pool=pool)
        time = float(rng.uniform(0, scene.duration))
        pixels[index] = scene_frame(scene, time, size, (IMAGE, IMAGE)).transpose(2, 0, 1)
        facts[index], tiles[index] = truth(scene, time, size)
        grounds[index] = ground(scene)
    return {
        "pixels": torch.from_numpy(pixels), "facts": torch.from_numpy(facts),
        "tiles": torch.from_numpy(tiles), "grounds": torch.from_numpy(grounds),
    }  # fmt: skip


def normalised(pixels: Tensor) -> Tensor:
    """Turn RGB in 0..255, shape (n, 3, H, W), into the tower's input of the same shape."""
    mean, std = (torch.tensor(it, device=pixels.device)[:, None, None] * 255 for it in (MEAN, STD))
    return (pixels.float() - mean) / std


def roughened(pixels: Tensor, generator: torch.Generator, group: int = 1) -> Tensor:
    """Return the tower's input with what cameras and codecs do: tint, softness, thin chroma, grain.

    `pixels` is RGB in 0..255, (n, 3, H, W), in random order: each effect takes a part of the batch,
    because doing all of them to all pictures would cost as much as training. Each `group`
    consecutive pictures share a tint, as the frames of one clip do.
    """
    device, n = pixels.device, len(pixels)

    def draw(*shape: int) -> Tensor:
        return (2 * torch.rand(shape, generator=generator) - 1).to(device)

    def shared(channels: int) -> Tensor:
        return draw(n // group, channels, 1, 1).repeat_interleave(group, 0)

    mean, std = (torch.tensor(it, device=device)[:, None, None] * 255 for it in (MEAN, STD))
    gain = (1 + 0.06 * shared(1)) * (1 + 0.03 * shared(3))
    offset = 8 * shared(1)
    x = torch.addcmul((offset - mean) / std, pixels.float(), gain / std)
    third = n // 3
    soft = functional.avg_pool2d(x[:third], 3, 1, 1, count_include_pad=False)
    x[:third] = torch.lerp(x[:third], soft, draw(third, 1, 1, 1).abs())
    part = x[third : 2 * third]
    luma = part.mean(1, keepdim=True)
    x[third : 2 * third] = luma + functional.interpolate(
        functional.avg_pool2d(part - luma, 2), scale_factor=2.0
    )
    tail = x[n // 2 :]
    grain = torch.randn((1, *tail.shape[1:]), generator=generator).to(device)
    tail += grain * 0.08 * draw(len(tail), 1, 1, 1) ** 2
    return x
