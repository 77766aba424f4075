"""Optimisers and their schedule: Muon for hidden matrices, AdamW for all else, decay to zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence


def _is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    return parameter.ndim == 2 and ".layers." in f".{name}"


def optimisers(
    *modules: nn.Module, rate: float, muon_rate: float | None = None, decay: float = 0.02
) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside transformer layers and AdamW for everything else."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for module in modules:
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                (matrices if _is_hidden_matrix(name, parameter) else others).append(parameter)
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)
    ]
    if matrices:
        made.append(
            torch.optim.Muon(
                matrices, lr=muon_rate or rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"
            )
        )
    return made


class Schedule:
    """Steps optimisers: a short warm-up, a flat middle, a linear fall to zero; clips gradients."""

    def __init__(
        self, optimisers: Sequence[torch.optim.Optimizer], steps: int, warm: int, fall: float = 0.4
    ) -> None:
        self.optimisers = optimisers
        self.steps = steps
        self.warm = max(1, warm)
        self.fall = fall
        self.done = 0
        self.peaks = [group["lr"] for it in optimisers for group in it.param_groups]
        self.groups = [group for it in optimisers for group in it.param_groups]

    def step(self, loss: Tensor) -> None:
        """Take one step down the loss."""
        loss.backward()  # type: ignore[no-untyped-call]
        self.done += 1
        left = max(0.0, (self.steps - self.done) / (self.steps * self.fall))
        scale = min(1.0, self.done / self.warm, left)
        for group, peak in zip(self.groups, self.peaks, strict=True):
            group["lr"] = peak * scale
        parameters = [parameter for group in self.groups for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Return what an interrupted training needs to go on."""
        return {"done": self.done, "optimisers": [it.state_dict() for it in self.optimisers]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.done = state["done"]
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.groups = [group for it in self.optimisers for group in it.param_groups]
