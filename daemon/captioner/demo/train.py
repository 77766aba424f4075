"""Trains the demo checkpoint from nothing: `python -m daemon.captioner.demo.train --out FOLDER`.

1. Tokenizer: byte-level BPE on the sentences and prompts. Seconds.
2. Vision (`vision_stage`): the tower alone, dense labels.
3. Language (`language_stage`): projector and language model on cached features, in courses; each
   draws clips of its own.
4. Events (`events`, `batches`): what happens in turn or briefly, and uneven frame times, on cached
   features too. `--from` a finished checkpoint begins here.
5. Shipping: the folder that `AutoProcessor` and `AutoModelForImageTextToText` load.

Every stage leaves its result in `--work`; started again, training goes on from what lies there.
The README beside this file has the cost of each stage.
"""

from __future__ import annotations

import argparse
import logging
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from daemon.captioner.demo.architecture import configuration, untrained
from daemon.captioner.demo.batches import (
    even_batches,
    even_frames,
    event_batches,
    uneven_frames,
)
from daemon.captioner.demo.frames import still_pictures
from daemon.captioner.demo.language_stage import (
    Batches,
    Diet,
    Hints,
    Teacher,
    evaluate,
    scale_projector,
    share_exact,
    train_language,
)
from daemon.captioner.demo.optimisation import Schedule, optimisers
from daemon.captioner.demo.shipping import ship
from daemon.captioner.demo.tokenizer import IMAGE_TOKEN, VIDEO_TOKEN, train_tokenizer
from daemon.captioner.demo.view_drawing import Shares, draw_views
from daemon.captioner.demo.views import Views
from daemon.captioner.demo.vision_stage import Heads, train_vision, whiten

if TYPE_CHECKING:
    from transformers import LlavaNextVideoForConditionalGeneration, PreTrainedTokenizerFast

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Course:
    """One course of the language stage, on clips of its own and all earlier ones."""

    steps: int
    rate: float
    fall: float
    """Share of the steps over which the rate falls to zero."""


VISION_STEPS = 2600
CLIPS, LONG_CLIPS = 12_000, 2_400
"""Clips a course of 8 frames, and of 16 frames, from which all other frame counts are cut."""
SHARES = Shares(nothing=0.05, two=0.5)
COURSES = (Course(2400, 2e-3, 0.5), Course(1000, 1.2e-3, 1.0))
DIET = Diet(bare=0.5, merges=0.4)
EVENT_CLIPS = 6_000
"""Event clips in each of two sets."""
EVENT_SHARES = Shares(nothing=0.04, two=0.24, turns=0.3, brief=0.2)
EVENTS = Course(3300, 1.2e-3, 0.7)
EVENT_DIET = Diet(bare=0.2, merges=0.2, other_counts=0.3)
REPORT_EVERY = 200


def _ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    names = {"image": IMAGE_TOKEN, "video": VIDEO_TOKEN}
    found = {name: int(tokenizer.convert_tokens_to_ids(token)) for name, token in names.items()}
    assert tokenizer.pad_token_id is not None
    assert tokenizer.eos_token_id is not None
    return found | {"pad": int(tokenizer.pad_token_id), "eos": int(tokenizer.eos_token_id)}


