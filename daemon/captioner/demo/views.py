"""Clips as the language model sees them: pooled features of a frozen tower, computed once.

Features are kept per frame, so frame counts, uneven frame times, reversal in time and fresh prompts
cost nothing more. What is to be said follows from what the frames show. `view_drawing` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from daemon.captioner.demo.vocabulary import (
    BACKGROUNDS,
    BRIEF_HELD_OUT,
    COLOURS,
    HELD_OUT,
    MOTIONS,
    REVERSED,
    SHAPES,
    Motion,
    Triple,
    sentence,
)

ALL_MOTIONS = (*MOTIONS, Motion.BRIEF)
STILL, BLINK, BRIEF = (ALL_MOTIONS.index(it) for it in (Motion.STILL, Motion.BLINK, Motion.BRIEF))
KINDS = 5
"""What `Views.kinds` tells apart."""
_REVERSED = torch.tensor([ALL_MOTIONS.index(REVERSED[motion]) for motion in ALL_MOTIONS])
_HELD = torch.zeros(len(COLOURS), len(SHAPES), len(ALL_MOTIONS), dtype=torch.bool)
for _colour, _shape, _motion in HELD_OUT | BRIEF_HELD_OUT:
    _HELD[COLOURS.index(_colour), SHAPES.index(_shape), ALL_MOTIONS.index(_motion)] = True


@dataclass(frozen=True, slots=True)
class Views:
    """A set of clips with the same number of frames.

    `features` (n, frames, 9, width) half precision; `things` (n, 2, 3) colour, shape and motion
    indices, -1 for no object; `grounds` (n); `seen` (n, frames, 2) which objects a frame shows;
    `nearest` (n, frames, 9) the object nearest to each token, -1 when the frame shows none;
    `acting` (n, frames, 2) which objects are in their span; `times` (n, frames) and `durations` (n)
    in seconds; `turns` (n): 0 when all happens at once, 1 when the first object acts before the
    second, 2 when after it.
    """

    features: Tensor
    things: Tensor
    grounds: Tensor
    seen: Tensor
    nearest: Tensor
    acting: Tensor
    times: Tensor
    durations: Tensor
    turns: Tensor

    def __len__(self) -> int:
        return len(self.features)

    def joined(self, other: Views) -> Views:
        """Return both sets as one."""
        return Views(
            *(torch.cat([getattr(self, it), getattr(other, it)]) for it in Views.__slots__)
        )

    def rows(self, chosen: Tensor) -> Views:
        """Return the chosen clips."""
        return Views(*(getattr(self, it)[chosen] for it in Views.__slots__))

    def frames(self, chosen: Tensor) -> Views:
        """Return the clips with the chosen frames only, in the order of time.

        `chosen` is (frames) for all clips or (n, frames). Labels follow what these frames show.
        """
        index = chosen.expand(len(self), -1)
        index = index.gather(1, self.times.gather(1, index).argsort(1))
        features, seen, nearest, acting, times = (
            _picked(it, index)
            for it in (self.features, self.seen, self.nearest, self.acting, self.times)
        )
        things, turns = self._visible(seen)
        return Views(
            features, things, self.grounds, seen, nearest, acting, times, self.durations, turns
        )

    def _visible(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return objects and turns as frames tell them that show what `seen` says."""
        things, turns = self.things.clone(), self.turns.clone()
        blinks = things[..., 2] == BLINK
        always, never = seen.all(1), ~seen.any(1)
        things[..., 2] = torch.where(blinks & always, STILL, things[..., 2])
        if seen.shape[1] == 1:
            things[..., 2] = torch.where(things[..., 2] >= 0, STILL, things[..., 2])
            turns[:] = 0
        things[never] = -1
        turns[never.any(1)] = 0
        return things, turns

    def backwards(self) -> Views:
        """Return the clips played backwards."""
        things = self.things.clone()
        moves = things[..., 2]
        things[..., 2] = torch.where(moves >= 0, _REVERSED[moves.clamp_min(0)], moves)
        features, seen, nearest, acting = (
            it.flip(1) for it in (self.features, self.seen, self.nearest, self.acting)
        )
        times = (self.durations[:, None] - self.times).flip(1)
        turns = torch.where(self.turns > 0, 3 - self.turns, 0)
        return Views(
            features, things, self.grounds, seen, nearest, acting, times, self.durations, turns
        )

    def held_out(self) -> Tensor:
        """Tell for each clip whether one of its triples must never be trained on."""
        index = self.things.clamp_min(0)
        held = _HELD[index[..., 0], index[..., 1], index[..., 2]] & (self.things[..., 0] >= 0)
        return held.any(1)

    def kinds(self) -> Tensor:
        """Tell what is to be told: 0 nothing, 1 one object, 2 two at once, 3 in turn, 4 a brief one."""
        there = (self.things[..., 0] >= 0).sum(1)
        brief = (self.things[..., 2] == BRIEF).any(1)
        return torch.where(self.turns > 0, 3, torch.where(brief, 4, there))

    def legible(self) -> Tensor:
        """Tell for each clip whether its frames suffice to see what is to be said of it."""
        count, length = self.features.shape[1], self.durations[:, None]
        there, blinks = self.things[..., 0] >= 0, self.things[..., 2] == BLINK
        shown = self.seen.sum(1)
        changes = (self.seen[:, 1:] != self.seen[:, :-1]).sum(1)
        starts = (self.seen[:, 1:] & ~self.seen[:, :-1]).sum(1) + self.seen[:, 0]
        # What is seen but once beside another object may blink or be brief.
        sure = (there.sum(1, keepdim=True) < 2) | (starts > 1)
        sure |= (shown > 1) & (self._extent(self.seen) >= 0.08 * length)
        blinking = (changes >= (2 if count > 4 else 1)) & sure
        brief = (shown <= max(2, count // 4)) & (length >= 5)
        fine = torch.where(blinks, blinking, (self.things[..., 2] != BRIEF) | brief)
        # In turn, two frames must be far enough apart to show a way, and blinking shows twice.
        apart = self._extent(self.acting & self.seen) >= 0.12 * length
        clear = torch.where(blinks, starts > 1, apart)
        return fine.all(1) & (clear.all(1) | (self.turns == 0))

    def _extent(self, chosen: Tensor) -> Tensor:
        """Return the seconds between the first and last of the chosen frames, for each object."""
        times = self.times[..., None]
        last = torch.where(chosen, times, -torch.inf).amax(1)
        return last - torch.where(chosen, times, torch.inf).amin(1)

    def sentences(self) -> list[str]:
        """Return what to say of each clip."""
        rows = zip(self.grounds.tolist(), self.things.tolist(), self.turns.tolist(), strict=True)
        said: list[str] = []
        for ground, things, turn in rows:
            told = [_triple(it) for it in (things[::-1] if turn == 2 else things) if it[0] >= 0]
            said.append(sentence(BACKGROUNDS[ground % 4], told, in_turn=turn > 0))
        return said


def _picked(values: Tensor, index: Tensor) -> Tensor:
    return values[torch.arange(len(values))[:, None], index]


def _triple(indices: list[int]) -> Triple:
    return COLOURS[indices[0]], SHAPES[indices[1]], ALL_MOTIONS[indices[2]]
