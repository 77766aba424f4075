"""How much of the daemon's time the model is at work: wall time over the time inside the model.

Inside the model is the pass of the vision tower and `generate`; transformers' own `generate` makes that
pass too, haeseol makes it before, once for all questions on the same frames.

Clips are drawn, encoded to H.264 and captioned by the whole daemon, in a home of its own, with the
bundled model. Run it from the root of the project on an idle machine:

    python -m tests.benchmarks.throughput [--clips 50] [--quantization nf4] [--jobs 1,2,4]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog import library
from catalog.database import open_catalog
from catalog.home import find_home
from catalog.settings import load_settings
from daemon.captioner.base import Engine
from daemon.captioner.checkpoints import find_checkpoint
from daemon.captioner.demo.render import write_clip
from daemon.captioner.demo.world import random_clip
from daemon.captioner.process import ModelProcess
from daemon.service import Service

GOAL = 1.10


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of the daemon took, in seconds of wall time."""

    jobs: str
    videos: int
    whole: float
    """From the start of the program's work to its end, the loading of the model included."""
    working: float
    """From the first pass of the model to the end of the last."""
    seeing: float
    """Inside the vision tower."""
    generating: float
    """Inside `generate`."""
    calls: int
    questions: int


def draw(folder: Path, count: int, seed: int) -> None:
    """Draws the clips: one scene each, of one or two objects, 1 to 8 s at 320x240 and 15 frames a second.

    They are as small as the model: it writes in a twentieth of a second what a large one writes in
    seconds, so that clips of full size would measure the decoder on a machine of few cores.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        file = folder / f"{seed}-{index:03d}.mp4"
        clip = replace(random_clip(rng, counts=(1 + index % 2,), size=(320, 240)), fps=15.0)
        if not file.exists():
            write_clip(file, clip)


def measure(clips: Path, jobs: int | None, options: argparse.Namespace) -> Run:
    """Runs the daemon once over the clips, in a fresh home."""
    with tempfile.TemporaryDirectory() as scratch:
        home = find_home(scratch)
        log = Path(scratch) / "model.log"
        os.environ["BENCHMARK_MODEL_LOG"] = str(log)
        settings = load_settings(
            home,
            model="demo",
            settle_seconds=0.0,
            device="cpu",
            quantization=options.quantization,
            batch_size=options.batch_size,
            jobs_at_once=jobs,
        )
        catalog = open_catalog(home)
        with catalog.write() as session:
            library.add_folder(session, clips)

        def opened(model: str) -> Engine:
            return ModelProcess(
                find_checkpoint(settings, home),
                device="cpu",
                batch_size=settings.batch_size,
                module="tests.benchmarks.timed_child",
            )

        start = time.time()
        outcome = Service(catalog, settings, open_captioner=opened).run_until_idle()
        whole = time.time() - start
        catalog.close()
        assert not outcome.failed, outcome.failed
        lines = [line.split() for line in log.read_text("ascii").splitlines()]
        passes = [(name, float(begin), float(end), int(size)) for name, begin, end, size in lines]
        calls = [one for one in passes if one[0] == "generate"]
        return Run(
            jobs="auto" if jobs is None else str(jobs),
            videos=outcome.done,
            whole=whole,
            working=passes[-1][2] - passes[0][1],
            seeing=sum(end - begin for name, begin, end, _ in passes if name != "generate"),
            generating=sum(end - begin for _, begin, end, _ in calls),
            calls=len(calls),
            questions=sum(size for *_, size in calls),
        )


def print_table(runs: list[Run]) -> None:
    """Prints a line for each run."""
    print(
        f"{'jobs at once':>12}{'videos':>8}{'whole':>9}{'working':>9}{'vision':>8}{'generate':>10}"
        f"{'calls':>7}{'batch':>7}{'working / model':>17}{'/ generate':>12}"
    )
    for run in runs:
        print(
            f"{run.jobs:>12}{run.videos:>8}{run.whole:>7.1f} s{run.working:>7.1f} s"
            f"{run.seeing:>6.1f} s{run.generating:>8.1f} s{run.calls:>7}"
            f"{run.questions / run.calls:>7.1f}{run.working / (run.seeing + run.generating):>17.3f}"
            f"{run.working / run.generating:>12.3f}"
        )


def main() -> int:
    """Draws, runs, prints; exit 1 when the goal is missed with the default number of jobs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=50)
    parser.add_argument("--quantization", default="nf4")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--jobs", default="1,auto", help="jobs at once: a line each")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--threads", default="1", help="threads of the model; the rest decode")
    parser.add_argument("--keep", type=Path, help="folder for the clips, used again the next time")
    options = parser.parse_args()
    os.environ["BENCHMARK_MODEL_THREADS"] = options.threads
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    with tempfile.TemporaryDirectory() as scratch:
        clips = options.keep or Path(scratch)
        draw(clips, options.clips, options.seed)
        runs = [
            measure(clips, None if jobs == "auto" else int(jobs), options)
            for jobs in options.jobs.split(",")
        ]
    print_table(runs)
    last = runs[-1]
    print(f"goal: working / model <= {GOAL:.2f}")
    return 0 if last.working / (last.seeing + last.generating) <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
