"""Dissolves and fades are one boundary each, in their middle; motion and light make none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from daemon.media import find_scenes, probe
from tests.clips import Picture, boxed, plain, textured, write_video

if TYPE_CHECKING:
    from pathlib import Path

FPS = 25
SKY, RED = (130, 190, 235), (220, 30, 30)


def boundaries(path: Path) -> list[float]:
    """Returns where scenes after the first begin, in seconds."""
    return [scene.start for scene in find_scenes(path, probe(path))[1:]]


def grainy(picture: Picture, seed: int) -> Picture:
    """Adds the grain of a camera."""
    noise = np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def mixed(one: Picture, other: Picture, share: float) -> Picture:
    return ((1 - share) * one + share * other.astype(float)).astype(np.uint8)


def passing(first: Picture, second: Picture, count: int, rest: int = 60) -> list[Picture]:
    """Returns a picture that turns into another within `count` frames."""
    between = [mixed(first, second, (i + 1) / (count + 1)) for i in range(count)]
    return [grainy(p, i) for i, p in enumerate([first] * rest + between + [second] * rest)]


@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.0, 2.8])
def test_a_dissolve_is_one_boundary_in_its_middle(tmp_path: Path, seconds: float) -> None:
    count = round(seconds * FPS)
    path = write_video(tmp_path / "dissolve.mp4", passing(textured(1), textured(2), count))
    (found,) = boundaries(path)
    assert found == pytest.approx(60 / FPS + seconds / 2, abs=0.15 + seconds / 8)


@pytest.mark.parametrize("ground", [(0, 0, 0), (16, 16, 18), (250, 250, 250)])
@pytest.mark.parametrize("seconds", [0.4, 1.0, 2.0])
def test_a_fade_is_one_boundary_in_its_middle(
    tmp_path: Path, ground: tuple[int, int, int], seconds: float
) -> None:
    half = round(seconds * FPS / 2)
    out = passing(textured(1), plain(ground), half)[: 60 + half]
    back = passing(plain(ground), textured(2), half)[60:]
    (found,) = boundaries(write_video(tmp_path / "fade.mp4", out + back))
    assert found == pytest.approx((60 + half) / FPS, abs=0.2)


def test_a_flash_between_alike_pictures_is_none(tmp_path: Path) -> None:
    pictures = [grainy(textured(1), i) for i in range(100)]
    for index, strength in enumerate((0.95, 0.8, 0.5, 0.2)):
        pictures[50 + index] = mixed(pictures[50], plain((255, 255, 255)), strength)
    assert boundaries(write_video(tmp_path / "flash.mp4", pictures)) == []


def test_light_that_changes_slowly_is_none(tmp_path: Path) -> None:
    levels = np.concatenate([np.full(50, 1.0), np.linspace(1.0, 0.45, 40), np.full(50, 0.45)])
    pictures = [grainy((textured(1) * level).astype(np.uint8), i) for i, level in enumerate(levels)]
    assert boundaries(write_video(tmp_path / "light.mp4", pictures)) == []


@pytest.mark.parametrize("step", [2, 5, 12])
def test_a_pan_is_none(tmp_path: Path, step: int) -> None:
    wide = np.hstack([textured(seed, (100, 96)) for seed in range(13)])
    lefts = [0] * 30 + [step * i for i in range(80)] + [step * 79] * 30
    pictures = [np.ascontiguousarray(wide[:, left : left + 128]) for left in lefts]
    assert boundaries(write_video(tmp_path / "pan.mp4", pictures)) == []


def test_a_zoom_is_none(tmp_path: Path) -> None:
    whole = textured(5, (512, 384))
    pictures = []
    for index in range(90):
        height = round(384 * (1 - 0.6 * index / 90))
        rows = np.linspace(192 - height / 2, 191 + height / 2, 96).astype(int).clip(0, 383)
        columns = np.linspace(256 - height * 2 / 3, 255 + height * 2 / 3, 128)
        pictures.append(np.ascontiguousarray(whole[rows][:, columns.astype(int).clip(0, 511)]))
    assert boundaries(write_video(tmp_path / "zoom.mp4", pictures)) == []


def test_a_large_thing_that_moves_slowly_is_none(tmp_path: Path) -> None:
    pictures = [boxed(SKY, RED, -0.9 + 2.3 * i / 120, 0.05, 0.9) for i in range(120)]
    assert boundaries(write_video(tmp_path / "thing.mp4", pictures)) == []
