"""The frames shown at the wanted times come out, exactly, and little else is decoded."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from daemon.decoder import frames, groups, undated
from daemon.decoder.source import Source
from daemon.media import find_scenes, probe, sample_frames, uniform_times
from tests.clips import (
    boxed,
    numbers,
    textured,
    write_numbered,
    write_video,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

LONG_GROUP = {"preset": "veryfast", "g": "250", "bf": "3", "x264-params": "scenecut=0"}
OPEN_GROUPS = {
    "preset": "veryfast",
    "x264-params": "open-gop=1:keyint=24:min-keyint=24:bframes=3:scenecut=0",
}
HEVC = {"preset": "ultrafast", "x265-params": "keyint=20:open-gop=1:bframes=4:log-level=none"}
REFRESH = {"preset": "veryfast", "x264-params": "intra-refresh=1:keyint=30"}
TIMES = [0.0, 0.039, 0.04, 0.99, 1.0, 1.7, 2.5, 2.52, 5.0, 7.3, 11.9, 11.999]


def shown(times: list[float], fps: float, count: int) -> list[int]:
    """Returns the distinct numbers of the frames shown at `times`."""
    return sorted({min(count - 1, int(time * fps + 1e-6)) for time in times})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("short.mp4", {"preset": "veryfast", "g": "12", "bf": "2"}),
        ("long.mp4", LONG_GROUP),
        ("open.mp4", OPEN_GROUPS),
        ("long.mkv", LONG_GROUP),
        ("open.mkv", OPEN_GROUPS),
        ("long.ts", LONG_GROUP),
        ("open.ts", OPEN_GROUPS),
        ("refresh.mp4", REFRESH),
        ("refresh.ts", REFRESH),
        ("plain.avi", {"preset": "veryfast", "g": "12", "bf": "0"}),
        ("moved.avi", {"preset": "veryfast", "g": "12", "bf": "2"}),
        ("open.avi", OPEN_GROUPS),
        ("long.h264", LONG_GROUP),
        ("open.h264", OPEN_GROUPS),
    ],
)
def test_gives_the_very_frames(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    path = write_numbered(tmp_path / name, 300, options=options)
    found = probe(path)
    sample = sample_frames(path, found, TIMES, long_side=None)
    assert numbers(sample.images) == shown(TIMES, 25, 300)
    assert sample.times == pytest.approx([n / 25 for n in numbers(sample.images)], abs=2e-3)
    assert found.duration == pytest.approx(12.0, abs=0.005)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.webm", "libvpx-vp9", {"cpu-used": "8", "deadline": "realtime", "g": "20"}),
        (
            "hidden.webm",
            "libvpx",
            {"cpu-used": "8", "g": "40", "auto-alt-ref": "1", "lag-in-frames": "10"},
        ),
        ("open.mp4", "libx265", HEVC),
        ("open.ts", "libx265", HEVC),
        ("open.hevc", "libx265", HEVC),
        ("clip.mp4", "libsvtav1", {"preset": "12", "svtav1-params": "keyint=25"}),
        ("clip.avi", "mpeg4", {"g": "20", "bf": "2"}),
        ("clip.mpg", "mpeg2video", {"g": "12", "bf": "2"}),
        ("clip.mov", "mjpeg", {"strict": "unofficial"}),
    ],
)
def test_other_codecs_are_as_exact(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = write_numbered(tmp_path / name, 75, codec=codec, options=options)
    times = [0.0, 0.5, 1.1, 1.98, 2.5, 2.99]
    sample = sample_frames(path, probe(path), times, long_side=None)
    assert numbers(sample.images) == shown(times, 25, 75)


@pytest.mark.parametrize("name", ["uneven.mp4", "uneven.mkv"])
def test_an_uneven_frame_rate_keeps_its_times(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(3)
    steps = rng.choice([10, 40, 100, 700, 2500], size=120, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    stamps = [0, *np.cumsum(steps[:-1]).tolist()]
    path = write_numbered(tmp_path / name, 120, fps=25, stamps=stamps, options=LONG_GROUP)
    found = probe(path)
    assert found.variable_fps
    times = sorted(rng.uniform(0, stamps[-1] / 1000, size=12).tolist())
    sample = sample_frames(path, found, times, long_side=None)
    wanted = sorted({bisect_right(stamps, round(time * 1000)) - 1 for time in times})
    assert numbers(sample.images) == wanted


def test_a_late_start_counts_from_the_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "late.ts"
    write_numbered(path, 100, options=LONG_GROUP, container_options={"output_ts_offset": "37"})
    found = probe(path)
    assert found.start_time > 30
    sample = sample_frames(path, found, [0.0, 1.5, 3.96], long_side=None)
    assert numbers(sample.images) == [0, 37, 99]
    assert sample.times == pytest.approx([0.0, 1.48, 3.96], abs=1e-3)


def test_matroska_without_an_index_or_a_length(tmp_path: Path) -> None:
    path = write_numbered(
        tmp_path / "live.mkv", 300, options=LONG_GROUP, container_options={"live": "1"}
    )
    found = probe(path)
    assert found.frame_count is None
    assert found.duration == pytest.approx(12.0, abs=0.005)
    sample = sample_frames(path, found, TIMES, long_side=None)
    assert numbers(sample.images) == shown(TIMES, 25, 300)


def test_fragmented_mp4(tmp_path: Path) -> None:
    path = tmp_path / "pieces.mp4"
    flags = {"movflags": "frag_keyframe+empty_moov"}
    write_numbered(path, 300, options=OPEN_GROUPS, container_options=flags)
    sample = sample_frames(path, probe(path), TIMES, long_side=None)
    assert numbers(sample.images) == shown(TIMES, 25, 300)


def test_no_more_is_decoded_than_must_be(
    tmp_path: Path, count_decoded: Callable[[ModuleType], list[int]]
) -> None:
    path = write_numbered(
        tmp_path / "clip.mp4", 1500, options={"preset": "veryfast", "g": "50", "bf": "3"}
    )
    found = probe(path)
    decoded = count_decoded(groups)
    with Source.of(path) as source:
        sample = frames.sample_frames(source, found, [50.1, 50.5, 59.0], long_side=None)
    assert numbers(sample.images) == [1252, 1262, 1475]
    # Two groups of 50 pictures, of which those that nothing refers to are passed over.
    assert 3 <= sum(decoded) <= 35


def test_no_more_of_a_raw_stream_is_decoded(
    tmp_path: Path, count_decoded: Callable[[ModuleType], list[int]]
) -> None:
    path = write_numbered(
        tmp_path / "clip.h264", 1500, options={"preset": "veryfast", "g": "50", "bf": "3"}
    )
    found = probe(path)
    assert found.duration == pytest.approx(60.0)
    decoded = count_decoded(undated)
    with Source.of(path) as source:
        sample = frames.sample_frames(source, found, [50.1, 50.5, 59.0], long_side=None)
    assert numbers(sample.images) == [1252, 1262, 1475]
    assert sample.times == pytest.approx([50.08, 50.48, 59.0])
    assert sum(decoded) <= 60


def test_a_raw_stream_counts_on_behind_damage(tmp_path: Path) -> None:
    path = write_numbered(
        tmp_path / "hurt.h264", 300, options={"preset": "veryfast", "g": "25", "bf": "2"}
    )
    data = bytearray(path.read_bytes())
    middle, length = len(data) // 3, len(data) // 30
    data[middle : middle + length] = b"\xff" * length
    path.write_bytes(data)
    found = probe(path)
    sample = sample_frames(path, found, [0.5, 1.5, found.duration - 0.02], long_side=None)
    assert numbers(sample.images) == [12, 37, 299]


@pytest.mark.parametrize("name", ["cut.h264", "cut.avi"])
def test_a_cut_in_an_undated_stream_is_found_to_the_frame(tmp_path: Path, name: str) -> None:
    pictures = [textured(1)] * 40 + [textured(2)] * 90
    options = {"preset": "veryfast", "g": "12", "bf": "3"}
    path = write_video(tmp_path / name, pictures, options=options)
    scenes = find_scenes(path, probe(path))
    assert [scene.start for scene in scenes] == pytest.approx([0.0, 1.6])


def test_a_turned_video_comes_upright(tmp_path: Path) -> None:
    # Stored lying down with the mark at the top left; turned clockwise it is at the top right.
    picture = boxed((0, 0, 0), (255, 0, 0), 0.0, 0.0, 0.4)
    path = write_video(tmp_path / "phone.mp4", [picture] * 10, rotation=90)
    found = probe(path)
    assert (found.rotation, found.width, found.height) == (90, 96, 128)
    image = sample_frames(path, found, [0.1], long_side=64).images[0]
    assert image.shape == (64, 48, 3)
    assert image[4, 43, 0] > 180
    assert image[4, 4, 0] < 60


def test_wide_pixels_come_square(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "wide.mp4", 10, aspect=Fraction(4, 3))
    found = probe(path)
    assert (found.width, found.height) == (85, 48)
    sample = sample_frames(path, found, [0.2], long_side=None)
    assert sample.images.shape == (1, 48, 85, 3)
    assert numbers(sample.images) == [5]


def test_scaling_keeps_the_aspect_and_never_enlarges(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 5)
    found = probe(path)
    assert sample_frames(path, found, [0.0], long_side=33).images.shape == (1, 25, 33, 3)
    assert sample_frames(path, found, [0.0], long_side=500).images.shape == (1, 48, 64, 3)


def test_one_frame_is_enough(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "one.mp4", 1)
    found = probe(path)
    assert found.duration == pytest.approx(0.04)
    sample = sample_frames(path, found, uniform_times(0, found.duration, 8), long_side=None)
    assert (numbers(sample.images), sample.times) == ([0], (0.0,))


def test_damage_in_the_middle_gives_the_nearest_picture(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "hurt.mkv", 200, options={"preset": "veryfast", "g": "20"})
    found = probe(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 12] = b"\xff" * (len(data) // 12)
    path.write_bytes(data)
    sample = sample_frames(path, found, uniform_times(0, 8, 16), long_side=None)
    assert len(sample.images) >= 10
    exact = [
        n
        for n, time in zip(numbers(sample.images), sample.times, strict=True)
        if n == round(time * 25)
    ]
    assert len(exact) >= len(sample.images) - 2


def test_colours_survive(tmp_path: Path) -> None:
    picture = boxed((40, 160, 230), (230, 40, 40), 0.2, 0.2, 0.6)
    path = write_video(tmp_path / "clip.mp4", [picture] * 5)
    image = sample_frames(path, probe(path), [0.1], long_side=None).images[0].astype(int)
    assert np.abs(image[5, 120] - (40, 160, 230)).max() < 12
    assert np.abs(image[48, 48] - (230, 40, 40)).max() < 12


def test_uniform_times_are_the_middles_of_equal_parts() -> None:
    assert uniform_times(2.0, 4.0, 4) == (2.25, 2.75, 3.25, 3.75)
