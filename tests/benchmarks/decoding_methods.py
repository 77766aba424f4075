"""The ways to take frames out of a video that `tests.benchmarks.decoding` compares; runs one, once.

    python -m tests.benchmarks.decoding_methods METHOD < job.json

Each way gives RGB pictures. What it imports is imported before the clock starts.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.benchmarks.decoding_files import read_mark

Picture = npt.NDArray[np.uint8]

GRID = (12, 16)
"""Rows and columns of a print: the mean brightness of the parts of a picture."""


@dataclass(frozen=True, slots=True)
class Job:
    """Which frames to take out of a file."""

    path: str
    indices: tuple[int, ...]
    seconds: tuple[float, ...]
    """The middles of their showing, counted from the first frame."""
    start: float
    """The container's time of the first frame."""
    step: float
    """Seconds that a frame is shown."""
    long_side: int
    """Pixels to which the pictures are made smaller, where a way can."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run cost and gave."""

    cpu: float
    """Seconds of user and system, of the process and all that it started, without the imports."""
    wall: float
    """Seconds."""
    peak: float
    """MB: the most memory that the process held, plus that of the largest it started itself; the
    decoder in the sandbox, which another one starts, is left out."""
    marks: list[int | None]
    prints: list[list[float]]


def ours(job: Job, *, exact: bool = True) -> Iterable[Picture]:
    """Takes them as the daemon does, without a sandbox; asks the file what it is first, too."""
    from daemon.decoder import frames
    from daemon.decoder.probe import probe
    from daemon.decoder.source import Source

    with Source.of(Path(job.path)) as source:
        facts = probe(source)
        sample = frames.sample_frames(
            source, facts, job.seconds, long_side=job.long_side, exact=exact
        )
    return list(sample.images)


def ours_key_frames(job: Job) -> Iterable[Picture]:
    """Takes the nearest key frames."""
    return ours(job, exact=False)


def ours_sandboxed(job: Job) -> Iterable[Picture]:
    """Takes them through the functions that the daemon calls."""
    from daemon import media

    path = Path(job.path)
    sample = media.sample_frames(path, media.probe(path), job.seconds, long_side=job.long_side)
    return list(sample.images)


def naive(job: Job) -> Iterable[Picture]:
    """Decodes all from the beginning to the last wanted frame."""
    import av

    wanted = set(job.indices)
    with av.open(job.path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                yield _scaled(frame, job)
            if index >= job.indices[-1]:
                return


def plain_seek(job: Job) -> Iterable[Picture]:
    """Seeks for each frame and decodes on to it."""
    import av

    with av.open(job.path) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        for second in job.seconds:
            wanted = job.start + second
            container.seek(int(wanted / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                if frame.time is not None and frame.time + job.step > wanted:
                    yield _scaled(frame, job)
                    break


def _scaled(frame: Any, job: Job) -> Picture:
    scale = min(1.0, job.long_side / max(frame.width, frame.height))
    size = round(frame.width * scale), round(frame.height * scale)
    return frame.reformat(*size, "rgb24").to_ndarray()  # type: ignore[no-any-return]


def torchcodec(job: Job, seek_mode: str = "exact") -> Iterable[Picture]:
    """Asks torchcodec for all frames at once."""
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(job.path, seek_mode=seek_mode, dimension_order="NHWC")
    seconds = [job.start + second for second in job.seconds]
    return [frame.numpy() for frame in decoder.get_frames_played_at(seconds).data]


def torchcodec_approximate(job: Job) -> Iterable[Picture]:
    """The same, trusting that all frames are shown equally long."""
    return torchcodec(job, "approximate")


def opencv(job: Job) -> Iterable[Picture]:
    """Asks OpenCV for each frame by its number."""
    import cv2

    capture = cv2.VideoCapture(job.path)
    for index in job.indices:
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        given, picture = capture.read()
        if given:
            yield np.ascontiguousarray(picture[..., ::-1])


def ffmpeg(job: Job) -> Iterable[Picture]:
    """Starts ffmpeg for each frame."""
    for second in job.seconds:
        # The first frame that is not earlier comes: the wanted one begins within this step.
        place = f"{max(0.0, second - job.step):.4f}"
        scale = f"scale=w='min(iw,{job.long_side})':h=-2"
        command = [*("ffmpeg", "-v", "error", "-ss", place, "-i", job.path, "-frames:v", "1")]
        command += [*("-vf", scale, "-f", "image2pipe", "-c:v", "ppm", "-")]
        yield _from_ppm(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _from_ppm(data: bytes) -> Picture:
    kind, size, depth, body = data.split(b"\n", 3)
    assert (kind, depth) == (b"P6", b"255")
    width, height = map(int, size.split())
    return np.frombuffer(body, np.uint8).reshape(height, width, 3)


METHODS: dict[str, tuple[Callable[[Job], Iterable[Picture]], tuple[str, ...]]] = {
    "ours": (ours, ("daemon.decoder.frames", "daemon.decoder.probe")),
    "ours, sandboxed": (ours_sandboxed, ("daemon.media",)),
    "ours, key frames": (ours_key_frames, ("daemon.decoder.frames", "daemon.decoder.probe")),
    "naive": (naive, ("av",)),
    "plain seek": (plain_seek, ("av",)),
    "torchcodec": (torchcodec, ("torchcodec.decoders",)),
    "torchcodec approx.": (torchcodec_approximate, ("torchcodec.decoders",)),
    "OpenCV": (opencv, ("cv2",)),
    "ffmpeg -ss": (ffmpeg, ()),
}
"""The ways by name, each with the modules that it needs."""

_SANDBOXED = "ours, sandboxed"
_ENDING_SECONDS = 0.1
"""In which a decoder process that has answered is waited for, so that its time counts."""


def print_of(picture: Picture) -> list[float]:
    """Returns what tells a picture from its neighbours, whatever its size."""
    grey = picture.mean(axis=2)
    rows = np.array_split(grey, GRID[0], axis=0)
    return [float(part.mean()) for row in rows for part in np.array_split(row, GRID[1], axis=1)]


def run(method: str, job: Job) -> Result:
    """Runs a way once."""
    function, modules = METHODS[method]
    for module in modules:
        import_module(module)
    if method == _SANDBOXED:  # as the daemon does once, for all files
        import_module("daemon.media").probe(Path(job.path))
        time.sleep(_ENDING_SECONDS)
    cpu, begun = _cpu(), time.perf_counter()
    pictures = list(function(job))
    wall = time.perf_counter() - begun
    time.sleep(_ENDING_SECONDS)
    cpu = _cpu() - cpu
    return Result(
        cpu=cpu,
        wall=wall,
        peak=_peak(),
        marks=[read_mark(picture) for picture in pictures],
        prints=[print_of(picture) for picture in pictures],
    )


def _cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return ended + sum(_cpu_of(child) for child in _living_children())


def _cpu_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    # User and system, its own and that of the processes that it has waited for.
    return sum(int(field) for field in fields[11:15]) / 100


def _peak() -> float:
    children = [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]
    children += [_peak_of(child) for child in _living_children()]
    return _peak_of("self") + max(children)


def _peak_of(process: int | str) -> float:
    # Not ru_maxrss, which begins with what the process held that started this one.
    lines = Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _living_children() -> list[int]:
    found: list[int] = []
    for file in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found += [int(number) for number in file.read_text("ascii").split()]
    return found


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    asked.update({key: tuple(asked[key]) for key in ("indices", "seconds")})
    print(json.dumps(asdict(run(sys.argv[1], Job(**asked)))))
