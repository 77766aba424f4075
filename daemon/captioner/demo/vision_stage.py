"""Stage 1: the vision tower alone, taught by dense labels through heads that are thrown away.

Each of the 36 patches says which object covers it and where that object's centre and size are;
each of the 9 pooled tokens, which is all that the language model will see, says the same of the
object nearest to it. A caption teaches a tower a few bits a clip, these labels hundreds a frame.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from daemon.captioner.demo.architecture import GRID, PATCH, VISION_WIDTH
from daemon.captioner.demo.frames import NO_BACKGROUND, normalised, roughened, still_pictures
from daemon.captioner.demo.optimisation import Schedule, optimisers

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import CLIPVisionModel

log = logging.getLogger(__name__)

# Columns of a head's output: presence, shape, colour, background, x, y, half width, half height.
_WIDTHS = [1, 4, 6, NO_BACKGROUND + 1, 4]


def whiten(tower: CLIPVisionModel, pictures: Tensor) -> None:
    """Set the patch embedding to whitened principal components of patches, in both signs.

    From a random start the embedding spends its first thousands of steps finding edges.
    """
    patches = (
        functional.unfold(normalised(pictures), PATCH, stride=PATCH).transpose(1, 2).flatten(0, 1)
    )
    centred = patches - patches.mean(0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    top = (
        vectors[:, -VISION_WIDTH:].flip(1).T
        / (values[-VISION_WIDTH:].flip(0)[:, None] + 0.5).sqrt()
    )
    weight = _embedding(tower).weight
    weight.data.copy_((top * 0.35).view_as(weight))


def _embedding(tower: CLIPVisionModel) -> nn.Conv2d:
    module = tower.get_submodule("embeddings.patch_embedding")
    assert isinstance(module, nn.Conv2d)
    return module


class Heads(nn.Module):
    """Throw-away linear readers of patches and of pooled tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Linear(VISION_WIDTH, sum(_WIDTHS))
        self.pooled = nn.Linear(VISION_WIDTH, sum(_WIDTHS))


def pool(patches: Tensor) -> Tensor:
    """Average patch features (n, GRID * GRID, width) in 2 x 2 blocks, as the model's pooler does."""
    grid = patches.reshape(len(patches), GRID, GRID, -1).permute(0, 3, 1, 2)
    return functional.avg_pool2d(grid, 2).flatten(2).transpose(1, 2)


def _coarse(tiles: Tensor) -> Tensor:
    """Average shares of patches (n, 2, GRID * GRID) over the pooled tokens."""
    half = GRID // 2
    return tiles.reshape(-1, 2, half, 2, half, 2).mean((3, 5)).flatten(2)


