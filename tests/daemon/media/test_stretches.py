"""Stretches of a video, searched apart, give what searching it at once gives; so does the fast mode."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from daemon.decoder import scenes, searching
from daemon.decoder.scenes import Mode, Stretch, scenes_from, stretches
from daemon.decoder.searching import search_stretch
from daemon.decoder.source import Source
from daemon.media import probe
from tests.clips import Picture, textured, write_video

if TYPE_CHECKING:
    from pathlib import Path

FPS = 25
LENGTHS = (55, 41, 70, 33, 64, 90, 47, 58, 80, 66)
"""Frames of the shots."""
CUTS = (np.cumsum(LENGTHS)[:-1] / FPS).tolist()


def film() -> list[Picture]:
    """Returns shots of pictures at rest with grain."""
    pictures = []
    for shot, length in enumerate(LENGTHS):
        wide = np.hstack([textured(100 * shot + part, (96, 96)) for part in range(2)])
        for index in range(length):
            part = wide[:, 20:148].astype(float)
            part += np.random.default_rng(1000 * shot + index).normal(0, 3, part.shape)
            pictures.append(np.clip(part, 0, 255).astype(np.uint8))
    return pictures


def write_film(path: Path, **options: str) -> Path:
    return write_video(path, film(), options={"preset": "veryfast", **options})


def searched(path: Path, edges: list[float], mode: Mode = "exact") -> list[Stretch]:
    """Searches the stretches between edges."""
    found = probe(path)
    with Source.of(path) as source:
        return [search_stretch(source, found, a, b, mode=mode) for a, b in pairwise(edges)]


def cuts_of(found: list[Stretch]) -> list[float]:
    return [cut.time for part in found for cut in part.cuts]


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.ts", "film.flv"])
def test_stretches_find_what_the_whole_does(tmp_path: Path, name: str) -> None:
    # Groups of pictures are longer than the stretches.
    path = write_film(tmp_path / name, g="250", sc_threshold="0")
    duration = probe(path).duration
    (whole,) = searched(path, [0.0, duration])
    parts = searched(path, [*np.arange(0.0, duration - 1, 2.0).tolist(), duration])
    assert cuts_of(parts) == cuts_of([whole]) == pytest.approx(CUTS, abs=0.002)
    assert np.concatenate([part.times for part in parts]).tolist() == whole.times.tolist()
    assert len(whole.times) == sum(LENGTHS)
    assert [turn.time for part in parts for turn in part.turns] == [t.time for t in whole.turns]
    assert scenes_from(probe(path), parts)[0].end == scenes_from(probe(path), [whole])[0].end


def test_a_dissolve_at_the_edge_of_a_stretch_is_found_once(tmp_path: Path) -> None:
    shots = film()
    first, second = shots[:55], shots[263:338]
    between = [
        ((1 - i / 26) * first[-1] + i / 26 * second[0].astype(float)).astype(np.uint8)
        for i in range(1, 26)
    ]
    path = write_video(tmp_path / "dissolve.mp4", first + between + second)
    duration = probe(path).duration
    for edge in (2.2, 2.6, 2.72, 2.8, 3.2):
        (found,) = cuts_of(searched(path, [0.0, edge, duration]))
        assert found == pytest.approx(2.72, abs=0.2)


def test_stretches_are_fixed_and_cover_the_video(tmp_path: Path) -> None:
    found = probe(write_film(tmp_path / "film.mp4"))
    assert stretches(found) == [(0.0, found.duration)]
    long = replace(found, duration=10 * 3600.0 - 7)
    parts = stretches(long)
    assert parts[0][0] == 0.0
    assert parts[-1][1] == long.duration
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert all(150 <= end - start <= 450 for start, end in parts)
    assert parts[:5] == stretches(replace(found, duration=5000.0))[:5]
    assert stretches(replace(long, format="mpeg")) == [(0.0, long.duration)]


def test_a_video_of_several_stretches_is_searched_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(tmp_path / "film.mp4")
    found = probe(path)
    with Source.of(path) as source:
        whole = searching.find_scenes(source, found)
        monkeypatch.setattr(scenes, "_STRETCH", 5.0)
        heard: list[float] = []
        parts = searching.find_scenes(source, found, progress=heard.append)
    assert [scene.start for scene in parts] == [scene.start for scene in whole]
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(set(heard)) > 5


@pytest.mark.parametrize("options", [{}, {"g": "60", "keyint_min": "60", "sc_threshold": "0"}])
def test_the_fast_mode_finds_cuts(tmp_path: Path, options: dict[str, str]) -> None:
    path = write_film(tmp_path / "film.mp4", **options)
    found = probe(path)
    (fast,) = searched(path, [0.0, found.duration], "fast")
    assert cuts_of([fast]) == pytest.approx(CUTS, abs=0.1)
    assert len(fast.times) == sum(LENGTHS)
    assert all(scene.moments == () for scene in scenes_from(found, [fast]))
    parts = searched(path, [0.0, 10.0, found.duration], "fast")
    assert cuts_of(parts) == pytest.approx(CUTS, abs=0.1)


def test_the_fast_mode_of_a_single_shot_finds_none(tmp_path: Path) -> None:
    pictures = [textured(3)] * 200
    path = write_video(tmp_path / "one.mp4", pictures, options={"g": "40"})
    (fast,) = searched(path, [0.0, probe(path).duration], "fast")
    assert fast.cuts == ()


@pytest.mark.parametrize("options", [{"g": "1"}, {"g": "2"}])
def test_the_fast_mode_decodes_all_where_key_frames_save_nothing(
    tmp_path: Path, options: dict[str, str]
) -> None:
    path = write_film(tmp_path / "film.mp4", **options)
    (fast,) = searched(path, [0.0, probe(path).duration], "fast")
    assert cuts_of([fast]) == pytest.approx(CUTS, abs=0.1)


def test_long_takes_are_split_where_content_turns(tmp_path: Path) -> None:
    one, other = textured(1).astype(float), textured(2).astype(float)
    # It takes 4 s to become something else, too slow for a transition.
    shares = np.concatenate([np.zeros(70), np.linspace(0, 1, 40), np.ones(60)])
    pictures = [((1 - share) * one + share * other).astype(np.uint8) for share in shares]
    path = write_video(tmp_path / "long.mp4", pictures, fps=10)
    found = probe(path)
    with Source.of(path) as source:
        first, second = searching.find_scenes(source, found, max_seconds=10.0)
        assert (first, second) == searching.find_scenes(source, found, max_seconds=10.0)
    assert first.end == second.start == pytest.approx(9.0, abs=1.01)
    assert max(first.end, found.duration - first.end) <= 10.0
