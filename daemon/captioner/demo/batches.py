"""What a course of the language stage draws its batches from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from daemon.captioner.demo.view_drawing import GRID_FRAMES
from daemon.captioner.demo.views import BRIEF, Views

if TYPE_CHECKING:
    import numpy as np

    from daemon.captioner.demo.language_stage import Batches

# Scenes of few pictures give fewer frames than were asked for, so odd counts occur as well.
_COUNTS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16)
_COUNT_SHARES = (0.1, 0.1, 0.07, 0.16, 0.08, 0.13, 0.08, 0.06, 0.04, 0.09, 0.02, 0.07)
_EVENT_COUNT_SHARES = (0.05, 0.06, 0.07, 0.3, 0.1, 0.14, 0.06, 0.0, 0.05, 0.09, 0.02, 0.06)


# Brief appearances are seen in half of their clips, and are the hardest.
_KIND_WEIGHTS = torch.tensor([0.75, 0.65, 0.9, 0.9, 1.8])


def even_frames(count: int, shift: float = 0.5) -> Tensor:
    """Return `count` indices spread evenly over a grid of GRID_FRAMES."""
    step = GRID_FRAMES / count
    return torch.tensor([int((index + shift) * step) for index in range(count)])


def uneven_frames(rng: np.random.Generator, views: Views, count: int, told: float) -> Tensor:
    """Return `count` indices for each event clip (n, count): more or less even, with extra ones.

    A share `told` of the brief appearances gets a frame inside, as from a sampler that looks for them.
    """
    rows, frames = views.features.shape[:2]
    scores = torch.from_numpy(rng.random((rows, frames)))
    scores[:, even_frames(count)] += float(rng.uniform(0.1, 0.8))
    brief = (views.seen & (views.things[:, None, :, 2] == BRIEF)).any(2)
    chosen = (torch.from_numpy(rng.random((rows, frames))) * brief).argmax(1)
    bonus = 9.0 * (brief.any(1) & (torch.from_numpy(rng.random(rows)) < told))
    scores[torch.arange(rows), chosen] += bonus
    return scores.topk(count, 1).indices


def _kept(rng: np.random.Generator, views: Views) -> Views:
    """Turn half of the batches back in time, and leave out what must not be trained on."""
    if rng.random() < 0.5:
        views = views.backwards()
    return views.rows((~views.held_out()).nonzero()[:, 0])


def even_batches(main: Views, varied: Views, *, size: int, other_counts: float) -> Batches:
    """Draw clips of 8 frames, or another count cut from the clips of GRID_FRAMES frames."""

    def draw(rng: np.random.Generator) -> Views:
        if rng.random() >= other_counts:
            return _kept(rng, main.rows(torch.from_numpy(rng.integers(len(main), size=size))))
        count = int(rng.choice(_COUNTS, p=_COUNT_SHARES))
        fewer = max(16, size * 8 // max(8, count))
        views = varied.rows(torch.from_numpy(rng.integers(len(varied), size=fewer)))
        return _kept(rng, views.frames(even_frames(count, rng.uniform(0.3, 0.7))))

    return draw


def event_batches(clips: Views, *, size: int, other_counts: float) -> Batches:
    """Draw event clips as an even sampler and as one that follows what changes would show them."""

    shares = _KIND_WEIGHTS[clips.kinds()].double()
    weights = (shares / shares.sum()).numpy()

    def draw(rng: np.random.Generator) -> Views:
        count = 8
        if rng.random() < other_counts:
            count = int(rng.choice(_COUNTS, p=_EVENT_COUNT_SHARES))
        fewer = max(16, size * 8 // max(8, count))
        views = clips.rows(torch.from_numpy(rng.choice(len(clips), size=fewer, p=weights)))
        if count >= 4 and rng.random() < 0.6:
            index = uneven_frames(rng, views, count, told=0.85)
        else:
            index = even_frames(count, rng.uniform(0.3, 0.7))
        views = views.frames(index)
        return _kept(rng, views.rows(views.legible().nonzero()[:, 0]))

    return draw
