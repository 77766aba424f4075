"""Stage 2: projector and language model, on cached features of the frozen tower.

Besides the words of the answer, every visual token says through a throw-away head how its nearest
object moves: dozens of labels a clip where the sentence has one. This is what makes motion learnable
in minutes. Prompts are drawn afresh for every batch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.prompts import NOTE, render
from daemon.captioner.demo.architecture import TEXT_LAYERS, TEXT_WIDTH
from daemon.captioner.demo.merging import IGNORED, CopyHints, merge_rows
from daemon.captioner.demo.prompts import draw_template, timed_prompt, video_prompt
from daemon.captioner.demo.views import BRIEF, KINDS, Views
from daemon.captioner.demo.vocabulary import MOTIONS

if TYPE_CHECKING:
    from transformers import LlavaNextVideoForConditionalGeneration, PreTrainedTokenizerFast

    from daemon.captioner.demo.optimisation import Schedule

log = logging.getLogger(__name__)

_PREDICTABLE = (" 배경에서", " 오른쪽으로", " 왼쪽으로", ".")
"""Answer words that follow from the words before them; they weigh little in the loss."""


def scale_projector(model: LlavaNextVideoForConditionalGeneration, views: Views) -> None:
    """Bring the projector's output to the spread of word embeddings, so neither drowns the other."""
    projector = model.model.multi_modal_projector
    with torch.no_grad():
        features = views.features[:256].float().to(projector.linear_1.weight.device)
        spread = features.flatten(0, 2).std()
        weight = projector.linear_1.weight
        weight.mul_(1.5 / (spread * weight.std() * weight.shape[1] ** 0.5))
        out = projector(features)
        ratio = model.get_input_embeddings().weight.std() / out.std()
        projector.linear_2.weight.mul_(ratio)
        projector.linear_2.bias.zero_()


class Hints(nn.Module):
    """Throw-away heads that read the nearest object's motion from visual tokens inside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.copying = CopyHints()
        self.heads = nn.ModuleList(nn.Linear(TEXT_WIDTH, len(MOTIONS)) for _ in range(2))
        self.kind = nn.Linear(TEXT_WIDTH, KINDS)

    def loss(self, hidden: tuple[Tensor, ...], views: Views, first: int) -> Tensor:
        """Return the mean cross entropy; visual tokens start at position `first`.

        An object's first two frames of action count nothing: what it does shows only in later ones.
        """
        device = hidden[0].device
        frames, tokens = views.nearest.shape[1:]
        nearest = views.nearest.long()
        owner = nearest.clamp_min(0).flatten(1)
        motion = torch.gather(views.things[..., 2], 1, owner)
        needed = torch.where(views.turns > 0, 2, min(3, frames))[:, None, None]
        told = torch.gather(views.acting.cumsum(1) >= needed, 2, nearest.clamp_min(0)).flatten(1)
        known = (nearest.flatten(1) >= 0) & told & (motion != BRIEF)
        motion = torch.where(known, motion, -100).to(device)
        total = torch.zeros((), device=device)
        for head, layer in zip(self.heads, (TEXT_LAYERS // 2, TEXT_LAYERS - 1), strict=True):
            out = head(hidden[layer][:, first : first + frames * tokens]).float()
            total = total + functional.cross_entropy(out.transpose(1, 2), motion)
        return total / 2

    def kind_loss(self, hidden: tuple[Tensor, ...], views: Views, words: Words) -> Tensor:
        """Return the cross entropy of what kind of clip it is, read where the answer begins."""
        states = hidden[TEXT_LAYERS - 1]
        begins = states.shape[1] - words.ids.shape[1] + (words.weights > 0).float().argmax(1) - 1
        told = states[torch.arange(len(states), device=states.device), begins]
        return functional.cross_entropy(self.kind(told).float(), views.kinds().to(states.device))


@dataclass(frozen=True, slots=True)
class Words:
    """Token ids (n, length) right padded, with the loss weight of predicting each of them.

    `marks` (n, length, 2), for merging alone, says which word of which note is copied where.
    """

    ids: Tensor
    weights: Tensor
    marks: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What a pass over a batch gave: hidden states of all layers, attentions where hints need them,
    and the logits (n, length, vocabulary) of each of the words.
    """

    hidden: tuple[Tensor, ...]
    attentions: tuple[Tensor, ...]
    logits: Tensor


