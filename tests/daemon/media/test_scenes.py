"""Boundaries are found to the frame at hard cuts, and nowhere else."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from catalog.errors import InterruptedByUserError
from daemon.media import SceneSpan, find_scenes, probe
from tests.clips import Picture, boxed, moving_box, plain, textured, write_video

if TYPE_CHECKING:
    from pathlib import Path

BROWN, SKY, GREY = (120, 75, 40), (130, 190, 235), (128, 128, 128)
RED, GREEN, YELLOW = (220, 30, 30), (40, 180, 60), (240, 220, 40)


def starts(path: Path, **limits: float) -> list[float]:
    """Returns where scenes begin, in seconds, after checking that they cover the video."""
    found = probe(path)
    scenes = find_scenes(path, found, **limits)  # type: ignore[arg-type]
    check_cover(scenes, found.duration)
    return [scene.start for scene in scenes]


def check_cover(scenes: tuple[SceneSpan, ...], duration: float) -> None:
    assert scenes[0].start == 0.0
    assert scenes[-1].end == duration
    for scene, following in pairwise(scenes):
        assert scene.end == following.start
    assert all(scene.start <= scene.keyframe < scene.end for scene in scenes)


def shaken(picture: Picture, seed: int) -> Picture:
    """Adds the grain of a camera."""
    noise = np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def blinking(
    ground: tuple[int, int, int], colour: tuple[int, int, int], count: int
) -> list[Picture]:
    on, off = boxed(ground, colour, 0.3, 0.2, 0.6), plain(ground)
    return [on if index // 12 % 2 == 0 else off for index in range(count)]


def growing(
    ground: tuple[int, int, int], colour: tuple[int, int, int], count: int
) -> list[Picture]:
    sides = [0.1 + 0.7 * index / count for index in range(count)]
    return [boxed(ground, colour, 0.6 - side / 2, 0.5 - side / 2, side) for side in sides]


@pytest.mark.parametrize("fps", [12, 25, 60])
@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.ts"])
def test_a_cut_is_found_to_the_frame(tmp_path: Path, fps: int, name: str) -> None:
    pictures = [
        *moving_box(BROWN, RED, fps * 2 + 3),
        *growing(SKY, GREEN, fps + 2),
        *moving_box(GREY, YELLOW, fps + 1),
    ]
    path = write_video(tmp_path / name, pictures, fps=fps)
    cuts = [(fps * 2 + 3) / fps, (fps * 3 + 5) / fps]
    assert starts(path) == pytest.approx([0.0, *cuts], abs=1.5e-3)


def test_a_cut_before_the_same_ground_is_found(tmp_path: Path) -> None:
    pictures = moving_box(BROWN, RED, 50) + [boxed(BROWN, GREEN, 0.9, 0.1, 0.35)] * 50
    assert starts(write_video(tmp_path / "cut.mp4", pictures)) == [0.0, 2.0]


@pytest.mark.parametrize("fps", [12, 30])
@pytest.mark.parametrize("motion", [moving_box, blinking, growing])
def test_one_shape_is_one_scene(tmp_path: Path, motion: object, fps: int) -> None:
    pictures = motion(SKY, RED, 3 * fps)  # type: ignore[operator]
    assert starts(write_video(tmp_path / "one.mp4", pictures, fps=fps)) == [0.0]


def test_a_shrinking_shape_is_one_scene(tmp_path: Path) -> None:
    pictures = growing(BROWN, YELLOW, 40)[::-1]
    assert starts(write_video(tmp_path / "one.mp4", pictures)) == [0.0]


def test_cuts_between_noisy_textures(tmp_path: Path) -> None:
    shots = [[shaken(textured(shot), 100 * shot + i) for i in range(30)] for shot in range(4)]
    path = write_video(tmp_path / "shots.mp4", [picture for shot in shots for picture in shot])
    assert starts(path) == pytest.approx([0.0, 1.2, 2.4, 3.6])


def test_a_flash_is_no_cut(tmp_path: Path) -> None:
    pictures = [shaken(textured(1), i) for i in range(75)]
    pictures[30:33] = [plain((250, 250, 250))] * 3
    assert starts(write_video(tmp_path / "flash.mp4", pictures)) == [0.0]


def test_a_fast_pan_is_no_cut(tmp_path: Path) -> None:
    wide = textured(7, (1200, 96))
    still, turn = [0] * 20, [60 * step for step in range(1, 18)]
    pictures = [wide[:, left : left + 128] for left in [*still, *turn, *[turn[-1]] * 20]]
    assert starts(
        write_video(tmp_path / "pan.mp4", [np.ascontiguousarray(p) for p in pictures])
    ) == [0.0]


def test_long_takes_are_split_evenly(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", [textured(3)] * 50, fps=5)
    assert starts(path, max_seconds=4.0) == pytest.approx([0.0, 10 / 3, 20 / 3])


def test_very_short_shots_join_a_neighbour(tmp_path: Path) -> None:
    pictures = [textured(1)] * 40 + [textured(2)] * 10 + [textured(3)] * 40
    path = write_video(tmp_path / "short.mp4", pictures)
    assert len(starts(path)) == 2
    assert len(starts(path, min_seconds=0.3)) == 3


def test_one_frame_is_one_scene(tmp_path: Path) -> None:
    path = write_video(tmp_path / "one.mp4", [textured(1)])
    assert starts(path) == [0.0]


def test_the_same_file_gives_the_same_scenes_and_tells_its_progress(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mp4", [textured(1)] * 60 + [textured(2)] * 60)
    heard: list[float] = []
    found = probe(path)
    first = find_scenes(path, found, progress=heard.append)
    assert first == find_scenes(path, found)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_it_stops_when_told_to(tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mp4", [textured(1)] * 60 + [textured(2)] * 60)
    with pytest.raises(InterruptedByUserError):
        find_scenes(path, probe(path), should_stop=lambda: True)
