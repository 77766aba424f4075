"""Measures what the demo model tells of time: what comes first, what is brief, and a long video.

Every clip is of triples held out of training, is encoded to H.264 and goes the real way: probe, scenes,
frames, captioner. Run it from the root of the project:

    python -m tests.benchmarks.demo_time [--quantization none] [--errors] [--json]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog.prompts import NOTE, render
from daemon.captioner.base import Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.demo.events import random_brief_clip, random_turns_clip
from daemon.captioner.demo.render import write_clip
from daemon.captioner.demo.vocabulary import BACKGROUNDS, HELD_OUT, read
from daemon.captioner.demo.world import SIZES, Clip, Scene, random_scene
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.profiles import DEMO_CHECKPOINT
from daemon.media import SceneSpan, adaptive_times, find_scenes, probe, sample_frames, uniform_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.media import Probe

GOALS = {
    "order: both, in order": 0.90,
    "brief: told": 0.90,
    "brief: whole note right": None,
    "brief: unseen, untold": None,
    "long: scenes right": 0.95,
}
LONG_SECONDS = 10.0
_SMALL = tuple(size for size in SIZES if max(size) <= 640)
_RATES = (12.0, 15.0, 24.0, 25.0, 30.0)


def _uniform(span: SceneSpan, count: int) -> tuple[float, ...]:
    return uniform_times(span.start, span.end, count)


def _adaptive(span: SceneSpan, count: int) -> tuple[float, ...]:
    return adaptive_times(span.moments, span.start, span.end, count)


SAMPLERS: dict[str, Callable[[SceneSpan, int], tuple[float, ...]]] = {
    "uniform": _uniform,
    "adaptive": _adaptive,
}


@dataclass(slots=True)
class Shot:
    """One scene that was found, the times of the frames that were shown, and the note."""

    span: SceneSpan
    times: tuple[float, ...]
    note: str


@dataclass(slots=True)
class Tally:
    """Yes and no for each figure, for one way to choose frames."""

    votes: dict[str, list[bool]] = field(default_factory=lambda: {name: [] for name in GOALS})
    found: dict[str, list[int]] = field(default_factory=dict)
    """Scenes found in each clip of a group."""
    rss: list[float] = field(default_factory=list)
    """MiB in use after each scene of the long clip."""

    def share(self, name: str) -> float:
        """Return the share of yes; nan when there was nothing to judge."""
        return float(np.mean(self.votes[name])) if self.votes[name] else float("nan")


def _memory() -> float:
    """Return the process's resident memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Bench:
    """One captioner, and the folder of the clips."""

    def __init__(self, checkpoint: Checkpoint, folder: Path, errors: bool) -> None:
        self.checkpoint = checkpoint
        self.captioner = LocalCaptioner(checkpoint, device="cpu")
        self.folder = folder
        self.errors = errors

    def written(self, name: str, clip: Clip, crf: int) -> Path:
        """Encode a clip, unless it is already there."""
        path = self.folder / f"{name}.mp4"
        if not path.exists():
            write_clip(path, clip, crf=crf)
        return path

    def shot(self, path: Path, facts: Probe, span: SceneSpan, sampler: str) -> Shot:
        """Caption one scene."""
        times = SAMPLERS[sampler](span, self.checkpoint.frames)
        shown = sample_frames(path, facts, times, long_side=self.captioner.long_side)
        prompt = render(NOTE, duration=span.end - span.start, times=shown.times)
        note = self.captioner.answer([Question(prompt, shown.images)])[0].text
        return Shot(span, shown.times, note)

    def complain(self, path: Path, scene: Scene, shots: list[Shot], sampler: str) -> None:
        """Print what was told wrongly, where that was asked for."""
        if not self.errors:
            return
        print(f"{path.name} {sampler}: {len(shots)} scenes found\n    is   {scene.sentence}")
        for shot in shots:
            print(f"    said {shot.note}  [{', '.join(f'{it:.1f}' for it in shot.times)}]")

    def order(self, seed: int, number: int, tallies: dict[str, Tally]) -> None:
        """Two objects act in turn in one shot of 3 to 12 seconds."""
        for index, clip in enumerate(turns_clips(seed, number)):
            path = self.written(f"{seed}-turns-{index:03d}", clip, 18 + index % 12)
            facts = probe(path)
            spans = find_scenes(path, facts)
            for sampler, tally in tallies.items():
                shots = [self.shot(path, facts, span, sampler) for span in spans]
                wanted = tuple(clip.scenes[0].triples)
                right = len(shots) == 1 and read(shots[0].note).order == wanted
                tally.votes["order: both, in order"].append(right)
                tally.found.setdefault("order", []).append(len(spans))
                if not right:
                    self.complain(path, clip.scenes[0], shots, sampler)

    def brief(self, seed: int, number: int, tallies: dict[str, Tally]) -> None:
        """An object is there for 0.3 of 20 seconds."""
        for index, clip in enumerate(brief_clips(seed, number)):
            path = self.written(f"{seed}-brief-{index:03d}", clip, 18 + index % 12)
            facts = probe(path)
            spans = find_scenes(path, facts)
            for sampler, tally in tallies.items():
                shots = [self.shot(path, facts, span, sampler) for span in spans]
                tally.found.setdefault("brief", []).append(len(spans))
                if not self._judge_brief(tally, clip, shots):
                    self.complain(path, clip.scenes[0], shots, sampler)

    def _judge_brief(self, tally: Tally, clip: Clip, shots: list[Shot]) -> bool:
        host, guest = clip.scenes[0].things
        low, high = (share * clip.duration for share in guest.span)
        said = set().union(*(read(shot.note).triples for shot in shots))
        inside = any(low <= it + 0.5 / clip.fps <= high for shot in shots for it in shot.times)
        tally.votes["brief: told"].append(guest.triple in said)
        right = said == {host.triple, guest.triple}
        tally.votes["brief: whole note right"].append(right)
        if not inside:
            right = said == {host.triple}
            tally.votes["brief: unseen, untold"].append(right)
        return right

    def long(self, seed: int, number: int, tallies: dict[str, Tally]) -> None:
        """One clip of many scenes, all different."""
        clip = long_clip(seed, number)
        path = self.written(f"{seed}-long-{number}", clip, 23)
        facts = probe(path)
        for sampler, tally in tallies.items():
            spans = find_scenes(path, facts)
            shots = []
            for span in spans:
                shots.append(self.shot(path, facts, span, sampler))
                tally.rss.append(_memory())
            tally.found["long"] = [len(spans)]
            begin = 0.0
            for scene in clip.scenes:
                middle = begin + scene.duration / 2
                own = [it for it in shots if it.span.start <= middle < it.span.end]
                right = all(read(it.note).triples == frozenset(scene.triples) for it in own)
                tally.votes["long: scenes right"].append(right and len(own) == 1)
                if not right:
                    self.complain(path, scene, own, sampler)
                begin += scene.duration


