"""Real footage, where it lies beside the checkout, is read sanely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from daemon.media import find_scenes, probe, sample_frames, uniform_times

FOOTAGE = Path(__file__).parents[4] / "shared" / "videos"
LENGTHS = {
    "bottle-detection.mp4": 39.85,
    "car-detection.mp4": 30.16,
    "book.mkv": 3.63,
    "eat.mkv": 1.57,
    "walk.mkv": 2.97,
}

pytestmark = pytest.mark.skipif(not FOOTAGE.is_dir(), reason="no footage beside the checkout")


@pytest.mark.parametrize(("name", "seconds"), LENGTHS.items())
def test_it_probes_samples_and_has_one_shot(name: str, seconds: float) -> None:
    path = FOOTAGE / name
    found = probe(path)
    assert found.duration == pytest.approx(seconds, abs=0.01)
    assert found.codec == "h264"
    assert not found.variable_fps
    times = uniform_times(0.0, found.duration, 8)
    sample = sample_frames(path, found, times, long_side=336)
    assert sample.images.shape[0] == 8
    assert max(sample.images.shape[1:3]) == 336
    assert sample.images.dtype == np.uint8
    delays = np.array(times) - np.array(sample.times)
    assert delays.min() > -0.001
    assert delays.max() < 1 / found.fps + 0.002
    scenes = find_scenes(path, found)
    assert [(scene.start, scene.end) for scene in scenes] == [(0.0, found.duration)]
