"""Asking the embedding process, and knowing one model from another."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from catalog.errors import HaeseolError, UsageError
from catalog.fingerprint import fingerprint
from catalog.language import tr
from catalog.search.meaning.child import CODES

MODEL_FILES = ("config.json", "model.safetensors", "tokenizer.json")
_RECIPE = "1"
"""Changes whenever the same model would give a text another code, so that all are made anew."""

_LOADING_SECONDS = 180.0
_ANSWER_SECONDS = 60.0


def model_fingerprint(folder: Path) -> str:
    """What tells this model from others, read in milliseconds: size, head, middle, tail of its files.

    Raises `UsageError` if the folder is not there or holds no such model.
    """
    digest = hashlib.blake2b(_RECIPE.encode(), digest_size=16)
    for name in MODEL_FILES:
        try:
            digest.update(fingerprint(folder / name).encode())
        except OSError as error:
            raise UsageError(
                tr(
                    "the setting `meaning_model` names {folder}, where {name} cannot be read ({error}); give "
                    "the folder of a model2vec model",
                    folder=folder,
                    name=name,
                    error=error.strerror,
                )
            ) from error
    return digest.hexdigest()


class Embedder:
    """A model in a process of its own, which starts at the first use and ends with `close`.

    Safe to use from several threads; they take turns.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[object, object] | None = None
        self._dimension: int | None = None

    def __enter__(self) -> "Embedder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Starts the process, which loads the model while the caller does something else."""
        with self._lock:
            self._started()

    def ready(self, seconds: float) -> bool:
        """Starts the process and waits so long at most. True once it is known whether the model loads."""
        with self._lock:
            return self._dimension is not None or self._started().poll(seconds)

    def dimension(self) -> int:
        """The length of a code in bytes. Waits for the model. Raises `HaeseolError`."""
        with self._lock:
            self._ready()
            assert self._dimension is not None
            return self._dimension

    def codes(self, texts: Sequence[str]) -> list[bytes]:
        """An int8 vector for each text; all zero for one that the model knows nothing of.

        Raises `HaeseolError` if the model does not load, or its process ends or does not answer.
        """
        with self._lock:
            connection = self._ready()
            try:
                connection.send_bytes(json.dumps(list(texts)).encode())
            except OSError as error:
                raise self._lost(tr("ended")) from error
            answer = self._received(connection, _ANSWER_SECONDS)
            size = self._dimension or 1
        if answer[:1] != CODES:
            raise HaeseolError(
                tr(
                    "the model for meaning search in {folder} failed ({error}); download it again, or empty "
                    "the setting `meaning_model`",
                    folder=self.folder,
                    error=answer[1:].decode(),
                )
            )
        return [answer[start : start + size] for start in range(1, len(answer), size)]

    def close(self) -> None:
        """Ends the process. The next use starts another."""
        with self._lock:
            self._end()

    def _ready(self) -> "Connection[object, object]":
        connection = self._started()
        if self._dimension is None:
            told = json.loads(self._received(connection, _LOADING_SECONDS))
            if "error" in told:
                self._end()
                raise HaeseolError(told["error"])
            self._dimension = told["dimension"]
        return connection

    def _started(self) -> "Connection[object, object]":
        if self._connection is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = _child(theirs, self.folder)
            self._connection = Connection(ours.detach())
        return self._connection

    def _received(self, connection: "Connection[object, object]", seconds: float) -> bytes:
        try:
            if not connection.poll(seconds):
                raise self._lost(tr("gave no answer in {seconds:.0f} s", seconds=seconds))
            return connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._lost(tr("ended")) from error

    def _lost(self, what: str) -> HaeseolError:
        self._end()
        return HaeseolError(
            tr(
                "the process of the model for meaning search in {folder} {what}; it is started again with "
                "the next use. If that goes on, check its memory and the model's files",
                folder=self.folder,
                what=what,
            )
        )

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()  # it ends by itself when nobody can ask any more
        if self._process is not None:
            try:
                self._process.wait(0.5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._connection = self._process = self._dimension = None


def _child(theirs: socket.socket, folder: Path) -> "subprocess.Popen[bytes]":
    # -P: a folder named like one of our packages, where we were started, is none of ours.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", f"{__package__}.child", str(theirs.fileno()), str(folder)],
        pass_fds=[theirs.fileno()],
        # Whatever a library prints would land on a terminal UI's screen; answers hold what went wrong.
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl+C is for us
        # One thread: embedding is quick enough that captioning keeps its cores.
        env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "OPENBLAS_NUM_THREADS": "1"},
    )
