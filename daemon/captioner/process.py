"""The captioner whose model lives in a process of its own; see `daemon.captioner.child` for why."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection

from catalog.errors import CodedError, ErrorCode, InterruptedByUserError
from daemon.captioner.base import Answer, Question
from daemon.captioner.checkpoints import Checkpoint
from daemon.captioner.wire import SPOKEN, Ask, Drop, Failed, Load, Ready, Told

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1
"""How often a thread that waits for an answer asks whether to stop."""
_SILENCE_SECONDS = 1800.0
"""A process that says nothing for so long while it owes an answer hangs, as after a driver's fault."""
_END_SECONDS = 5.0

_CHILD = "daemon.captioner.child"

STARTED: set[int] = set()
"""The ids of all model processes of this one, from their start to their end."""


class ModelGoneError(CodedError):
    """The model process ended in the middle of its work."""


class ModelProcess:
    """A loaded model in a process of its own; see `daemon.captioner.base.Captioner`.

    Any number of threads may ask at once: the process makes batches of whatever waits.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str = "auto",
        batch_size: int | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        module: str = _CHILD,
    ) -> None:
        """Starts the process and waits until the model is loaded.

        Raises `CodedError` (model_unavailable, out_of_memory, gpu_out_of_memory), and
        `InterruptedByUserError` once `should_stop` says so.
        """
        self._name = checkpoint.name
        try:
            self._socket, theirs = socket.socketpair()
            self._connection: Connection[object, object] = Connection(os.dup(self._socket.fileno()))
            self._process = _started(module, theirs)
        except OSError as error:
            raise CodedError(
                ErrorCode.OUT_OF_MEMORY,
                f"no process can be started for the model {checkpoint.name} ({error}); close other "
                "programs, or raise the limits of this user",
            ) from error
        STARTED.add(self._process.pid)
        self._changed = (
            threading.Condition()
        )  # its lock may be taken again by the thread that holds it
        self._sending = threading.Lock()
        self._numbers = count()
        self._owed: set[int] = set()
        self._told: dict[int, Answer | CodedError] = {}
        self._heard = time.monotonic()
        self._broken: CodedError | None = None
        self._reader: threading.Thread | None = None
        try:
            self._send(SPOKEN)
            self._send(Load(checkpoint, device, batch_size))
            ready = self._first_words(should_stop)
        except BaseException:
            self.close()
            raise
        self.identity = ready.identity
        self.frames = ready.frames
        self.long_side = ready.long_side
        self.batch_size = ready.batch_size
        self._reader = threading.Thread(target=self._listen, name="model", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still answer."""
        return self._broken is None and self._process.poll() is None

    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """Answers in the order of the questions. Raises as `Captioner.answer` does."""
        return self.submit(questions).answers(should_stop)

    def submit(self, questions: Sequence[Question]) -> "Pending":
        """Hands questions over and returns at once, so that frames can be decoded meanwhile."""
        numbers = [next(self._numbers) for _ in questions]
        with self._changed:
            self._owed.update(numbers)
        for number, question in zip(numbers, questions, strict=True):
            self._send(Ask(number, question))
        return Pending(self, numbers)

    def close(self) -> None:
        """Ends the process, which gives its memory and the card's back."""
        with suppress(OSError):
            # A plain close would not end the reading that a thread of ours is in.
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        STARTED.discard(self._process.pid)
        if self._reader is not None:
            self._reader.join()
        self._socket.close()
        self._connection.close()

    def collect(self, numbers: Sequence[int], should_stop: Callable[[], bool]) -> list[Answer]:
        """Waits for the answers of these numbers."""
        with self._changed:
            self._heard = time.monotonic()
            while not all(number in self._told for number in numbers):
                if self._broken is not None:
                    raise ModelGoneError(*_told_of(self._broken))
                if should_stop():
                    break
                if time.monotonic() - self._heard > _SILENCE_SECONDS:
                    self._process.kill()
                    self._broken = self._ended("it said nothing for half an hour and was ended")
                self._changed.wait(_LOOK_SECONDS)
            stopped = not all(number in self._told for number in numbers)
            told = [] if stopped else [self._told.pop(number) for number in numbers]
            self._owed.difference_update(numbers)
        if stopped:
            self.drop(numbers)
            raise InterruptedByUserError
        answers = []
        for one in told:
            if isinstance(one, CodedError):
                raise CodedError(one.code, str(one)) from one
            answers.append(one)
        return answers

    def drop(self, numbers: Sequence[int]) -> None:
        """Forgets questions; an answer in the writing is stopped if nobody else waits for its batch."""
        with suppress(CodedError):
            self._send(Drop(frozenset(numbers)))
        with self._changed:
            self._owed.difference_update(numbers)
            for number in numbers:
                self._told.pop(number, None)

    def _send(self, message: object) -> None:
        try:
            with self._sending:
                self._connection.send(message)
        except (OSError, ValueError) as error:
            raise ModelGoneError(*_told_of(self._broken or self._ended())) from error

    def _first_words(self, should_stop: Callable[[], bool]) -> Ready:
        begun = time.monotonic()
        while not self._connection.poll(_LOOK_SECONDS):
            if should_stop():
                raise InterruptedByUserError
            if time.monotonic() - begun > _SILENCE_SECONDS:
                self._process.kill()
                raise self._ended("it did not load within half an hour and was ended")
        try:
            message = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        if isinstance(message, Failed):
            raise CodedError(message.code, message.message)
        assert isinstance(message, Ready)
        return message

    def _listen(self) -> None:
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError, TypeError):  # TypeError: closed while it was being read
                break
            with self._changed:
                self._heard = time.monotonic()
                if isinstance(message, Told) and message.number in self._owed:
                    self._told[message.number] = message.answer
                elif isinstance(message, Failed):
                    error = CodedError(message.code, message.message)
                    self._told |= dict.fromkeys(message.numbers & self._owed, error)
                self._changed.notify_all()
        with self._changed:
            self._broken = self._broken or self._ended()
            self._changed.notify_all()

    def _ended(self, why: str | None = None) -> CodedError:
        """What to say of a process that is gone."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        status = self._process.returncode
        if why is None and status == -signal.SIGKILL:
            return CodedError(
                ErrorCode.OUT_OF_MEMORY,
                f"the system ended the process of the model {self._name}, most likely because "
                "memory ran out; close other programs, or choose a smaller model",
            )
        return CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the process of the model {self._name} is gone: "
            f"{why or f'it ended with status {status}'}; it is started again with the next try",
        )


class Pending:
    """Questions that were handed over; their answers can be waited for once."""

    def __init__(self, process: ModelProcess, numbers: Sequence[int]) -> None:
        self._process = process
        self._numbers = numbers

    def answers(self, should_stop: Callable[[], bool]) -> list[Answer]:
        """Waits for the answers, in the order of the questions."""
        return self._process.collect(self._numbers, should_stop)

    def drop(self) -> None:
        """Tells that nobody waits for them any more."""
        self._process.drop(self._numbers)


def _told_of(error: CodedError) -> tuple[ErrorCode, str]:
    return error.code, str(error)


def _started(module: str, theirs: socket.socket) -> "subprocess.Popen[bytes]":
    # -P: a folder named like one of our packages, where the daemon was started, is none of ours.
    with theirs:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=sys.__stderr__,  # whatever a library prints, our stdout holds data alone
            start_new_session=True,  # Ctrl+C is for us
            env={**os.environ, "PYTORCH_ALLOC_CONF": "expandable_segments:True"},
        )
