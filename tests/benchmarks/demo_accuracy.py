"""Measures what the demo model reads from clips whose triples were all held out of training.

Clips of every size, aspect, frame rate and length are encoded to H.264 and go the real way: probe,
scenes, frames, captioner. Run it from the root of the project:

    python -m tests.benchmarks.demo_accuracy [--quantization none,nf4,int8] [--errors] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from catalog.prompts import NOTE, render
from daemon.captioner.base import Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.demo.render import write_clip
from daemon.captioner.demo.world import Clip, Scene, random_clip, read
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.profiles import DEMO_CHECKPOINT
from daemon.media import adaptive_times, find_scenes, probe, sample_frames

GOALS = {
    "one: colour": 0.98,
    "one: motion": 0.95,
    "one: shape": 0.95,
    "one: background": 0.95,
    "one: all three": 0.90,
    "two: all right": 0.75,
    "cut: both notes": 0.85,
    "seconds a caption": 2.0,
}
GROUPS = {"one": (1,), "two": (2,), "cut": (1, 1)}
"""Object counts of the scenes of each kind of clip."""


@dataclass(slots=True)
class Outcome:
    """One clip, what should be said of its scenes, and what was said."""

    group: str
    clip: Clip
    path: Path
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def found_scenes(self) -> int:
        """Number of scenes that the real scene detection found."""
        return len(self.questions)

    @property
    def right(self) -> bool:
        """Whether every scene was found and every note says all of its objects, and no more."""
        scenes = self.clip.scenes
        return self.found_scenes == len(scenes) and all(
            read(note).triples == frozenset(scene.triples)
            for note, scene in zip(self.notes, scenes, strict=True)
        )


def make_clips(folder: Path, counts: dict[str, int], seed: int) -> list[Outcome]:
    """Draw and encode the clips; a file that is already there is kept."""
    rng = np.random.default_rng(seed)
    outcomes: list[Outcome] = []
    for group, number in counts.items():
        for index in range(number):
            clip = random_clip(rng, counts=GROUPS[group], held_out=True)
            path = folder / f"{seed}-{group}-{index:03d}.mp4"
            if not path.exists():
                write_clip(path, clip, crf=int(18 + index % 12))
            outcomes.append(Outcome(group, clip, path))
    return outcomes


def questions_of(
    outcome: Outcome, long_side: int, frames: int, *, adaptive: bool = False
) -> list[Question]:
    """Ask for a note on each scene that the real scene detection finds."""
    facts = probe(outcome.path)
    spans = find_scenes(outcome.path, facts)
    questions: list[Question] = []
    for span in spans:
        moments = span.moments if adaptive else ()  # without any, the times are even
        times = adaptive_times(moments, span.start, span.end, frames)
        shown = sample_frames(outcome.path, facts, times, long_side=long_side)
        prompt = render(NOTE, duration=span.end - span.start, times=shown.times)
        questions.append(Question(prompt, shown.images))
    return questions


def caption(outcomes: list[Outcome], checkpoint: Checkpoint, *, adaptive: bool = False) -> float:
    """Caption every scene one by one, as on a small machine; return the seconds a caption took."""
    captioner = LocalCaptioner(checkpoint, device="cpu")
    spent = 0.0
    for number, outcome in enumerate(outcomes, 1):
        if not outcome.questions:
            outcome.questions = questions_of(
                outcome, captioner.long_side, checkpoint.frames, adaptive=adaptive
            )
        start = time.monotonic()
        outcome.notes = [captioner.answer([question])[0].text for question in outcome.questions]
        spent += time.monotonic() - start
        if sys.stderr.isatty():
            print(f"\r{checkpoint.quantization}: {number}/{len(outcomes)}", end="", file=sys.stderr)
    return spent / sum(len(outcome.questions) for outcome in outcomes)


def _attributes(outcome: Outcome) -> dict[str, bool]:
    """Tell which attributes of a clip of one object were right."""
    scene: Scene = outcome.clip.scenes[0]
    reading = read(outcome.notes[0])
    said = next(iter(reading.triples)) if len(reading.triples) == 1 else (None, None, None)
    wanted = scene.triples[0]
    return {
        "colour": said[0] is wanted[0],
        "motion": said[2] is wanted[2],
        "shape": said[1] is wanted[1],
        "background": reading.background is scene.background,
        "all three": said == wanted,
    }


def figures(outcomes: list[Outcome], seconds: float) -> dict[str, float]:
    """Return the shares that the goals are about."""

    def of(group: str) -> list[Outcome]:
        return [it for it in outcomes if it.group == group]

    ones = [_attributes(it) for it in of("one")]
    table = {f"one: {name}": float(np.mean([it[name] for it in ones])) for name in ones[0]}
    table["two: all right"] = float(np.mean([it.right for it in of("two")]))
    table["cut: both notes"] = float(np.mean([it.right for it in of("cut")]))
    table["seconds a caption"] = seconds
    return table


def meets(name: str, value: float) -> bool:
    """Tell whether a figure reaches its goal; for times, less is better."""
    return value <= GOALS[name] if name.startswith("seconds") else value >= GOALS[name]


def print_table(columns: dict[str, dict[str, float]]) -> None:
    """Print goals beside figures; a figure that misses its goal is marked."""
    print(f"{'':20}{'goal':>9}" + "".join(f"{name:>10}" for name in columns))
    for name, goal in GOALS.items():
        timed = name.startswith("seconds")
        cells = ""
        for figure in columns.values():
            text = f"{figure[name]:.2f} s" if timed else f"{100 * figure[name]:.1f} %"
            cells += f"{text:>9}{' ' if meets(name, figure[name]) else '!'}"
        bound = f"< {goal:.0f} s" if timed else f">= {100 * goal:.0f} %"
        print(f"{name:20}{bound:>9}{cells}")


def print_errors(outcomes: list[Outcome]) -> None:
    """Print every clip that was told wrongly, with its size and rate."""
    for outcome in outcomes:
        if outcome.right:
            continue
        clip = outcome.clip
        sizes = "/".join(f"{max(it.radii):.2f}" for scene in clip.scenes for it in scene.things)
        print(
            f"{outcome.path.name} {clip.width}x{clip.height} {clip.fps:g} fps "
            f"{clip.duration:.1f} s, radius {sizes}, {outcome.found_scenes} scenes found"
        )
        for scene in clip.scenes:
            print(f"    is   {scene.sentence}")
        for note in outcome.notes:
            print(f"    said {note}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quantization", default="none", help="none,nf4,int8: a column each")
    parser.add_argument("--checkpoint", type=Path, default=DEMO_CHECKPOINT)
    parser.add_argument("--clips", default="130,45,45", help="of one object, of two, with a cut")
    parser.add_argument("--seed", type=int, default=20_261_121)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--adaptive", action="store_true", help="frames that follow what changes")
    parser.add_argument("--keep", type=Path, help="folder for the clips, used again the next time")
    parser.add_argument("--errors", action="store_true", help="list what was told wrongly")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> int:
    """Render, caption, print; exit 1 when a goal is missed without quantization."""
    arguments = _arguments()
    counts = dict(zip(GROUPS, map(int, arguments.clips.split(",")), strict=True))
    columns: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        outcomes = make_clips(folder, counts, arguments.seed)
        for quantization in arguments.quantization.split(","):
            seconds = caption(
                outcomes,
                Checkpoint("demo", arguments.checkpoint, quantization, arguments.frames),
                adaptive=arguments.adaptive,
            )
            columns[quantization] = figures(outcomes, seconds)
            if arguments.errors:
                print(f"errors, quantization {quantization}")
                print_errors(outcomes)
    if arguments.json:
        print(json.dumps({"goals": GOALS, "figures": columns, "clips": counts}, ensure_ascii=False))
    else:
        print_table(columns)
    first = next(iter(columns.values()))
    return 0 if all(meets(name, first[name]) for name in GOALS) else 1


if __name__ == "__main__":
    sys.exit(main())
