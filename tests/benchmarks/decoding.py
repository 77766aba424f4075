"""What taking 8 or 32 frames out of a video costs: ours against what else there is.

Makes files from real footage (see `decoding_files`): 10 minutes and 1 hour, 1080p and 4K, H.264 with a key
frame every 250 or 30 frames, HEVC, VP9 and AV1. Each measurement runs in a process of its own, the ways in
turn, and of several rounds the least CPU and wall time and the greatest memory count. Imports are not
counted as time, but as memory; asking the file what it is (`probe`) is counted, for ours as well. All give
RGB pictures, scaled to 384 pixels where the way can scale. Run it from the root of the project, with the
peers in an environment of their own beside the dependencies of `daemon.media`, as Debian's ffmpeg:

    uv venv /tmp/peers && uv pip install --python /tmp/peers torch torchcodec opencv-python-headless \
        av numpy pillow sqlalchemy pydantic-settings
    /tmp/peers/bin/python -m tests.benchmarks.decoding --footage FOLDER --keep FOLDER \
        [--files h264-1080p-10min,h264g30-1080p-10min] [--counts 8] [--methods "ours;torchcodec"] [--one-core]

The files take about ten minutes to make and 20 GB; the whole table takes hours, a part of it a minute.
Two processors that are one core slow each other down: on a busy machine `--one-core` compares the work.
The key frames are right only where one is wanted by chance.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from tests.benchmarks.decoding_files import ENCODINGS, FPS, LENGTHS, SIZES, UNIQUE, make
from tests.benchmarks.decoding_methods import METHODS, Job, Result, print_of

LONG_SIDE = 384
"""Pixels."""
COUNTS = (8, 32)
OURS, SANDBOXED, NAIVE, TORCHCODEC = "ours", "ours, sandboxed", "naive", "torchcodec"
OF_NAIVE, OF_TORCHCODEC, OF_BEST, SANDBOX = 1 / 20, 0.70, 1.05, 1.10
"""The goals: CPU in times of each, and of both CPU and wall time without the sandbox."""
PEAKS = {"1080p": 200, "4K": 450}
"""MB."""
_ALIKE = 0.15
"""Levels of brightness by which two frames of footage may differ and still count as one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A file, and how to know its frames."""

    name: str
    path: Path
    seconds: list[float]
    """When each frame begins, counted from the first."""
    start: float
    prints: npt.NDArray[np.float64] | None
    """Of all frames, where none carries a mark."""

    def job(self, count: int) -> Job:
        """Returns the job of taking `count` frames, evenly spread."""
        step = self.seconds[1] - self.seconds[0]
        end = self.seconds[-1] + step
        times = ((index + 0.5) / count * end for index in range(count))
        indices = sorted({int(np.searchsorted(self.seconds, t + 1e-6)) - 1 for t in times})
        middles = tuple(self.seconds[index] + step / 2 for index in indices)
        return Job(str(self.path), tuple(indices), middles, self.start, step, LONG_SIDE)

    def right(self, job: Job, result: Result) -> int:
        """Counts the frames that are the wanted ones."""
        if len(result.marks) != len(job.indices):
            return 0
        if self.prints is None:
            pairs = zip(result.marks, job.indices, strict=True)
            return sum(mark == index % UNIQUE for mark, index in pairs)
        indices, given = list(job.indices), np.array(result.prints)
        # What another way to scale and to tell colours does is the same in most of the frames.
        given -= np.median(given - self.prints[indices], axis=0)
        distances = np.abs(self.prints[:, None] - given).mean(axis=2)
        nearest = distances[indices, range(len(indices))] <= distances.min(axis=0) + _ALIKE
        return int(nearest.sum())


@dataclass(slots=True)
class Figures:
    """What a way took on a file, over all rounds."""

    cpu: float
    wall: float
    peak: float
    right: int
    """The fewest frames of a round."""

    def add(self, other: Figures) -> None:
        """Takes another round in."""
        self.cpu, self.wall = min(self.cpu, other.cpu), min(self.wall, other.wall)
        self.peak, self.right = max(self.peak, other.peak), min(self.right, other.right)


def made(folder: Path, footage: Path, name: str) -> Subject:
    """Returns a made file by name."""
    codec, size, length = name.split("-")
    path = make(folder, footage, codec, size, length)
    seconds = [index / FPS for index in range(LENGTHS[length] * FPS)]
    return Subject(name, path, seconds, 0.0, None)


def real(path: Path) -> Subject:
    """Returns a real file, all frames of which have been looked at."""
    stamps: list[float] = []
    prints: list[list[float]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            stamps.append(frame.time or 0.0)
            prints.append(print_of(frame.to_ndarray(format="rgb24")))
    seconds = [stamp - stamps[0] for stamp in stamps]
    return Subject(path.name, path, seconds, stamps[0], np.array(prints))


def measure(method: str, subject: Subject, job: Job, options: argparse.Namespace) -> Figures | None:
    """Runs a way once, in a process of its own; None if it fails."""
    command = [sys.executable, "-m", "tests.benchmarks.decoding_methods", method]
    if options.one_core:
        command = ["taskset", "-c", str(max(os.sched_getaffinity(0))), *command]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command,
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        print(f"  {method}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        return None
    result = Result(**json.loads(done.stdout))
    return Figures(result.cpu, result.wall, result.peak, subject.right(job, result))


def compare(subject: Subject, count: int, options: argparse.Namespace) -> bool:
    """Measures all ways on a file, prints them and says whether the goals are met."""
    job = subject.job(count)
    methods = [it for it in options.methods if it != NAIVE or _bearable(subject, count)]
    figures: dict[str, Figures] = {}
    for turn in range(options.rounds):
        for method in methods:
            # Naive decoding takes minutes, and is an order of magnitude away.
            if method == NAIVE and turn and len(subject.seconds) > UNIQUE:
                continue
            found = measure(method, subject, job, options)
            if found and method in figures:
                figures[method].add(found)
            elif found:
                figures[method] = found
    wanted = len(job.indices)
    print(f"\n{subject.name}, {wanted} frames")
    for method, each in figures.items():
        share = f"{each.cpu / figures[OURS].cpu:8.2f}" if OURS in figures else ""
        print(
            f"  {method:20}{each.cpu:8.2f} s CPU{share} x ours{each.wall:8.2f} s wall"
            f"{each.peak:7.0f} MB{each.right:5} of {wanted} right"
        )
    verdicts = list(judge(subject, count, wanted, figures))
    for text, met in verdicts:
        print(f"    {'met   ' if met else 'MISSED'} {text}", flush=True)
    return all(met for _, met in verdicts)


def _bearable(subject: Subject, count: int) -> bool:
    return subject.prints is not None or ("1080p-10min" in subject.name and count == COUNTS[0])


def judge(
    subject: Subject, count: int, wanted: int, figures: dict[str, Figures]
) -> Iterator[tuple[str, bool]]:
    """Gives each goal with the figure beside it, and whether it is met."""
    ours = figures.get(OURS)
    if ours is None:
        return
    yield f"exact: {ours.right} of {wanted}", ours.right == wanted
    usual = subject.name == "h264-1080p-10min" and count == COUNTS[0]
    for name, goal in ((NAIVE, OF_NAIVE), (TORCHCODEC, OF_TORCHCODEC)):
        if usual and name in figures:
            yield _ratio(f"CPU of {name}", ours.cpu / figures[name].cpu, goal)
    peers = [
        (each.cpu, name)
        for name, each in figures.items()
        if not name.startswith("ours") and each.right == wanted
    ]
    if peers:
        least, name = min(peers)
        yield _ratio(f"CPU of the best exact peer ({name})", ours.cpu / least, OF_BEST)
    for size, peak in PEAKS.items():
        if size in subject.name:
            yield f"peak memory {ours.peak:.0f} MB, goal {peak}", ours.peak <= peak
    if SANDBOXED in figures:
        yield _ratio("sandboxed, CPU of ours", figures[SANDBOXED].cpu / ours.cpu, SANDBOX)
        yield _ratio("sandboxed, wall of ours", figures[SANDBOXED].wall / ours.wall, SANDBOX)


def _ratio(what: str, value: float, goal: float) -> tuple[str, bool]:
    return f"{what}: {value:.3f}, goal {goal:.3f}", value <= goal


def names() -> list[str]:
    """Returns the names of all made files, the quick ones first."""
    return [
        f"{codec}-{size}-{length}" for length in LENGTHS for size in SIZES for codec in ENCODINGS
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--footage", type=Path, required=True, help="folder of real videos")
    parser.add_argument("--keep", type=Path, help="folder for the files, used again the next time")
    parser.add_argument("--files", default="footage," + ",".join(names()))
    parser.add_argument("--counts", default=",".join(map(str, COUNTS)))
    parser.add_argument("--methods", default=";".join(METHODS), help="names, separated by ;")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--one-core", action="store_true", help="every way on a single core")
    options = parser.parse_args()
    options.methods = options.methods.split(";")
    return options


def main() -> int:
    """Makes, measures, prints; exit 1 when a goal is missed."""
    options = _arguments()
    met = True
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.keep or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.files.split(","):
            if name == "footage":
                subjects = [real(path) for path in sorted(options.footage.glob("*.m[pk][4v]"))]
            else:
                subjects = [made(folder, options.footage, name)]
            for count in map(int, options.counts.split(",")):
                met = all([compare(subject, count, options) for subject in subjects]) and met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