class Teacher:
    """Turns views and prompts into losses for one model and tokenizer."""

    def __init__(
        self,
        model: LlavaNextVideoForConditionalGeneration,
        tokenizer: PreTrainedTokenizerFast,
        seed: int,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.rng = np.random.default_rng(seed)
        self.device = next(model.parameters()).device
        self.opening = self._ids("USER: ")
        self.light = torch.zeros(model.config.text_config.vocab_size, dtype=torch.bool)
        self.light[[self._ids(word)[0] for word in _PREDICTABLE]] = True

    def _ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def words(self, prompts: Sequence[str], answers: Sequence[str]) -> Words:
        """Encode prompt and answer; only the answer and its end have weight."""
        asked = self.tokenizer([f"{it} ASSISTANT:" for it in prompts], add_special_tokens=False)[
            "input_ids"
        ]
        said = self.tokenizer([f" {it}</s>" for it in answers], add_special_tokens=False)[
            "input_ids"
        ]
        return self._padded(list(zip(asked, said, strict=True)))

    def _padded(self, rows: Sequence[tuple[list[int], list[int]]]) -> Words:
        length = max(len(asked) + len(said) for asked, said in rows)
        ids = torch.full((len(rows), length), self.tokenizer.pad_token_id)
        weights = torch.zeros(ids.shape)
        for row, (asked, said) in enumerate(rows):
            ids[row, : len(asked) + len(said)] = torch.tensor(asked + said)
            weights[row, len(asked) : len(asked) + len(said)] = 1
        weights[self.light[ids]] *= 0.15
        return Words(ids.to(self.device), weights.to(self.device))

    def merge_words(self, count: int, notes: int | None = None) -> Words:
        """Draw requests to merge notes, all of the same number of notes."""
        rows = merge_rows(self.rng, self.tokenizer, count, notes)
        words = self._padded([(row.asked, row.said) for row in rows])
        marks = torch.full((*words.ids.shape, 2), IGNORED)
        for index, row in enumerate(rows):
            marks[index, : len(row.marks)] = torch.tensor(row.marks)
        return Words(words.ids, words.weights, marks.to(self.device))

    def _run(self, views: Views | None, words: Words) -> Run:
        """Run the language model over video and words."""
        embed = self.model.get_input_embeddings()
        # Without a video the space belongs to the first word of the prompt.
        heading = self.opening if views is not None else self.opening[:-1]
        opening = torch.tensor(heading, device=self.device).expand(len(words.ids), -1)
        parts = [embed(opening)]
        if views is not None:
            features = views.features.to(self.device).float().flatten(1, 2)
            parts.append(self.model.model.multi_modal_projector(features))
        start = sum(part.shape[1] for part in parts)
        parts.append(embed(words.ids))
        out = self.model.model.language_model(
            inputs_embeds=torch.cat([part.float() for part in parts], 1),
            use_cache=False,
            output_hidden_states=True,
            output_attentions=words.marks is not None,
        )
        logits = self.model.lm_head(out.last_hidden_state[:, start - 1 : -1])
        return Run(out.hidden_states, out.attentions or (), logits)

    def losses(
        self, views: Views | None, words: Words, hints: Hints | None
    ) -> tuple[Tensor, Tensor]:
        """Return the weighted answer loss and the hint loss (zero without hints)."""
        with torch.autocast(self.device.type, torch.bfloat16):
            run = self._run(views, words)
            hint = torch.zeros((), device=self.device)
            if hints is not None and views is not None and views.features.shape[1] > 1:
                hint = hints.loss(run.hidden, views, len(self.opening))
                hint = hint + hints.kind_loss(run.hidden, views, words)
            elif hints is not None and words.marks is not None:
                hint = hints.copying.loss(run.hidden, run.attentions, words.marks)
        each = functional.cross_entropy(
            run.logits.float().transpose(1, 2), words.ids, reduction="none"
        )
        return (each * words.weights).sum() / words.weights.sum(), hint

    def video_words(self, views: Views, bare: float) -> Words:
        """Draw a prompt for each clip, with its true frame times where it has any."""
        # One family of prompts a batch keeps the rows about equally long.
        if self.rng.random() < bare:
            prompts = [video_prompt(self.rng, 1, 1.0) for _ in range(len(views))]
        else:
            template = draw_template(self.rng)
            prompts = [
                timed_prompt(self.rng, template, duration, times)
                for duration, times in zip(
                    views.durations.tolist(), views.times.tolist(), strict=True
                )
            ]
        return self.words([f"\n{prompt}" for prompt in prompts], views.sentences())

    @torch.no_grad()
    def exact(self, views: Views | None, words: Words) -> tuple[Tensor, Tensor, Tensor]:
        """Return whether greedy decoding gives each answer word for word, and each token, and a mask.

        Greedy decoding gives the reference exactly when every next token is right under forcing.
        """
        right = self._run(views, words).logits.argmax(-1) == words.ids
        asked = words.weights > 0
        return (right | ~asked).all(1), right, asked


_PLAIN_PROMPT = "\n이 영상을 한국어로 상세히 묘사해주세요."

# Positions of the telling words in the sentence of one object: background, colour, shape, motion.
_PLACES = {"background": (0,), "colour": (2,), "shape": (3,), "motion": (4, 5, 6)}


def evaluate(teacher: Teacher, single: Views, double: Views) -> dict[str, float]:
    """Return shares of right words and sentences on held-out clips."""
    figures: dict[str, float] = {}
    prompts = [_PLAIN_PROMPT]
    for name, views in (("one", single), ("two", double)):
        whole: list[Tensor] = []
        places: dict[str, list[Tensor]] = {key: [] for key in _PLACES}
        for chosen in torch.split(torch.arange(len(views)), 100):
            part = views.rows(chosen)
            words = teacher.words(prompts * len(part), part.sentences())
            exact, right, asked = teacher.exact(part, words)
            whole.append(exact)
            offset = int(asked[0].float().argmax())
            for key, columns in _PLACES.items():
                index = [offset + it for it in columns]
                places[key].append((right[:, index] | ~asked[:, index]).all(1))
        figures[name] = torch.cat(whole).float().mean().item()
        if name == "one":
            figures |= {key: torch.cat(it).float().mean().item() for key, it in places.items()}
    merges, right, asked = teacher.exact(None, teacher.merge_words(32, notes=3))
    figures["merged"] = merges.float().mean().item()
    figures["merged words"] = right[asked].float().mean().item()
    return figures


def share_exact(teacher: Teacher, views: Views) -> float:
    """Return the share of clips told word for word, asked with their frame times."""
    whole: list[Tensor] = []
    for chosen in torch.split(torch.arange(len(views)), 100):
        part = views.rows(chosen)
        prompts = [
            f"\n{render(NOTE, duration=duration, times=times)}"
            for duration, times in zip(part.durations.tolist(), part.times.tolist(), strict=True)
        ]
        whole.append(teacher.exact(part, teacher.words(prompts, part.sentences()))[0])
    return torch.cat(whole).float().mean().item()


@dataclass(slots=True)
class Diet:
    """What a run of steps is fed: shares of the batches, and the sizes."""

    batch: int = 48
    bare: float = 0.5
    other_counts: float = 0.2
    merges: float = 0.03
    hint: float = 0.5


Batches = Callable[[np.random.Generator], Views]
"""Draws the next batch of clips to learn from."""


def train_language(
    teacher: Teacher,
    hints: Hints,
    schedule: Schedule,
    batches: Batches,
    diet: Diet,
    steps: int,
) -> dict[str, float]:
    """Take a number of steps; return the mean losses of the last ones."""
    means = {"answer": 0.0, "hint": 0.0, "merge": 0.0, "copy hint": 0.0}
    for step in range(steps):
        if teacher.rng.random() < diet.merges:
            answer, hint = teacher.losses(None, teacher.merge_words(16), hints)
            schedule.step(answer + hint)
            means["merge"] += (answer.item() - means["merge"]) / min(step + 1, 50)
            means["copy hint"] += (hint.item() - means["copy hint"]) / min(step + 1, 50)
            continue
        views = batches(teacher.rng)
        answer, hint = teacher.losses(views, teacher.video_words(views, diet.bare), hints)
        schedule.step(answer + diet.hint * hint)
        for name, value in (("answer", answer), ("hint", hint)):
            means[name] += (value.item() - means[name]) / min(step + 1, 100)
    return means