def _centres(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    line = (torch.arange(side, device=device) + 0.5) / side
    return line.repeat(side), line.repeat_interleave(side)


def _targets(facts: Tensor, shares: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each cell of a grid its object's truth, whether it covers the cell, and a weight.

    `facts` (n, 2, FIELDS), `shares` (n, 2, cells). An uncovered cell speaks of the nearest object.
    """
    x, y = _centres(side, facts.device)
    seen = facts[..., 0:1] > 0
    away = ((facts[..., 3:4] - x).square() + (facts[..., 4:5] - y).square()).sqrt()
    closeness = torch.where(seen, shares * 10 - away, torch.full_like(away, -9.0))
    chosen = closeness.argmax(1)
    own = torch.gather(facts, 1, chosen[..., None].expand(-1, -1, facts.shape[-1]))
    covered = torch.gather(shares, 1, chosen[:, None])[:, 0] * own[..., 0]
    return own, covered, own[..., 0]


def _head_loss(
    out: Tensor, truth: tuple[Tensor, Tensor, Tensor], grounds: Tensor, far: float
) -> Tensor:
    """Loss of one head over all cells; uncovered cells count `far` in the object's attributes."""
    own, covered, seen = truth
    presence, shape, colour, background, place = torch.split(out.float(), _WIDTHS, -1)
    touched = (covered > 0.03).float()
    weight = seen * (touched * (covered * 6).clamp(0.2, 1) + far * (1 - touched))
    weight = weight / weight.sum().clamp_min(1)
    cells = out.shape[1]
    loss = functional.binary_cross_entropy_with_logits(presence[..., 0], touched)
    ground = grounds[:, None].expand(-1, cells).flatten()
    loss = loss + 0.3 * functional.cross_entropy(background.flatten(0, 1), ground)
    for logits, column in ((shape, 1), (colour, 2)):
        each = functional.cross_entropy(
            logits.transpose(1, 2), own[..., column].long(), reduction="none"
        )
        loss = loss + (each * weight).sum()
    scale = torch.tensor([4.0, 4.0, 10.0, 10.0], device=out.device)
    error = functional.smooth_l1_loss(
        place, (own[..., 3:7] - 0.5) * scale, reduction="none", beta=0.1
    )
    return loss + 4.0 * (error.mean(-1) * weight).sum()


def _mirrored(batch: dict[str, Tensor], flips: Tensor) -> dict[str, Tensor]:
    """Flip the chosen pictures left to right, with their truth."""
    pixels = torch.where(flips[:, None, None, None], batch["pixels"].flip(3), batch["pixels"])
    tiles = batch["tiles"].reshape(-1, 2, GRID, GRID)
    tiles = torch.where(flips[:, None, None, None], tiles.flip(3), tiles).flatten(2)
    facts = batch["facts"].clone()
    facts[..., 3] = torch.where(flips[:, None], 1 - facts[..., 3], facts[..., 3])
    return batch | {"pixels": pixels, "tiles": tiles, "facts": facts}


def _loss(tower: CLIPVisionModel, heads: Heads, batch: dict[str, Tensor], pixels: Tensor) -> Tensor:
    device = pixels.device
    with torch.autocast(device.type, torch.bfloat16):
        hidden = tower(pixels).last_hidden_state[:, 1:]
        pooled = pool(hidden)
        patch_out, pooled_out = heads.patch(hidden), heads.pooled(pooled)
    coarse = _coarse(batch["tiles"])
    patch_truth = _targets(batch["facts"], batch["tiles"], GRID)
    pooled_truth = _targets(batch["facts"], coarse, GRID // 2)
    return _head_loss(patch_out, patch_truth, batch["grounds"], 0.02) + 1.5 * _head_loss(
        pooled_out, pooled_truth, batch["grounds"], 0.15
    )


@torch.no_grad()
def score(tower: CLIPVisionModel, heads: Heads, batch: dict[str, Tensor]) -> dict[str, float]:
    """Return how well the pooled tokens that an object covers most tell its attributes."""
    hidden = tower(normalised(batch["pixels"])).last_hidden_state[:, 1:]
    _, shape, colour, background, place = torch.split(heads.pooled(pool(hidden)), _WIDTHS, -1)
    coarse = _coarse(batch["tiles"])
    own, covered, _ = _targets(batch["facts"], coarse, GRID // 2)
    # One token for each object: the one that the object fills most.
    best = covered == covered.max(1, keepdim=True).values
    best &= covered > 0.02

    def right(logits: Tensor, column: int) -> float:
        return (logits.argmax(-1) == own[..., column])[best].float().mean().item()

    spot = place[..., :2] / 4 + 0.5
    return {
        "shape": right(shape, 1), "colour": right(colour, 2),
        "background": (background.argmax(-1) == batch["grounds"][:, None]).float().mean().item(),
        "off": (spot - own[..., 3:5]).abs()[best].mean().item(),
        "size": (place[..., 2:] / 10 + 0.5 - own[..., 5:7]).abs()[best].mean().item(),
    }  # fmt: skip


def train_vision(
    tower: CLIPVisionModel,
    heads: Heads,
    *,
    seed: int,
    steps: int,
    batch: int,
    rate: float,
    fresh: int = 12_800,
    save: Callable[[], None] = lambda: None,
) -> None:
    """Train the tower for a number of steps on freshly drawn pictures, twice each, once mirrored."""
    device = next(tower.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    held = still_pictures(seed + 999_983, 1000)
    held = {name: value.to(device) for name, value in held.items()}
    schedule = Schedule(
        optimisers(tower, heads, rate=rate), steps, warm=min(100, steps // 10), fall=0.5
    )
    stock: dict[str, Tensor] = {}
    order: list[Tensor] = []
    running = 0.0
    for step in range(steps):
        if not order:
            stock = still_pictures(seed + step, fresh)
            for _ in range(2):
                order += torch.split(torch.randperm(fresh, generator=generator), batch)
        chosen = order.pop()
        part = {name: value[chosen].to(device) for name, value in stock.items()}
        part = _mirrored(part, (torch.rand(len(chosen), generator=generator) < 0.5).to(device))
        loss = _loss(tower, heads, part, roughened(part["pixels"], generator))
        schedule.step(loss)
        running += (loss.item() - running) / min(step + 1, 50)
        if (step + 1) % 200 == 0:
            figures = " ".join(
                f"{name} {value:.3f}" for name, value in score(tower, heads, held).items()
            )
            save()
            log.info("vision step %d/%d loss %.3f %s", step + 1, steps, running, figures)
