"""Lessons in merging scene notes: text only, copied word for word, with marks on what is copied.

Copying among sentences that share most of their words needs a pointer: which note, which word of
it. The marks let throw-away heads teach that pointer directly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from catalog.prompts import render_merge
from daemon.captioner.demo.architecture import TEXT_LAYERS, TEXT_WIDTH
from daemon.captioner.demo.prompts import merge_note, merged

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from transformers import PreTrainedTokenizerFast

MOST_NOTES = 8
_SHARES = (0.4, 0.25, 0.12, 0.08, 0.06, 0.05, 0.04)
_MOST_PLACES = 48
IGNORED = -100


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids of request and answer, and for each id of both its (note, place in the note)."""

    asked: list[int]
    said: list[int]
    marks: list[tuple[int, int]]


def _spans(text: str, notes: Sequence[str]) -> list[tuple[int, int]]:
    """Return where each note stands in a text that has them in order, in characters."""
    spans: list[tuple[int, int]] = []
    end = 0
    for note in notes:
        start = text.index(note, end)
        end = start + len(note)
        spans.append((start, end))
    return spans


def _marked(
    tokenizer: PreTrainedTokenizerFast, text: str, notes: Sequence[str]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the ids of a text, and for each the note it belongs to and its place there."""
    spans = _spans(text, notes)
    coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    counts = [0] * len(notes)
    marks: list[tuple[int, int]] = []
    for _, end in coded["offset_mapping"]:
        note = next((i for i, span in enumerate(spans) if span[0] < end <= span[1]), None)
        if note is None:
            marks.append((IGNORED, IGNORED))
        else:
            marks.append((note, min(counts[note], _MOST_PLACES - 1)))
            counts[note] += 1
    return list(coded["input_ids"]), marks


def merge_rows(
    rng: np.random.Generator, tokenizer: PreTrainedTokenizerFast, count: int, notes: int | None
) -> list[Row]:
    """Draw requests with the same number of notes each, and their answers.

    While answering, a token's mark is that of the token to be said next.
    """
    number = notes or int(rng.choice(range(2, MOST_NOTES + 1), p=_SHARES))
    rows: list[Row] = []
    for _ in range(count):
        told = [merge_note(rng) for _ in range(number)]
        # The space is a part of the first word's token, as in the whole text of the chat template.
        asked, sources = _marked(tokenizer, f" {render_merge(told)} ASSISTANT:", told)
        said, copies = _marked(tokenizer, f" {merged(told)}</s>", told)
        rows.append(Row(asked, said, [*sources[:-1], *copies, (IGNORED, IGNORED)]))
    return rows


def _pointer_loss(attention: Tensor, marks: Tensor) -> Tensor:
    """Return how far one head is from looking at the words to be copied.

    `attention` (n, length, length) and `marks` (n, length, 2) cover the same positions. The earliest
    place with the same mark is the source; a position that has none before it copies nothing.
    """
    note, place = marks[..., 0], marks[..., 1]
    key = torch.where(note >= 0, note * _MOST_PLACES + place, IGNORED)
    same = (key[:, :, None] == key[:, None, :]) & (note >= 0)[:, :, None]
    source = same.float().argmax(2)
    copying = (note >= 0) & (source < torch.arange(key.shape[1], device=key.device))
    aimed = torch.gather(attention.float(), 2, source[..., None])[..., 0]
    return -(aimed.clamp_min(1e-4).log() * copying).sum() / copying.sum().clamp_min(1)


class CopyHints(nn.Module):
    """Throw-away heads that read note and place from the middle of the language model."""

    def __init__(self) -> None:
        super().__init__()
        self.note = nn.Linear(TEXT_WIDTH, MOST_NOTES)
        self.place = nn.Linear(TEXT_WIDTH, _MOST_PLACES)

    def loss(
        self, hidden: tuple[Tensor, ...], attentions: tuple[Tensor, ...], marks: Tensor
    ) -> Tensor:
        """Return the mean of the hints; `marks` (n, length, 2) belong to the last positions.

        The layer after the middle one has its first head taught to look at the word to copy.
        """
        length = marks.shape[1]
        middle = hidden[TEXT_LAYERS // 2][:, -length:]
        total = _pointer_loss(attentions[TEXT_LAYERS // 2][:, 0, -length:, -length:], marks)
        for head, column in ((self.note, 0), (self.place, 1)):
            logits = head(middle).float().transpose(1, 2)
            total = total + functional.cross_entropy(logits, marks[..., column])
        return total / 3