class Training:
    """The stages over one model, each skipped when its result lies in the working folder."""

    def __init__(self, work: Path, seed: int) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.work = work
        self.seed = seed
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = train_tokenizer()
        vocabulary = -(-len(self.tokenizer) // 64) * 64
        self.model = untrained(configuration(vocabulary, _ids(self.tokenizer)), seed).to(
            self.device
        )
        self.tower = self.model.model.vision_tower
        self.hints = Hints().to(self.device)

    def vision(self) -> None:
        """Train the tower, or load it."""
        path = self.work / "vision.pt"
        if path.exists():
            self.tower.load_state_dict(torch.load(path, weights_only=True))
            return
        start = time.process_time()
        whiten(self.tower, still_pictures(self.seed + 5, 2000)["pixels"].to(self.device))
        heads = Heads().to(self.device)
        train_vision(
            self.tower, heads, seed=self.seed + 1, steps=VISION_STEPS, batch=128, rate=3e-3
        )
        torch.save(self.tower.state_dict(), path)
        log.info("vision done in %.1f CPU minutes", (time.process_time() - start) / 60)

    def _views(self, name: str, **drawing: Any) -> Views:
        """Return clips as the trained tower sees them, from the working folder or freshly drawn."""
        path = self.work / f"{name}.pt"
        if path.exists():
            return Views(*torch.load(path, weights_only=True))
        views = draw_views(self.tower, **drawing)
        torch.save([getattr(views, field) for field in Views.__slots__], path)
        log.info("%d clips for %s", len(views), name)
        return views

    def start_from(self, folder: Path) -> None:
        """Take the weights of a finished checkpoint instead of training tower and words."""
        from transformers import LlavaNextVideoForConditionalGeneration

        shipped = LlavaNextVideoForConditionalGeneration.from_pretrained(folder)
        self.model.load_state_dict(shipped.state_dict())

    def language(self) -> None:
        """Train projector and language model, going on where an earlier start was interrupted."""
        self.tower.requires_grad_(False)
        start = time.process_time()
        sets: tuple[Views, Views] | None = None
        for index, course in enumerate(COURSES):
            fresh = self._drawn(index)
            if sets is None:
                scale_projector(self.model, fresh[0])
                sets = fresh
            else:
                sets = sets[0].joined(fresh[0]), sets[1].joined(fresh[1])
            batches = even_batches(*sets, size=DIET.batch, other_counts=DIET.other_counts)
            self._course(course, f"language-{index}", batches, DIET, {})
        log.info("language done in %.1f CPU minutes", (time.process_time() - start) / 60)

    def events(self) -> None:
        """Teach things in turn and brief appearances, among all that was known before."""
        self.tower.requires_grad_(False)
        start = time.process_time()
        clips = self._event_clips(0).joined(self._event_clips(1))
        batches = event_batches(clips, size=EVENT_DIET.batch, other_counts=EVENT_DIET.other_counts)
        self._course(EVENTS, "events", batches, EVENT_DIET, self._event_exams())
        log.info("events done in %.1f CPU minutes", (time.process_time() - start) / 60)

    def _event_clips(self, part: int) -> Views:
        seed = self.seed + 50_000 + part
        return self._views(f"events-{part}", seed=seed, count=EVENT_CLIPS, shares=EVENT_SHARES)

    def _event_exams(self) -> dict[str, Views]:
        """Return clips of held-out triples with even frames, and with such as follow what changes."""
        rng = np.random.default_rng(self.seed + 905)
        exams: dict[str, Views] = {}
        for name, shares in (("turns", Shares(0, 0, turns=1)), ("brief", Shares(0, 0, brief=1))):
            drawn = self._views(
                name, seed=self.seed + 903, count=200, shares=shares, held_out=True, rough=False
            )
            uneven = uneven_frames(rng, drawn, 8, told=1.0)
            for kind, index in (("even", even_frames(8)), ("uneven", uneven)):
                views = drawn.frames(index)
                exams[f"{name} {kind}"] = views.rows(views.legible().nonzero()[:, 0])
        return exams

    def _drawn(self, index: int) -> tuple[Views, Views]:
        seed = self.seed + 10_000 * (index + 1)
        return (
            self._views(f"eight-{index}", seed=seed, count=CLIPS, shares=SHARES),
            self._views(
                f"sixteen-{index}", seed=seed + 1, count=LONG_CLIPS, frames=16, shares=SHARES
            ),
        )

    def _course(
        self, course: Course, name: str, batches: Batches, diet: Diet, exams: dict[str, Views]
    ) -> None:
        """Take one course, and measure now and then on clips of held-out triples."""
        exam: dict[str, Any] = {"held_out": True, "rough": False}
        held = (
            self._views("one", seed=self.seed + 901, count=400, shares=Shares(0, 0), **exam),
            self._views("two", seed=self.seed + 902, count=300, shares=Shares(0, 1), **exam),
        )
        language, projector = (
            self.model.model.language_model,
            self.model.model.multi_modal_projector,
        )
        makers = optimisers(language, projector, self.hints, rate=course.rate)
        schedule = Schedule(makers, course.steps, warm=100, fall=course.fall)
        path = self.work / f"{name}.pt"
        self._resume(path, schedule)
        teacher = Teacher(
            self.model, self.tokenizer, self.seed + zlib.crc32(name.encode()) + schedule.done
        )
        while schedule.done < course.steps:
            left = min(REPORT_EVERY, course.steps - schedule.done)
            shares = train_language(teacher, self.hints, schedule, batches, diet, left)
            shares |= evaluate(teacher, *held)
            shares |= {exam: share_exact(teacher, views) for exam, views in exams.items()}
            figures = " ".join(f"{figure} {value:.3f}" for figure, value in shares.items())
            log.info("%s step %d/%d %s", name, schedule.done, course.steps, figures)
            self._keep(path, schedule)

    def _keep(self, path: Path, schedule: Schedule) -> None:
        state = {
            "model": self.model.state_dict(),
            "hints": self.hints.state_dict(),
            "schedule": schedule.state_dict(),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def _resume(self, path: Path, schedule: Schedule) -> None:
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.hints.load_state_dict(state["hints"])
            schedule.load_state_dict(state["schedule"])

    def result(self) -> LlavaNextVideoForConditionalGeneration:
        """Return the trained model on the CPU."""
        return self.model.cpu()


def main() -> None:
    """Run all stages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished checkpoint")
    parser.add_argument(
        "--work", type=Path, help="folder of the stages' results; OUT/work by default"
    )
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="FOLDER",
        help="a checkpoint that has been through all stages before `events`",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    training = Training(arguments.work or arguments.out / "work", arguments.seed)
    if arguments.start:
        training.start_from(arguments.start)
    else:
        training.vision()
        training.language()
    training.events()
    ship(arguments.out, training.result(), training.tokenizer)
    log.info("written to %s", arguments.out)


if __name__ == "__main__":
    main()
