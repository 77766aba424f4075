"""All the engines: which of them a question goes to, and what happens when they fail."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from catalog.errors import CodedError, ErrorCode
from daemon.captioner.base import Answer
from daemon.captioner.endpoint import (
    Endpoint,
    KeyRefusedError,
    Patience,
    RejectedError,
    SlowDownError,
    TroubleError,
)
from daemon.captioner.payload import Request

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_SMALL_SECONDS = 30.0
_SMALL_QUESTION = Request(
    ({"role": "user", "content": [{"type": "text", "text": "안녕하세요?"}]},), max_tokens=1
)


class Engines:
    """Spreads questions over endpoints. Everything happens in one event loop's thread.

    1. A question goes to the least busy engine that is not known to be down, and if it failed on one
       before, to another.
    2. An engine that fails is left alone, longer each time, and checked before it is asked again.
    3. A question that failed on engines which answer others is at fault itself; if no engine answers
       anything, the engines are.
    """

    def __init__(self, endpoints: Sequence[Endpoint], model: str, patience: Patience) -> None:
        self.endpoints = tuple(endpoints)
        self.model = model
        """The name that is asked for; empty until `connect` has found it out."""
        self._name_unset = not model
        self._patience = patience
        self._changed = asyncio.Event()
        self._in_hand = 0
        self._checks: dict[Endpoint, asyncio.Task[None]] = {}

    async def connect(self) -> None:
        """Finds out which engines are up, and the model's name if none is set.

        Raises `CodedError`: engine_unreachable if none is up, model_unavailable if there is a choice.
        """
        served = await asyncio.gather(*(self._first_look(one) for one in self.endpoints))
        up = [names for names in served if names is not None]
        if not up:
            raise self._unreachable()
        if self._name_unset:
            self.model = self._only_name(up)

    async def _first_look(self, endpoint: Endpoint) -> list[str] | None:
        """The names of its models, or None if it is down."""
        try:
            return await self._look_at(endpoint)
        except TroubleError as trouble:
            endpoint.rest(trouble, self._patience, self._now())
            return None

    async def _look_at(self, endpoint: Endpoint) -> list[str]:
        """The names of its models. Raises `TroubleError` if it is down, or tells none and has to."""
        await endpoint.check()
        try:
            return await endpoint.names()
        except KeyRefusedError:
            raise
        except TroubleError:
            if self._name_unset:
                raise
            return []  # `transformers serve` cannot always tell, and takes the set name

    def _only_name(self, served: Sequence[Sequence[str]]) -> str:
        names = sorted({name for some in served for name in some})
        if len(names) == 1:
            return names[0]
        told = ", ".join(names[:8]) or "none"
        raise CodedError(
            ErrorCode.MODEL_UNAVAILABLE,
            f"the engines serve {len(names)} models ({told}); set engine_model to one of them",
        )

    async def ask(self, request: Request) -> Answer:
        """Asks until there is an answer.

        Raises `CodedError`: engine_unreachable if no engine answers, model_unavailable if this question
        is not answered though others are.
        """
        self._in_hand += 1
        self._look_after_all()
        try:
            return await self._ask(request)
        finally:
            self._in_hand -= 1
            self._tell()

    async def _ask(self, request: Request) -> Answer:
        failed_on: list[Endpoint] = []
        slow_downs = 0
        while True:
            endpoint = await self._place(failed_on)
            try:
                answer = await endpoint.ask(self.model, request)
            except RejectedError as rejection:
                raise CodedError(
                    ErrorCode.MODEL_UNAVAILABLE,
                    f"the engine at {endpoint.host} rejects the question: {rejection}",
                ) from rejection
            except SlowDownError as trouble:
                slow_downs += 1
                endpoint.rest(trouble, self._patience, self._now())
                if slow_downs >= self._patience.slow_downs:
                    raise self._unreachable() from trouble
            except TroubleError as trouble:
                failed_on.append(endpoint)
                endpoint.rest(trouble, self._patience, self._now())
                self._look_after_all()
                all_refuse = trouble.refused and set(failed_on) == set(self.endpoints)
                if all_refuse or len(failed_on) >= self._patience.tries:
                    raise await self._whose_fault(endpoint, trouble) from trouble
            else:
                endpoint.answered()
                return answer
            finally:
                endpoint.in_flight -= 1
                self._tell()

    async def _place(self, avoid: Sequence[Endpoint]) -> Endpoint:
        """Waits for an engine with room and takes a place there."""
        since = self._now()
        while True:
            now = self._now()
            opened = [one for one in self.endpoints if one.is_open(now)]
            others = [one for one in opened if one not in avoid] or opened
            free = [one for one in others if one.in_flight < one.at_once]
            if free:
                endpoint = min(free, key=lambda one: one.in_flight / one.at_once)
                endpoint.in_flight += 1
                return endpoint
            if opened:
                since = now
            else:
                soonest = min(one.rests_until for one in self.endpoints)
                if max(now - since, soonest - now) > self._patience.wait:
                    raise self._unreachable()
                self._look_after_all()
            await self._change()

    def _look_after_all(self) -> None:
        """Checks engines that are down until they are up again, as long as anybody waits."""
        for endpoint in self.endpoints:
            if endpoint.down and endpoint not in self._checks:
                task = asyncio.create_task(self._revive(endpoint))
                self._checks[endpoint] = task
                task.add_done_callback(partial(self._checked, endpoint))

    def _checked(self, endpoint: Endpoint, task: "asyncio.Task[None]") -> None:
        del self._checks[endpoint]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("checking the engine at %s failed", endpoint.host, exc_info=error)

    async def _revive(self, endpoint: Endpoint) -> None:
        while endpoint.down and self._in_hand:
            await asyncio.sleep(max(0.0, endpoint.rests_until - self._now()))
            try:
                names = await self._look_at(endpoint)
                if self._name_unset and self.model not in names:
                    # It must not write in the name of the model that was found first.
                    raise TroubleError(f"it serves {', '.join(names[:3])}, not {self.model}")
            except TroubleError as trouble:
                endpoint.rest_again(trouble, self._patience, self._now())
            else:
                endpoint.back()
                self._tell()

    async def _whose_fault(self, endpoint: Endpoint, trouble: TroubleError) -> CodedError:
        if not trouble.refused and await self._any_answers():
            return CodedError(
                ErrorCode.MODEL_UNAVAILABLE,
                f"the engine at {endpoint.host} answers others but failed {self._patience.tries} "
                f"times at this question: {trouble}; the engine's log may say why",
            )
        return self._unreachable()

    async def _any_answers(self) -> bool:
        for endpoint in self.endpoints:
            with suppress(TroubleError, RejectedError):
                await endpoint.ask(self.model, _SMALL_QUESTION, seconds=_SMALL_SECONDS)
                return True
        return False

    def _unreachable(self) -> CodedError:
        told = "; ".join(f"{one.address}: {one.trouble or 'no answer'}" for one in self.endpoints)
        return CodedError(
            ErrorCode.ENGINE_UNREACHABLE,
            f"no engine answers ({told}). Start one, or check `engines` in the settings; "
            "the work goes on by itself",
        )

    async def _change(self) -> None:
        """Waits until a place is free or an engine is back, or for a moment: rests end by themselves."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(_LOOK_SECONDS, self._patience.first_rest / 2)):
                await self._changed.wait()

    def _tell(self) -> None:
        """Wakes all who wait."""
        self._changed.set()
        self._changed = asyncio.Event()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
