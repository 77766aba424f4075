"""Small checkpoints, built and loaded once for all tests of families."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other cost more than a small model's whole work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Builds and loads small checkpoints, each way once."""

    # Here and not above: a test of this folder that needs no model should not wait for transformers.
    from daemon.captioner.checkpoints import Checkpoint
    from daemon.captioner.local import LocalCaptioner
    from daemon.captioner.profiles import BY_NAME
    from tests.daemon.captioner.small_checkpoints import build

    @cache
    def loaded(name: str, *, frames: int = 4, pool_stride: int | None = None, **how: Any) -> Any:
        folder = build(tmp_path_factory.mktemp("small"), name, **how)
        system = BY_NAME[name].system if name in BY_NAME else ""
        checkpoint = Checkpoint(
            name, folder, "none", frames, pool_stride=pool_stride, system=system
        )
        return LocalCaptioner(checkpoint, device="cpu", batch_size=8)

    return loaded
