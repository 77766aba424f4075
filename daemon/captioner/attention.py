"""Which attention kernel a model is loaded with."""

import importlib.util

import torch

from catalog.errors import CodedError, ErrorCode
from daemon.captioner.checkpoints import Attention

_FLASH = "flash_attention_2"
_AMPERE = 8
"""The major compute capability from which on Flash-Attention 2 has kernels; a T4 has 7."""


def attention_for(wanted: Attention, device: torch.device) -> str:
    """The name that transformers knows the kernel by.

    Raises `CodedError` (model_unavailable) when Flash-Attention 2 is asked for and cannot be had.
    """
    if wanted in ("sdpa", "eager"):
        return wanted
    missing = _flash_is_missing(device)
    if missing is None:
        return _FLASH
    if wanted == _FLASH:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"attention = {_FLASH} cannot be had: {missing}, or set attention = auto",
        )
    return "sdpa"


def _flash_is_missing(device: torch.device) -> str | None:
    """What stands in the way of Flash-Attention 2, and what to do about it."""
    if device.type != "cuda":
        return "it needs a GPU; run on one"
    if torch.cuda.get_device_capability(device)[0] < _AMPERE:
        return "it needs an Ampere GPU or a later one; take such a GPU"
    if importlib.util.find_spec("flash_attn") is None:
        return (
            "its package is missing; install it with `pip install flash-attn --no-build-isolation`"
        )
    return None
