"""Groups of pictures decode to the very pictures, on however many threads; or only their key frames."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from catalog.errors import ErrorCode
from daemon.decoder import groups
from daemon.decoder.container import opened, packets_of, stamp_of
from daemon.decoder.frames import sample_frames
from daemon.decoder.probe import probe
from daemon.decoder.references import References
from daemon.decoder.source import failure
from daemon.media import MediaError, Source, uniform_times
from tests.clips import numbers, textured, write_numbered, write_video

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    import numpy.typing as npt

    from daemon.decoder.facts import Frames

    Pixels = npt.NDArray[np.uint8]

COUNT = 120
H264 = {"preset": "veryfast", "g": "40", "bf": "3", "x264-params": "scenecut=0:b-pyramid=normal"}
HEVC = {"preset": "veryfast", "x265-params": "keyint=40:bframes=4:log-level=none"}
LAYERS = {
    "preset": "veryfast",
    "x265-params": "keyint=40:bframes=7:b-adapt=0:temporal-layers=3:log-level=none",
}
AV1 = {"preset": "8", "svtav1-params": "keyint=40"}
VP9 = {"cpu-used": "5", "deadline": "good", "g": "40", "auto-alt-ref": "1", "lag-in-frames": "16"}
REFRESH = {"preset": "veryfast", "x264-params": "intra-refresh=1:keyint=30"}
ENCODINGS = [
    ("clip.mp4", "libx264", H264),
    ("clip.ts", "libx264", H264),
    ("clip.mkv", "libx264", {"preset": "veryfast", "x264-params": "open-gop=1:keyint=40"}),
    ("hevc.mp4", "libx265", HEVC),
    ("layers.mp4", "libx265", LAYERS),
    ("layers.ts", "libx265", LAYERS),
    ("av1.mp4", "libsvtav1", AV1),
    ("av1.webm", "libsvtav1", AV1),
    ("vp9.webm", "libvpx-vp9", VP9),
    ("mpeg4.mp4", "mpeg4", {"g": "40", "bf": "2"}),
    ("mpeg2.ts", "mpeg2video", {"g": "15", "bf": "2"}),
]


def drifting(count: int) -> Iterator[Pixels]:
    """Gives pictures of which each can be told from all others, and which move."""
    whole = np.kron(textured(5, (512, 384)), np.ones((1, 1, 1), np.uint8))
    noise = np.random.default_rng(1).integers(0, 30, size=whole.shape, dtype=np.uint8)
    for number in range(count):
        moved = np.roll(whole + noise, (2 * number, 3 * number), axis=(0, 1))
        yield np.ascontiguousarray(moved[:96, :128])


def all_pixels(path: Path) -> dict[int, Pixels]:
    """Decodes everything, one after the other."""
    with av.open(str(path)) as container:
        return {
            frame.pts: frame.to_ndarray()
            for frame in container.decode(video=0)
            if frame.pts is not None
        }


def shown_pixels(path: Path, ticks: list[int]) -> dict[int, Pixels]:
    """Decodes what is shown at some ticks."""
    with Source.of(path) as source, opened(source) as (container, stream):
        return groups.shown_pictures(
            source, container, stream, ticks, min(ticks), lambda: lambda frame: frame.to_ndarray()
        )


def sampled(path: Path, times: list[float], *, exact: bool = True) -> Frames:
    """Samples a file without scaling."""
    with Source.of(path) as source:
        return sample_frames(source, probe(source), times, long_side=None, exact=exact)


@pytest.fixture
def four_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine of four cores, with so much to decode that all are worth their while."""
    monkeypatch.setattr(groups, "_CORES", 4)
    monkeypatch.setattr(groups, "_SHARE", 1)


@pytest.mark.parametrize(("name", "codec", "options"), ENCODINGS)
def test_every_pixel_is_that_of_decoding_everything(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], four_threads: None
) -> None:
    path = write_video(tmp_path / name, drifting(COUNT), codec=codec, options=options)
    expected = all_pixels(path)
    assert len(expected) == COUNT
    stamps = sorted(expected)
    # A few at a time, so that much is passed over; in the end each has been asked for.
    for first in range(0, 23, 2):
        ticks = stamps[first::23]
        found = shown_pixels(path, ticks)
        assert sorted(found) == ticks
        assert all(np.array_equal(found[tick], expected[tick]) for tick in ticks)


def test_av1_is_not_decoded_where_nothing_refers_to_it(
    tmp_path: Path, count_decoded: Callable[[ModuleType], list[int]]
) -> None:
    path = write_video(tmp_path / "clip.mp4", drifting(64), codec="libsvtav1", options=AV1)
    decoded = count_decoded(groups)
    last = max(all_pixels(path))
    assert sorted(shown_pixels(path, [0, last])) == [0, last]
    assert sum(decoded) < 48, sum(decoded)