def turns_clips(seed: int, number: int) -> Iterator[Clip]:
    """Draw clips in which two objects act in turn."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        size = _SMALL[int(rng.integers(len(_SMALL)))]
        yield random_turns_clip(rng, held_out=True, size=size)


def brief_clips(seed: int, number: int) -> Iterator[Clip]:
    """Draw clips of 20 seconds with a guest that stays 0.3 seconds."""
    rng = np.random.default_rng(seed + 1)
    for _ in range(number):
        size = _SMALL[int(rng.integers(len(_SMALL)))]
        fps = _RATES[int(rng.integers(len(_RATES)))]
        yield random_brief_clip(rng, held_out=True, size=size, fps=fps)


def long_clip(seed: int, number: int) -> Clip:
    """Draw a clip of scenes no two of which are told alike, with hard cuts between them."""
    rng, size, fps = np.random.default_rng(seed + 2), (426, 240), 15.0
    scenes: list[Scene] = []
    pool = tuple(sorted(HELD_OUT, key=str))
    while len(scenes) < number:
        last = scenes[-1].background if scenes else None
        ground = [it for it in BACKGROUNDS if it is not last][int(rng.integers(3))]
        scene = random_scene(rng, size=size, duration=LONG_SECONDS, pool=pool, background=ground)
        if all(scene.sentence != other.sentence for other in scenes):
            scenes.append(scene)
    return Clip(tuple(scenes), *size, fps)


def print_table(tallies: dict[str, Tally], scenes: int) -> None:
    """Print goals beside figures; a figure that misses its goal is marked."""
    print(f"{'':26}{'n':>5}{'goal':>9}" + "".join(f"{name:>11}" for name in tallies))
    for name, goal in GOALS.items():
        cells = ""
        for tally in tallies.values():
            share = tally.share(name)
            missed = goal is not None and not share >= goal
            text = f"{100 * share:.1f} %" if tally.votes[name] else "-"
            cells += f"{text:>10}{'!' if missed else ' '}"
        counts = "/".join(
            str(it) for it in dict.fromkeys(len(t.votes[name]) for t in tallies.values())
        )
        bound = f">= {100 * goal:.0f} %" if goal is not None else ""
        print(f"{name:26}{counts:>5}{bound:>9}{cells}")
    for place, part in (("start", 0.0), ("middle", 0.5), ("end", 1.0)):
        cells = "".join(
            f"{f'{tally.rss[round(part * (len(tally.rss) - 1))]:.0f} MiB':>10} "
            for tally in tallies.values()
        )
        print(f"{f'long: memory at the {place}':40}{cells}")
    found = next(iter(tallies.values())).found
    split = {
        name: sum(it != 1 for it in counts) for name, counts in found.items() if name != "long"
    }
    print(f"scenes found in the long clip: {found['long'][0]} of {scenes}; ", end="")
    print("clips of one shot cut in more: " + ", ".join(f"{k} {v}" for k, v in split.items()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quantization", default="none")
    parser.add_argument("--checkpoint", type=Path, default=DEMO_CHECKPOINT)
    parser.add_argument(
        "--clips", default="120,80,60",
        help="two events in order; a brief one; scenes of the long clip",
    )  # fmt: skip
    parser.add_argument("--samplers", default="uniform,adaptive")
    parser.add_argument("--seed", type=int, default=20_261_122)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--keep", type=Path, help="folder for the clips, used again the next time")
    parser.add_argument("--errors", action="store_true", help="list what was told wrongly")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> int:
    """Render, caption, print; exit 1 when adaptive frames miss a goal."""
    arguments = _arguments()
    turns, brief, scenes = map(int, arguments.clips.split(","))
    start = time.monotonic()
    tallies = {name: Tally() for name in arguments.samplers.split(",")}
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        checkpoint = Checkpoint(
            "demo", arguments.checkpoint, arguments.quantization, arguments.frames
        )
        bench = Bench(checkpoint, folder, arguments.errors)
        bench.long(arguments.seed, scenes, tallies)
        bench.order(arguments.seed, turns, tallies)
        bench.brief(arguments.seed, brief, tallies)
    shares = {
        sampler: {name: tally.share(name) for name in GOALS} | {"rss": tally.rss}
        for sampler, tally in tallies.items()
    }
    if arguments.json:
        print(json.dumps({"goals": GOALS, "figures": shares}))
    else:
        print_table(tallies, scenes)
        print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    last = list(tallies.values())[-1]
    return 0 if all(last.share(name) >= (goal or 0) for name, goal in GOALS.items() if goal) else 1


if __name__ == "__main__":
    sys.exit(main())
