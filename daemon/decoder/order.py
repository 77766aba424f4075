"""What the daemon tells a decoder process to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from daemon.decoder.limits import Limits

ORDER_BYTES = 1 << 17
"""Of the longest order; a channel takes no longer message at once."""

RESULT_BYTES = 1 << 22
"""Of the longest result, in JSON, which lies at the end of the shared memory."""


@dataclass(frozen=True, slots=True)
class Order:
    """One call."""

    operation: str
    """A name in `daemon.decoder.operations`."""
    path: bytes
    arguments: dict[str, Any]
    limits: Limits