def test_av1_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", drifting(30), codec="libsvtav1", options=AV1)
    rng = np.random.default_rng(0)
    with Source.of(path) as source, opened(source) as (container, stream):
        references = References(stream)
        for packet in packets_of(container, stream):
            data = bytes(packet)
            for damaged in (data[:3], data[: len(data) // 2], rng.bytes(len(data)), b"\x32\xff"):
                needed = references.needed(av.Packet(damaged), wanted=False)
                assert needed is None or len(bytes(needed)) <= len(damaged)


def test_more_threads_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 400, options=H264)
    times = list(uniform_times(0.0, 16.0, 29))
    monkeypatch.setattr(groups, "_SHARE", 1)
    samples = []
    for cores in (1, 2, 3, 4):
        monkeypatch.setattr(groups, "_CORES", cores)
        samples += [sampled(path, times) for _ in range(3)]
    assert numbers(samples[0].images) == [int(time * 25) for time in times]
    for sample in samples[1:]:
        assert sample.times == samples[0].times
        assert np.array_equal(sample.images, samples[0].images)


def test_a_damaged_file_gives_the_same_on_more_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_numbered(tmp_path / "hurt.mkv", 400, options=H264)
    data = bytearray(path.read_bytes())
    for share in (0.3, 0.6):
        place = int(len(data) * share)
        data[place : place + len(data) // 20] = b"\xff" * (len(data) // 20)
    path.write_bytes(data)
    monkeypatch.setattr(groups, "_SHARE", 1)
    samples = []
    for cores in (1, 4, 4):
        monkeypatch.setattr(groups, "_CORES", cores)
        samples.append(sampled(path, list(uniform_times(0.0, 16.0, 29))))
    assert len(samples[0].images) >= 20
    for sample in samples[1:]:
        assert sample.times == samples[0].times
        assert np.array_equal(sample.images, samples[0].images)


def test_without_more_threads_one_does_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, four_threads: None
) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 200, options=H264)

    def refuse(*arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    assert numbers(sampled(path, [0.0, 3.0, 6.0]).images) == [0, 75, 150]


def test_what_goes_wrong_on_another_thread_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, four_threads: None
) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 200, options=H264)

    @contextmanager
    def refuse(source: Source) -> Iterator[None]:
        raise failure(ErrorCode.OUT_OF_MEMORY, source.path, "needs more memory", "close programs")
        yield

    monkeypatch.setattr(groups, "opened", refuse)
    with pytest.raises(MediaError) as caught:
        sampled(path, [0.0, 3.0, 6.0])
    assert caught.value.code is ErrorCode.OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [*ENCODINGS[:5], *ENCODINGS[6:]],
)
def test_near_enough_is_the_nearest_key_frame(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = write_numbered(tmp_path / name, 200, codec=codec, options=options)
    with Source.of(path) as source, opened(source) as (container, stream):
        stamps = [stamp_of(it) for it in packets_of(container, stream) if it.is_keyframe]
        base = float(stream.time_base or 1)
    keys = [(stamp - stamps[0]) * base for stamp in stamps]
    times = [0.1, 0.7, 1.9, 3.1, 3.3, 4.9, 7.9]
    sample = sampled(path, times, exact=False)
    nearest = sorted({min(keys, key=lambda key: abs(key - time)) for time in times})
    assert sample.times == pytest.approx(nearest, abs=0.002)
    assert numbers(sample.images) == [round(time * 25) for time in sample.times]


def test_near_enough_decodes_key_frames_only(
    tmp_path: Path, count_decoded: Callable[[ModuleType], list[int]]
) -> None:
    path = write_numbered(tmp_path / "clip.mp4", 400, options=H264)
    decoded = count_decoded(groups)
    sample = sampled(path, list(uniform_times(0.0, 16.0, 8)), exact=False)
    assert len(sample.images) == sum(decoded)
    assert set(numbers(sample.images)) <= set(range(0, 400, 40))


@pytest.mark.parametrize("name", ["refresh.mp4", "refresh.ts", "refresh.mkv"])
def test_near_enough_is_whole_where_key_frames_are_not(tmp_path: Path, name: str) -> None:
    path = write_video(tmp_path / name, drifting(COUNT), options=REFRESH)
    expected = all_pixels(path)
    sample = sampled(path, [0.3, 2.0, 4.5], exact=False)
    stamps = sorted(expected)
    with av.open(str(path)) as container:
        base = float(container.streams.video[0].time_base or 1)
    for time in sample.times:
        assert min(abs((stamp - stamps[0]) * base - time) for stamp in stamps) < 0.002
    assert len(sample.images) == len(set(sample.times)) >= 1


def test_near_enough_without_any_index(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "live.mkv", 200, options=H264, container_options={"live": "1"})
    sample = sampled(path, [0.1, 3.0, 7.9], exact=False)
    assert numbers(sample.images) == [round(time * 25) for time in sample.times]


def test_near_enough_leaves_out_what_an_edit_hides(tmp_path: Path) -> None:
    whole = write_numbered(tmp_path / "whole.mp4", 200, options=H264)
    path = tmp_path / "cut.mp4"
    # From the middle of a group of pictures on: its beginning is kept, but not shown.
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        origin = source.streams.video[0]
        copied = target.add_stream_from_template(origin)
        for packet in source.demux(origin):
            if packet.dts is not None and packet.pts is not None:
                shift = round(1 / (origin.time_base or 1))
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = copied
                target.mux(packet)
    sample = sampled(path, [0.0, 0.1, 3.0, 6.9], exact=False)
    assert numbers(sample.images) == [25 + round(time * 25) for time in sample.times]
    assert min(numbers(sample.images)) == 25


def test_no_more_is_read_than_must_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, drifting(2000), options={"preset": "ultrafast", "g": "50", "crf": "4"})
    ahead: list[tuple[int, int]] = []
    monkeypatch.setattr(Source, "will_read", lambda source, *part: ahead.append(part))
    with Source.of(path) as source:
        found = probe(source)
        before = bytes_read()
        sample_frames(source, found, [20.0, 60.0], long_side=64)
        assert bytes_read() - before < source.size / 10
        assert len(ahead) == 2
        for offset, size in ahead:
            assert 0 < offset < offset + size < source.size + (64 << 10)
            assert size < source.size / 10


def bytes_read() -> int:
    """What this process has asked of files so far, proc_pid_io(5)."""
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])
