"""Measures, about once a second, by how much the content before and behind differs."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from daemon.decoder.cuts import Cut
from daemon.decoder.stamps import Stamp

_BIN = 1.0
"""Seconds whose frames are averaged; they begin at whole seconds, wherever the reading began."""

_SIDE = 2
"""Averages on each side that are compared."""

Mean = npt.NDArray[np.float32]


@dataclass(slots=True)
class Turns:
    """Takes the stamps of a video in the order of showing."""

    _turns: list[Cut] = field(default_factory=list)
    _means: deque[tuple[float, Mean]] = field(default_factory=lambda: deque(maxlen=2 * _SIDE))
    """Time of the first frame and mean of each of the last bins."""
    _first: float = 0.0
    _sum: npt.NDArray[np.int32] | None = None
    _count: int = 0

    def add(self, time: float, stamp: Stamp) -> None:
        """Takes the next frame, in the order of showing."""
        if self._sum is not None and math.floor(time / _BIN) != math.floor(self._first / _BIN):
            self._close()
        if self._sum is None:
            self._first, self._sum, self._count = time, np.zeros(stamp.shape, dtype=np.int32), 0
        self._sum += stamp
        self._count += 1

    def finish(self) -> list[Cut]:
        """Returns the places between two averages, rising in time."""
        if self._sum is not None:
            self._close()
        return self._turns

    def _close(self) -> None:
        assert self._sum is not None
        mean = (self._sum / self._count).astype(np.float32)
        self._means.append((self._first, mean))
        self._sum = None
        if len(self._means) == 2 * _SIDE:
            means = [mean for _, mean in self._means]
            before, after = sum(means[:_SIDE]) / _SIDE, sum(means[_SIDE:]) / _SIDE
            strength = float(np.abs(after - before).sum(axis=0).mean())
            self._turns.append(Cut(self._means[_SIDE][0], strength))
