"""Compares three ways to fit wide and tall frames into the model's square.

The demo model was trained on squeezed frames, so its accuracy says how much a change of the way costs a
model that knows another, not which way a large model prefers. What each way keeps and spends is exact.

    python -m tests.benchmarks.letterbox [--clips 40]
"""

import argparse
import sys

import numpy as np

from catalog.prompts import NOTE, render
from daemon.captioner.base import Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.demo.render import frame_at
from daemon.captioner.demo.vocabulary import read
from daemon.captioner.demo.world import Clip, random_clip
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.pictures import Fit
from daemon.captioner.profiles import DEMO_CHECKPOINT
from daemon.decoder.facts import uniform_times

SHAPES = {"wide 16:9": (256, 144), "tall 9:16": (144, 256), "square": (192, 192)}
FITS: tuple[Fit, ...] = ("squeeze", "letterbox", "crop")
FRAMES = 8


def draw(size: tuple[int, int], count: int, seed: int) -> list[Clip]:
    """Clips of one object and of two, whose colour, shape and motion were held out together."""
    rng = np.random.default_rng(seed)
    return [
        random_clip(rng, counts=(1 + place % 2,), held_out=True, size=size)
        for place in range(count)
    ]


def question(clip: Clip) -> Question:
    """The question for a note on the whole clip, drawn as large as the model looks at it."""
    times = uniform_times(0.0, clip.duration, FRAMES)
    pictures = np.stack([frame_at(clip, time) for time in times])
    return Question(render(NOTE, duration=clip.duration, times=times), pictures)


def as_the_fit_does(asked: Question, fit: Fit) -> Question:
    """Applies a fit to the pixels, since the demo's processor always squeezes what it gets."""
    pictures = asked.pictures
    assert pictures is not None
    if fit == "squeeze":
        return asked
    _, height, width, _ = pictures.shape
    side = min(height, width) if fit == "crop" else max(height, width)
    square = np.full((len(pictures), side, side, 3), (123, 117, 104), dtype=np.uint8)
    rows, columns = min(side, height), min(side, width)
    top, left = (height - rows) // 2, (width - columns) // 2
    down, right = (side - rows) // 2, (side - columns) // 2
    square[:, down : down + rows, right : right + columns] = pictures[
        :, top : top + rows, left : left + columns
    ]
    return Question(asked.prompt, square)


def share_right(captioner: LocalCaptioner, clips: list[Clip], fit: Fit) -> float:
    """The share of clips whose colour, shape and motion are all said, and nothing else."""
    asked = [as_the_fit_does(question(clip), fit) for clip in clips]
    told = [read(answer.text).triples for answer in captioner.answer(asked)]
    wanted = [frozenset(clip.scenes[0].triples) for clip in clips]
    return float(np.mean([said == want for said, want in zip(told, wanted, strict=True)]))


def kept_and_spent(size: tuple[int, int], fit: Fit) -> tuple[float, float]:
    """The share of the picture that is lost, and the share of the tokens spent on bars."""
    aspect = max(size) / min(size)
    return (1 - 1 / aspect if fit == "crop" else 0.0, 1 - 1 / aspect if fit == "letterbox" else 0.0)


def main() -> int:
    """Draw, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=40, help="of each shape")
    parser.add_argument("--seed", type=int, default=71)
    options = parser.parse_args()
    captioner = LocalCaptioner(
        Checkpoint("demo", DEMO_CHECKPOINT, "none", FRAMES), device="cpu", batch_size=8
    )
    print(f"{'':12}{'fit':>12}{'all right':>12}{'lost':>8}{'on bars':>9}{'distorted':>11}")
    for name, size in SHAPES.items():
        clips = draw(size, options.clips, options.seed)
        for fit in FITS if "square" not in name else FITS[:1]:
            lost, bars = kept_and_spent(size, fit)
            distorted = max(size) / min(size) if fit == "squeeze" else 1.0
            print(
                f"{name:12}{fit:>12}{100 * share_right(captioner, clips, fit):>10.1f} %"
                f"{100 * lost:>6.0f} %{100 * bars:>7.0f} %{distorted:>10.2f}x",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
