"""Trains the demo checkpoint from nothing: `python -m daemon.captioner.demo.train --out FOLDER`.

1. Tokenizer: byte-level BPE on the sentences and prompts. Seconds.
2. Vision (`vision_stage`): the tower alone, dense labels.
3. Language (`language_stage`): projector and language model on cached features.
4. Shipping: the folder that `AutoProcessor` and `AutoModelForImageTextToText` load.

Every stage leaves its result in `--work`; started again, training goes on from what lies there.
The README beside this file has the cost of each stage.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from daemon.captioner.demo.architecture import configuration, untrained
from daemon.captioner.demo.frames import still_pictures
from daemon.captioner.demo.language_stage import (
    Diet,
    Hints,
    Teacher,
    evaluate,
    scale_projector,
    train_language,
)
from daemon.captioner.demo.optimisation import Schedule, optimisers
from daemon.captioner.demo.shipping import ship
from daemon.captioner.demo.tokenizer import IMAGE_TOKEN, VIDEO_TOKEN, train_tokenizer
from daemon.captioner.demo.views import Views, draw_views
from daemon.captioner.demo.vision_stage import Heads, train_vision, whiten

if TYPE_CHECKING:
    from transformers import LlavaNextVideoForConditionalGeneration, PreTrainedTokenizerFast

log = logging.getLogger(__name__)


VISION_STEPS = 2600
CLIPS, LONG_CLIPS = 12_000, 2_400
"""Clips of 8 frames, and of 16 frames, from which all other frame counts are cut."""
SHARES = (0.05, 0.5)
"""Shares of clips that show nothing, and of those that show two objects."""
LANGUAGE_STEPS = 2400
DIET = Diet(bare=0.5, merges=0.4)
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

    def language(self) -> None:
        """Train projector and language model, going on where an earlier start was interrupted."""
        self.tower.requires_grad_(False)
        seed = self.seed + 10_000
        exam: dict[str, Any] = {"held_out": True, "rough": False}
        held = (
            self._views("one", seed=self.seed + 901, count=400, shares=(0, 0), **exam),
            self._views("two", seed=self.seed + 902, count=300, shares=(0, 1), **exam),
        )
        sets = (
            self._views("eight", seed=seed, count=CLIPS, shares=SHARES),
            self._views("sixteen", seed=seed + 1, count=LONG_CLIPS, frames=16, shares=SHARES),
        )
        scale_projector(self.model, sets[0])
        language, projector = (
            self.model.model.language_model,
            self.model.model.multi_modal_projector,
        )
        makers = optimisers(language, projector, self.hints, rate=2e-3)
        schedule = Schedule(makers, LANGUAGE_STEPS, warm=100, fall=0.5)
        self._resume(schedule)
        teacher = Teacher(self.model, self.tokenizer, self.seed + schedule.done)
        while schedule.done < LANGUAGE_STEPS:
            means = train_language(teacher, self.hints, schedule, sets, DIET, REPORT_EVERY)
            shares = evaluate(teacher, *held)
            figures = " ".join(f"{name} {value:.3f}" for name, value in (means | shares).items())
            log.info("language step %d/%d %s", schedule.done, LANGUAGE_STEPS, figures)
            self._keep(schedule)

    def _keep(self, schedule: Schedule) -> None:
        state = {
            "model": self.model.state_dict(),
            "hints": self.hints.state_dict(),
            "schedule": schedule.state_dict(),
        }
        torch.save(state, self.work / "language.part")
        (self.work / "language.part").replace(self.work / "language.pt")

    def _resume(self, schedule: Schedule) -> None:
        path = self.work / "language.pt"
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
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    training = Training(arguments.work or arguments.out / "work", arguments.seed)
    training.vision()
    training.language()
    ship(arguments.out, training.result(), training.tokenizer)
    log.info("written to %s", arguments.out)


if __name__ == "__main__":
    main()
