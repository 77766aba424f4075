"""What the vision tower made of frames that were shown before.

A note, its retry, the caption and a re-caption look at the same frames. Looking at 8 of them is about a
seventh of the arithmetic before the first word with LLaVA-NeXT-Video 7B, and three quarters of it with
OneVision 0.5B, the model for a CPU. Features wait in main memory: a frame of a 7B model is 1.2 MB, which
a GPU fetches in a tenth of a millisecond, and its own memory is the scarce one.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b

import torch

from daemon.captioner.base import Pictures

BYTES = 256 * 1024**2


class FeatureCache:
    """Tensors by key; the longest unused ones go when they are more than so many bytes."""

    def __init__(self, at_most: int = BYTES) -> None:
        self._at_most = at_most
        self._kept: OrderedDict[Hashable, torch.Tensor] = OrderedDict()
        self.size = 0
        """Bytes held."""

    def __len__(self) -> int:
        return len(self._kept)

    def get(
        self,
        keys: Sequence[Hashable],
        make: Callable[[list[int]], Sequence[torch.Tensor]],
        device: torch.device,
    ) -> list[torch.Tensor]:
        """Tensors on the device in the order of the keys; `make` is asked once, for the missing ones.

        It is given places in `keys`, no two of the same key.
        """
        found = {key: self._kept[key] for key in keys if key in self._kept}
        missing: dict[Hashable, int] = {}
        for place, key in enumerate(keys):
            if key not in found:
                missing.setdefault(key, place)
        if missing:
            made = make(list(missing.values()))
            found |= dict(zip(missing, made, strict=True))
        for key in dict.fromkeys(keys):
            self._keep(key, found[key])
        return [found[key].to(device) for key in keys]

    def _keep(self, key: Hashable, tensor: torch.Tensor) -> None:
        if key in self._kept:
            self._kept.move_to_end(key)
            return
        # A copy: a slice would keep the whole batch that it came from.
        self._kept[key] = tensor.detach().to("cpu", copy=True).contiguous()
        self.size += _bytes(tensor)
        while self.size > self._at_most:
            _, oldest = self._kept.popitem(last=False)
            self.size -= _bytes(oldest)


def key_of(picture: Pictures, *more: Hashable) -> Hashable:
    """A key for the pixels of one picture, or of several, and for what else their features depend on."""
    digest = blake2b(picture.tobytes(), digest_size=16).digest()
    return (digest, picture.shape, *more)


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
