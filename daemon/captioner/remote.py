"""The captioner that asks OpenAI-compatible engines: SGLang, vLLM, `transformers serve`.

Nothing is sent anywhere unless a person has set `engines`. Sent are the prompt and the frames.
"""

import asyncio
import concurrent.futures
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any, TypeVar

import openai

from catalog.errors import CodedError, ErrorCode, InterruptedByUserError
from catalog.settings import Settings
from daemon.captioner.base import Answer, Identity, Question
from daemon.captioner.endpoint import Endpoint, Patience
from daemon.captioner.engines import Engines
from daemon.captioner.payload import SEED, Media, Request, make_request

logger = logging.getLogger(__name__)
T = TypeVar("T")

FRAMES = 8
LONG_SIDE: dict[Media, int] = {
    # A LLaVA cuts a larger image into tiles and spends 576 to 729 tokens on each of them.
    "images": 384,
    "video": 672,
}
KEY_VARIABLE = "HAESEOL_ENGINE_KEY"

_LOOK_SECONDS = 0.1
"""How often a thread that waits for an answer asks whether to stop."""
_MOST_IN_BATCH = 16
"""Frames of a batch are held in memory until its answers are stored."""


class RemoteCaptioner:
    """Engines on this or other machines; see `daemon.captioner.base.Engine`."""

    def __init__(
        self,
        engines: Sequence[str],
        *,
        model: str = "",
        media: Media = "images",
        at_once: int = 4,
        timeout_seconds: float = 300.0,
        key: str = "",
        frames: int = FRAMES,
        long_side: int | None = None,
        jpeg_quality: int = 90,
        batch_size: int | None = None,
        patience: Patience | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Looks which engines are up. `engines` are addresses as `engine_address` gives them.

        Raises `CodedError` (engine_unreachable, model_unavailable), and `InterruptedByUserError` once
        `should_stop` says so.
        """
        _quiet_libraries()
        self.frames = frames
        self.long_side = long_side or LONG_SIDE[media]
        self.media: Media = media
        self._jpeg_quality = jpeg_quality
        places = at_once * len(engines)
        # The pipeline has one batch ahead of the one it waits for: two halves fill all places.
        self.batch_size = batch_size or min(max(1, -(-places // 2)), _MOST_IN_BATCH)
        endpoints = [
            Endpoint(one, key=key, timeout_seconds=timeout_seconds, at_once=at_once)
            for one in engines
        ]
        self._loop = _LoopThread(endpoints)
        self.alive = True
        try:
            connecting = self._loop.start(_connected(endpoints, model, patience or Patience()))
            self._engines = self._loop.result(connecting, should_stop)
        except BaseException:
            self.close()
            raise
        self.identity = self._identity()

    def _identity(self) -> Identity:
        kinds = sorted({one.kind for one in self._engines.endpoints if one.kind})
        return Identity(
            _readable(self._engines.model),
            "none",  # what the engine makes of its weights is not told
            {
                "engines": ", ".join(one.host for one in self._engines.endpoints),
                **({"served_by": ", ".join(kinds)} if kinds else {}),
                "sent_as": f"{self.media}, at most {self.long_side} px",
                "openai": openai.__version__,
                "seed": str(SEED),
            },
        )

    @classmethod
    def from_settings(
        cls, settings: Settings, should_stop: Callable[[], bool] = lambda: False
    ) -> "RemoteCaptioner":
        """Builds it as the settings say. Raises as the constructor does."""
        if not settings.engines:
            raise CodedError(
                ErrorCode.MODEL_UNAVAILABLE,
                "model = remote, but no engine is set; give the address of one, such as "
                'engines = ["http://127.0.0.1:8000/v1"]',
            )
        logger.info("asking the engines at %s", ", ".join(settings.engines))
        return cls(
            settings.engines,
            model=settings.engine_model,
            media=settings.engine_media,
            at_once=settings.engine_at_once,
            timeout_seconds=settings.engine_timeout_seconds,
            key=read_key(settings),
            frames=settings.frames or FRAMES,
            long_side=settings.engine_long_side,
            jpeg_quality=settings.engine_jpeg_quality,
            batch_size=settings.batch_size,
            should_stop=should_stop,
        )

    def answer(
        self, questions: Sequence[Question], *, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Answer]:
        """Answers in the order of the questions.

        Raises `CodedError` (engine_unreachable, model_unavailable) and `InterruptedByUserError`.
        """
        return self.submit(questions).answers(should_stop)

    def submit(self, questions: Sequence[Question]) -> "RemotePending":
        """Hands questions over and returns at once, so that frames can be decoded meanwhile."""
        # Written down here, in the caller's thread: then the loop only sends, and the frames can go.
        requests = [
            make_request(
                question,
                media=self.media,
                long_side=self.long_side,
                jpeg_quality=self._jpeg_quality,
            )
            for question in questions
        ]
        return RemotePending(self._loop, self._loop.start(_all_answers(self._engines, requests)))

    def close(self) -> None:
        """Cancels what is under way and closes all connections."""
        self.alive = False
        self._loop.close()


class RemotePending:
    """Questions that engines are at; their answers can be waited for once."""

    def __init__(
        self, loop: "_LoopThread", future: "concurrent.futures.Future[list[Answer]]"
    ) -> None:
        self._loop = loop
        self._future = future

    def answers(self, should_stop: Callable[[], bool]) -> list[Answer]:
        """Waits for the answers, in the order of the questions."""
        return self._loop.result(self._future, should_stop)

    def drop(self) -> None:
        """Tells that nobody waits for them any more: requests under way are cancelled."""
        self._future.cancel()


class _LoopThread:
    """An event loop in a thread of its own, since those who ask are threads."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        """`endpoints` are closed with it."""
        self._endpoints = endpoints
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="engines", daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self) -> None:
        with asyncio.Runner() as runner:  # cancels what is left, and closes the loop
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for endpoint in self._endpoints:
            await endpoint.close()

    def start(self, work: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        """Starts work in the loop."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:  # it is closed
            work.close()
            raise _closed() from error

    def result(self, future: "concurrent.futures.Future[T]", should_stop: Callable[[], bool]) -> T:
        """Waits for what was started. Raises `InterruptedByUserError` once `should_stop` says so."""
        while not concurrent.futures.wait([future], _LOOK_SECONDS).done:
            if should_stop():
                future.cancel()
                raise InterruptedByUserError
            if not self._thread.is_alive():  # it ended before it could begin this
                future.cancel()
        try:
            return future.result()
        except concurrent.futures.CancelledError as error:
            raise _closed() from error

    def close(self) -> None:
        """Ends the loop and its thread."""
        with suppress(RuntimeError):  # it is closed
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


def _closed() -> CodedError:
    return CodedError(
        ErrorCode.ENGINE_UNREACHABLE, "the connection to the engines was closed meanwhile"
    )


async def _connected(endpoints: Sequence[Endpoint], model: str, patience: Patience) -> Engines:
    engines = Engines(endpoints, model, patience)
    await engines.connect()
    return engines


async def _all_answers(engines: Engines, requests: Sequence[Request]) -> list[Answer]:
    """Answers in order; the first failure ends the others."""
    tasks = [asyncio.create_task(engines.ask(request)) for request in requests]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def read_key(settings: Settings) -> str:
    """The engines' API key: from the environment, else from its file, else none.

    Raises `CodedError` (model_unavailable) if the file cannot be read.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if key or settings.engine_key_file is None:
        return key
    path = settings.engine_key_file.expanduser()
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"engine_key_file {path} cannot be read: {error}; mend it, or set {KEY_VARIABLE}",
        ) from error


def _readable(model: str) -> str:
    """A model's name; of a path, which says nothing to a reader, its last part."""
    return PurePosixPath(model).name if model.startswith(("/", ".", "~")) else model


def _quiet_libraries() -> None:
    """They log every request, and its headers and pictures at the level of debugging."""
    for name in ("openai", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
