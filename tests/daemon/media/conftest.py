"""What several tests of decoding share."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from daemon.decoder.container import decode_packet


@pytest.fixture
def count_decoded(monkeypatch: pytest.MonkeyPatch) -> Callable[[ModuleType], list[int]]:
    """Has a module of the decoder note how many pictures came of each packet that it decodes."""

    def count_in(module: ModuleType) -> list[int]:
        counts: list[int] = []

        def counted(*arguments: object) -> object:
            pictures = decode_packet(*arguments)  # type: ignore[arg-type]
            counts.append(len(pictures))
            return pictures

        monkeypatch.setattr(module, "decode_packet", counted)
        return counts

    return count_in
