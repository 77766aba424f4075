"""A model process whose model is scripted by the prompts: `python -m tests.daemon.scripted_child`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence

from catalog.errors import CodedError, ErrorCode, InterruptedByUserError
from daemon.captioner import child
from daemon.captioner.base import Answer, Captioner, Identity, Question
from daemon.captioner.wire import Load


class Scripted:
    """Does what the prompt says: sleep, fail, die; else it answers with the size of the batch."""

    identity = Identity("scripted", "none", {})
    frames = 4
    long_side = 64
    batch_size = 4

    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """See `daemon.captioner.base.Captioner.answer`."""
        for question in questions:
            word, _, amount = question.prompt.partition(" ")
            if word == "sleep":
                until = time.monotonic() + float(amount)
                while time.monotonic() < until:
                    if should_stop():
                        raise InterruptedByUserError
                    time.sleep(0.01)
            elif word == "fail":
                raise CodedError(ErrorCode.GPU_OUT_OF_MEMORY, "the card is full")
            elif word == "bug":
                raise ValueError("a bug")
            elif word == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        return [Answer(f"{one.prompt}: {len(questions)}", True) for one in questions]


def load(order: Load) -> Captioner:
    """Loads, or does not: the name of the checkpoint says which."""
    if order.checkpoint.name == "none":
        raise CodedError(ErrorCode.MODEL_UNAVAILABLE, "there is no such model")
    if order.checkpoint.name == "slow":
        time.sleep(60)
    return Scripted()


if __name__ == "__main__":
    child.main(load)
