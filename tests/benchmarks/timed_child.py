"""The model process, with a log of when the model was at work; `tests.benchmarks.throughput` reads it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from daemon.captioner import child
from daemon.captioner.base import Captioner
from daemon.captioner.wire import Load


def load(order: Load) -> Captioner:
    """Loads the model, and wraps its vision tower's pass and its `generate`."""
    import torch

    torch.set_num_threads(int(os.environ["BENCHMARK_MODEL_THREADS"]))
    captioner: Any = child.load_model(order)
    for name in ("generate", "get_video_features"):
        setattr(captioner.model, name, _timed(name, getattr(captioner.model, name)))
    return captioner  # type: ignore[no-any-return]


def _timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.time()
        try:
            return function(*arguments, **options)
        finally:
            questions = len(options.get("input_ids", ()))
            with open(os.environ["BENCHMARK_MODEL_LOG"], "a", encoding="ascii") as log:
                log.write(f"{name} {start} {time.time()} {questions}\n")

    return timed


if __name__ == "__main__":
    child.main(load)
