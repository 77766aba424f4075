"""Captions a minute: haeseol's captioner in batches, against the plain snippet of the model's page.

Both caption the same clips with the same weights, one after the other, in this one process. Plain is
what the model pages show: one video at a time through processor and `model.generate`. Run it from the
root of the project, on a GPU with a large checkpoint, or as it is on any machine:

    python -m tests.benchmarks.against_plain [--checkpoint FOLDER] [--quantization nf4] [--device cuda]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from catalog.prompts import CAPTION, render
from daemon.captioner.base import Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.demo.render import frame_at
from daemon.captioner.demo.world import random_clip
from daemon.captioner.local import LocalCaptioner
from daemon.captioner.profiles import DEMO_CHECKPOINT
from daemon.media import uniform_times


def questions(count: int, frames: int, seed: int) -> list[Question]:
    """Draws clips and asks for their captions."""
    rng = np.random.default_rng(seed)
    asked = []
    for _ in range(count):
        clip = random_clip(rng, size=(640, 360))
        times = uniform_times(0.0, clip.duration, frames)
        pictures = np.stack([frame_at(clip, time, (270, 480)) for time in times])
        asked.append(Question(render(CAPTION, duration=clip.duration, times=times), pictures))
    return asked


def plain(captioner: LocalCaptioner, asked: list[Question]) -> list[str]:
    """One video at a time, as the model pages do it."""
    texts = []
    processor, model = captioner.processor, captioner.model
    for question in asked:
        content = [{"type": "text", "text": question.prompt}, {"type": "video"}]
        prompt = processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True
        )
        inputs = processor(text=prompt, videos=[question.pictures], return_tensors="pt")
        inputs = inputs.to(model.device, model.dtype)
        output: Any = model.generate(**inputs, max_new_tokens=256, do_sample=False)
        written = output[0][inputs["input_ids"].shape[1] :]
        texts.append(processor.decode(written, skip_special_tokens=True).strip())
    return texts


def timed(work: Any, count: int) -> float:
    """Captions a minute."""
    start = time.monotonic()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return 60 * count / (time.monotonic() - start)


def main() -> int:
    """Measures both ways alternately and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--checkpoint", type=Path, default=DEMO_CHECKPOINT)
    parser.add_argument("--quantization", default="none")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--batch-sizes", default="1,2,4,8")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    checkpoint = Checkpoint(
        options.checkpoint.name, options.checkpoint, options.quantization, options.frames
    )
    captioner = LocalCaptioner(checkpoint, device=options.device)
    sizes = [int(size) for size in options.batch_sizes.split(",")]
    paces: dict[str, list[float]] = {"plain": [], **{f"batch {size}": [] for size in sizes}}
    plain(captioner, questions(1, options.frames, 1))  # first calls compile and allocate
    for round_ in range(options.rounds):
        # Fresh clips each time: frames that were seen before cost less.
        for place, name in enumerate(paces):
            asked = questions(options.clips, options.frames, 100 * round_ + place + 2)
            if name == "plain":
                paces[name].append(timed(lambda asked=asked: plain(captioner, asked), len(asked)))
                continue
            captioner.batch_size = int(name.split()[1])
            paces[name].append(timed(lambda asked=asked: captioner.answer(asked), len(asked)))
    base = float(np.median(paces["plain"]))
    print(f"{'':10}{'captions a minute':>20}{'times plain':>14}")
    for name, values in paces.items():
        pace = float(np.median(values))
        print(f"{name:10}{pace:>20.0f}{pace / base:>14.2f}")
    if torch.cuda.is_available():
        print(f"peak memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
