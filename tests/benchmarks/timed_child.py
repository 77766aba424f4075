"""The model process, with a log of when `generate` ran; `tests.benchmarks.throughput` reads it."""

from __future__ import annotations

import os
import time
from typing import Any

from daemon.captioner import child
from daemon.captioner.base import Captioner
from daemon.captioner.wire import Load


def load(order: Load) -> Captioner:
    """Loads the model and wraps its `generate`."""
    import torch

    torch.set_num_threads(int(os.environ["BENCHMARK_MODEL_THREADS"]))
    captioner: Any = child.load_model(order)
    generate = captioner.model.generate

    def timed(**inputs: Any) -> Any:
        start = time.time()
        try:
            return generate(**inputs)
        finally:
            with open(os.environ["BENCHMARK_GENERATE_LOG"], "a", encoding="ascii") as log:
                log.write(f"{start} {time.time()} {len(inputs['input_ids'])}\n")

    captioner.model.generate = timed
    return captioner  # type: ignore[no-any-return]


if __name__ == "__main__":
    child.main(load)
