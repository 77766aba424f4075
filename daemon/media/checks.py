"""Checks what decoder processes tell, as a file may have taken one over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from catalog.safe_text import shown
from daemon.decoder.facts import Probe

_MOST_LETTERS = 2000
_MOST_SIDE = 1 << 15
"""Pixels."""
_MOST_SECONDS = 1e9
"""Thirty years; clocks in broadcasts run for one day."""
_MOST_FPS = 1000


def plain(value: Any) -> Any:
    """Returns what came as JSON with its texts cut and made fit for a terminal.

    Raises `ValueError` for a number that is none.
    """
    if isinstance(value, str):
        return "\n".join(shown(line) for line in value[:_MOST_LETTERS].split("\n"))
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number without end")
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return value


def is_sane(facts: Probe) -> bool:
    """Says whether facts can be true of any video or photo."""
    numbers = (
        0 <= facts.duration <= _MOST_SECONDS,
        abs(facts.start_time) <= _MOST_SECONDS,
        0 <= facts.fps <= _MOST_FPS,
        0 < facts.width <= _MOST_SIDE,
        0 < facts.height <= _MOST_SIDE,
        facts.rotation in (0, 90, 180, 270),
        facts.frame_count is None or facts.frame_count >= 0,
    )
    return all(numbers) and (facts.created_at is None or _is_moment(facts.created_at))


def rising(values: object) -> tuple[float, ...]:
    """Returns times that rise; none where these are anything else."""
    if not isinstance(values, Sequence):
        return ()
    try:
        times = tuple(float(value) for value in values)
    except (TypeError, ValueError, OverflowError):
        return ()
    sound = all(map(math.isfinite, times)) and all(a < b for a, b in pairwise(times))
    return times if sound else ()


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
