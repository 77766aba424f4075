"""The model process: loads one model, and answers what comes over the socket in batches.

It is a process of its own because nothing else gives memory back: torch keeps half a gigabyte of
libraries, and the driver keeps a context on the card, until the process ends.
"""

import ctypes
import logging
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection

from catalog.errors import CodedError, ErrorCode, InterruptedByUserError
from daemon.captioner.base import Captioner, Question
from daemon.captioner.wire import SPOKEN, Ask, Drop, Failed, Load, Ready, Told

_PR_SET_PDEATHSIG = 1

_UPDATED = (
    "haeseol was updated while its daemon ran; start the daemon anew, as with "
    "`systemctl --user restart haeseol`"
)

Kind = tuple[object, ...]


def main(load: Callable[[Load], Captioner] | None = None) -> None:
    """`python -m daemon.captioner.child DESCRIPTOR PARENT`, which the daemon starts."""
    connection = Connection(int(sys.argv[1]))
    _end_with(int(sys.argv[2]))
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # It says at its import that a kernel is missing which only speeds a CPU up.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    with suppress(BrokenPipeError, ConnectionResetError):  # nobody waits any more
        serve(connection, load or load_model)
    sys.stderr.flush()
    os._exit(0)  # torch takes seconds to tidy up what the kernel takes back at once


def load_model(order: Load) -> Captioner:
    """Loads a model. Raises `CodedError`."""
    from daemon.captioner.local import LocalCaptioner

    return LocalCaptioner(order.checkpoint, device=order.device, batch_size=order.batch_size)


def serve(connection: "Connection[object, object]", load: Callable[[Load], Captioner]) -> None:
    """Answers until the other end closes the socket."""
    if connection.recv() != SPOKEN:
        connection.send(Failed(frozenset(), ErrorCode.MODEL_UNAVAILABLE, _UPDATED))
        return
    order = connection.recv()
    assert isinstance(order, Load)
    try:
        captioner = load(order)
    except CodedError as error:
        connection.send(Failed(frozenset(), error.code, str(error)))
        return
    connection.send(
        Ready(captioner.identity, captioner.frames, captioner.long_side, captioner.batch_size)
    )
    inbox = Inbox(connection)
    threading.Thread(target=inbox.receive, name="inbox", daemon=True).start()
    while batch := inbox.take(captioner.batch_size):
        _answer(connection, captioner, inbox, batch)


def _answer(
    connection: "Connection[object, object]",
    captioner: Captioner,
    inbox: "Inbox",
    batch: dict[int, Question],
) -> None:
    try:
        answers = captioner.answer(
            list(batch.values()), should_stop=lambda: inbox.unwanted(batch.keys())
        )
    except InterruptedByUserError:
        return
    except CodedError as error:
        connection.send(Failed(frozenset(batch), error.code, str(error)))
        return
    except Exception as error:
        if len(batch) > 1:  # one question's trouble is not that of the others
            for number, question in batch.items():
                _answer(connection, captioner, inbox, {number: question})
            return
        traceback.print_exc()
        connection.send(
            Failed(
                frozenset(batch),
                ErrorCode.MODEL_UNAVAILABLE,
                f"the model {captioner.identity.model} failed: {type(error).__name__}: {error}; "
                "the log has more, please report it",
            )
        )
        return
    for number, answer in zip(batch, answers, strict=True):
        connection.send(Told(number, answer))


class Inbox:
    """The questions that wait, filled by a thread of its own so that a `Drop` is heard at once."""

    def __init__(self, connection: "Connection[object, object]") -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._waiting: deque[Ask] = deque()
        self._dropped: set[int] = set()
        self._closed = False

    def receive(self) -> None:
        """Receives until the other end closes the socket, which also ends what is being written."""
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                with self._changed:
                    self._closed = True
                    self._changed.notify()
                return
            with self._changed:
                if isinstance(message, Ask):
                    self._waiting.append(message)
                elif isinstance(message, Drop):
                    self._dropped |= message.numbers
                self._changed.notify()

    def take(self, at_most: int) -> dict[int, Question]:
        """Waits for questions; gives the oldest with others of its kind, or nothing at the end."""
        with self._changed:
            while True:
                self._waiting = deque(
                    ask for ask in self._waiting if ask.number not in self._dropped
                )
                if self._waiting or self._closed:
                    break
                self._dropped.clear()
                self._changed.wait()
            if self._closed:
                return {}
            kind = _kind(self._waiting[0].question)
            alike = [ask for ask in self._waiting if _kind(ask.question) == kind][:at_most]
            taken = {ask.number: ask.question for ask in alike}
            self._waiting = deque(ask for ask in self._waiting if ask.number not in taken)
            return taken

    def unwanted(self, numbers: Iterable[int]) -> bool:
        """Whether nobody waits for any of these answers."""
        with self._changed:
            return self._closed or self._dropped.issuperset(numbers)


def _kind(question: Question) -> Kind:
    """What questions of one batch have in common: processors cannot mix numbers of frames."""
    frames = None if question.pictures is None else len(question.pictures)
    return frames, len(question.stills), question.max_new_tokens, question.repetition_penalty


def _end_with(parent: int) -> None:
    """The daemon stops this process; a signal to the whole group, as Ctrl+C sends, is not for it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before this could be asked for
        os._exit(1)


if __name__ == "__main__":
    main()
