"""How torch says that memory ran out."""

import torch

_WORDS = ("out of memory", "can't allocate memory", "ALLOC_FAILED")
"""A driver and a CPU have no exception of their own for it, only words."""


def is_shortage(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on a GPU or in the machine."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _WORDS)
