"""Moments cover a scene for every number of frames, and hold what even times miss."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.decoder.moments import MOST, choose_moments
from daemon.decoder.novelty import Novelty, Signals
from daemon.media import adaptive_times, find_scenes, probe, uniform_times
from tests.clips import Picture, boxed, plain, textured, write_video

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from daemon.media import SceneSpan

BROWN, SKY, PALE = (120, 75, 40), (130, 190, 235), (135, 90, 50)
SIZE = (192, 108)
FPS = 15
SECONDS = 20


def only_scene(path: Path) -> SceneSpan:
    """Returns the scene of a video that has one."""
    (scene,) = find_scenes(path, probe(path))
    return scene


def film(path: Path, pictures: list[Picture], fps: int = FPS, crf: int = 24) -> SceneSpan:
    options = {"preset": "veryfast", "crf": str(crf)}
    return only_scene(write_video(path, pictures, fps=fps, options=options))


def widest(times: Sequence[float], start: float, end: float) -> float:
    """Returns the widest gap in seconds; a frame at even times stands half a gap from the edges."""
    inner = [after - before for before, after in pairwise(times)]
    return max(2 * (times[0] - start), 2 * (end - times[-1]), *inner, 0.0)


def mover(index: int, count: int) -> Picture:
    """Draws a square on its way through a clip of `count` frames."""
    return boxed(BROWN, (40, 180, 60), 1.5 * index / count, 0.1, 0.25, SIZE)


def with_guest(picture: Picture) -> Picture:
    """Adds a small pale square, as large as a disc of 9 % of the short side."""
    guest = picture.copy()
    guest[70:88, 30:48] = PALE
    return guest


@pytest.mark.parametrize("crf", [18, 30])
@pytest.mark.parametrize("fps", [12, 25, 60])
def test_what_is_there_for_a_moment_is_among_the_first_eight(
    tmp_path: Path, fps: int, crf: int
) -> None:
    count, begin = 10 * fps, 4.6
    pictures = [
        with_guest(mover(i, count)) if begin <= i / fps < begin + 0.3 else mover(i, count)
        for i in range(count)
    ]
    scene = film(tmp_path / "brief.mp4", pictures, fps, crf)
    assert any(begin - 1e-3 <= time < begin + 0.3 for time in scene.moments[:8])
    assert not any(begin <= time < begin + 0.3 for time in uniform_times(0, 10, 8))


def test_a_moment_stands_out_beside_something_that_blinks_all_the_time(tmp_path: Path) -> None:
    on, off = boxed(SKY, (220, 30, 30), 0.9, 0.1, 0.4, SIZE), plain(SKY, SIZE)
    pictures = [on if i // 5 % 2 else off for i in range(SECONDS * FPS)]
    begin = 202
    pictures[begin : begin + 5] = [with_guest(picture) for picture in pictures[begin : begin + 5]]
    scene = film(tmp_path / "blink.mp4", pictures)
    assert any(begin / FPS - 1e-3 <= time < (begin + 5) / FPS for time in scene.moments[:8])
    shown = [pictures[round(time * FPS)] for time in scene.moments[:8]]
    assert {bool((picture[30, 100] == (220, 30, 30)).all()) for picture in shown} == {True, False}


def test_a_burst_of_motion_gets_more_frames(tmp_path: Path) -> None:
    count = SECONDS * FPS
    # The square rests, crosses the picture between 12 s and 16 s, and rests again.
    places = [min(max((i / FPS - 12) / 4, 0.0), 1.0) for i in range(count)]
    pictures = [mover(round(100 * place), 100) for place in places]
    scene = film(tmp_path / "burst.mp4", pictures)
    for frames in (8, 16):
        within = [time for time in scene.moments[:frames] if 12 <= time < 16]
        assert len(within) >= 1.5 * frames * 4 / SECONDS


def test_where_nothing_happens_times_are_even(tmp_path: Path) -> None:
    scene = film(tmp_path / "still.mp4", [textured(3)] * (4 * FPS))
    assert scene.moments == ()
    assert adaptive_times(scene.moments, 0.0, 4.0, 8) == uniform_times(0.0, 4.0, 8)


def test_steady_motion_is_shown_at_even_times(tmp_path: Path) -> None:
    count = 6 * FPS
    scene = film(tmp_path / "steady.mp4", [mover(i, count) for i in range(count)])
    times = adaptive_times(scene.moments, 0.0, 6.0, 8)
    assert widest(times, 0.0, 6.0) <= 2 * 6 / 8


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_video_of_few_frames_has_few_moments(tmp_path: Path, count: int) -> None:
    scene = film(tmp_path / "few.mp4", [textured(seed) for seed in range(count)])
    assert len(scene.moments) <= count
    assert all(scene.start <= moment < scene.end for moment in scene.moments)
    assert len(adaptive_times(scene.moments, scene.start, scene.end, 8)) == 8


def test_every_scene_has_moments_of_its_own(tmp_path: Path) -> None:
    first = [with_guest(mover(i, 75)) if 30 <= i < 34 else mover(i, 75) for i in range(75)]
    still = [textured(1, SIZE)] * 75
    second = [np.ascontiguousarray(picture[::-1]) for picture in first]
    path = write_video(tmp_path / "cut.mp4", first + still + second, fps=FPS)
    scenes = find_scenes(path, probe(path))
    assert len(scenes) == 3
    for scene in scenes:
        assert all(scene.start <= moment < scene.end for moment in scene.moments)
    assert any(30 / FPS - 1e-3 <= time < 34 / FPS for time in scenes[0].moments[:8])
    assert any(180 / FPS - 1e-3 <= time < 184 / FPS for time in scenes[2].moments[:8])


def test_moments_are_times_of_frames_even_where_the_rate_varies(tmp_path: Path) -> None:
    steps = np.random.default_rng(1).integers(20, 200, size=120).cumsum().tolist()
    pictures = [with_guest(mover(i, 120)) if 60 <= i < 63 else mover(i, 120) for i in range(120)]
    path = write_video(tmp_path / "vfr.mkv", pictures, stamps=[0, *steps[:-1]])
    scene = only_scene(path)
    shown = np.array([0, *steps[:-1]]) / 1000
    assert scene.moments
    for moment in scene.moments:
        assert np.abs(shown - moment).min() < 0.002


def noisy_signals(seed: int, count: int, step: float) -> Signals:
    rng = np.random.default_rng(seed)
    rarity = rng.exponential(3.0, count) * (rng.random(count) < 0.3)
    change = rng.exponential(50.0, count) * (rng.random(count) < rng.random())
    return Signals(np.arange(count, dtype=np.float64) * step, rarity, rarity[::-1], change)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    count=st.integers(1, 900),
    step=st.sampled_from([1 / 17, 1 / 12, 0.2]),
    start=st.floats(0, 20),
    length=st.floats(0.01, 80),
)
def test_every_prefix_covers_its_scene(
    seed: int, count: int, step: float, start: float, length: float
) -> None:
    shown = [index * step / 2 for index in range(2 * count)]
    end = min(start + length, shown[-1] + step)
    if end <= start:
        return
    moments = choose_moments(noisy_signals(seed, count, step), shown, start, end)
    assert len(set(moments)) == len(moments) <= MOST
    assert set(moments) <= set(shown)
    assert all(start <= moment < end for moment in moments)
    for number in range(1, len(moments) + 1):
        gap = widest(sorted(moments[:number]), start, end)
        # Frames stand apart, so a middle is met to within half a step at each end.
        assert gap <= 2.5 * (end - start) / number + 2 * step


@settings(max_examples=100, deadline=None)
@given(
    moments=st.lists(st.floats(0, 30), max_size=MOST),
    start=st.floats(0, 10),
    length=st.floats(0.001, 20),
    count=st.integers(1, 64),
)
def test_times_are_as_many_as_asked_for_rising_and_inside(
    moments: list[float], start: float, length: float, count: int
) -> None:
    end = start + length
    times = adaptive_times([round(moment, 3) for moment in moments], start, end, count)
    assert len(times) == count
    assert list(times) == sorted(times)
    assert all(start <= time < end for time in times)


def test_the_first_moments_are_the_sample(tmp_path: Path) -> None:
    moments = tuple(float(time) for time in np.random.default_rng(5).permutation(32))
    for count in range(1, 33):
        assert adaptive_times(moments, 0.0, 32.0, count) == tuple(sorted(moments[:count]))


def test_fewer_moments_are_filled_up_in_the_widest_gaps() -> None:
    assert adaptive_times((5.0,), 0.0, 10.0, 3) == pytest.approx((5 / 3, 5.0, 25 / 3))


def test_memory_does_not_grow_with_the_video() -> None:
    novelty = Novelty()
    stamp = np.zeros((3, 36, 64), dtype=np.int16)
    for index in range(3000):
        novelty.add(index / 12, stamp)
        assert len(novelty._window) <= 360
    assert len(novelty.finish().times) == 3000
