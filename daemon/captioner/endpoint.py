"""One engine behind an address: how it is asked, how it does, and what it is known not to take."""

import asyncio
import logging
import random
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from openai import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpxClient,
    Omit,
    OpenAIError,
    Timeout,
)
from openai.types.chat import ChatCompletion

from catalog.errors import HaeseolError
from catalog.safe_text import shown
from daemon.captioner.base import Answer
from daemon.captioner.payload import OPTIONAL_FIELDS, Request

logger = logging.getLogger(__name__)

_CONNECT_SECONDS = 5.0
_CHECK_SECONDS = 5.0
_WORDS = 300
"""So many characters of what an engine says are quoted."""

# The library tells every server about the machine that it runs on, which is nobody's business.
_UNSENT_HEADERS = [
    "OpenAI-Organization",
    "OpenAI-Project",
    *(f"X-Stainless-{part}" for part in ("Arch", "Async", "Lang", "OS", "Package-Version")),
    *(
        f"X-Stainless-{part}"
        for part in ("Runtime", "Runtime-Version", "Retry-Count", "Read-Timeout")
    ),
]


class TroubleError(HaeseolError):
    """An engine failed in a way that may pass, or that another engine may not share."""

    def __init__(self, why: str, *, after: float | None = None, refused: bool = False) -> None:
        super().__init__(why)
        self.after = after
        """How long it asked to be left alone, in seconds."""
        self.refused = refused
        """It answers, but does not do what is asked of it: every question will meet the same."""


class KeyRefusedError(TroubleError):
    """An engine wants another API key, or any."""


class SlowDownError(TroubleError):
    """An engine asked for fewer requests (429); there is nothing wrong with it."""


class RejectedError(HaeseolError):
    """An engine said that this question is wrong, so that no other try will help."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what. All in seconds but the counts."""

    first_rest: float = 1.0
    """A failed engine is left alone so long, then twice as long each time it fails again…"""
    longest_rest: float = 15.0
    """…up to this long."""
    wait: float = 30.0
    """A question waits so long for any engine to come back."""
    tries: int = 4
    """So many failures of one question are borne."""
    slow_downs: int = 8
    """So many requests to slow down are heeded for one question."""


class Endpoint:
    """One engine. Everything but the making happens in the event loop's thread."""

    def __init__(self, address: str, *, key: str, timeout_seconds: float, at_once: int) -> None:
        self.address = address
        self.host = urlsplit(address).netloc
        self.at_once = at_once
        self.in_flight = 0
        self.down = False
        """It failed, and has to pass a check before it is asked again."""
        self.rests_until = 0.0
        """On the loop's clock."""
        self.trouble = ""
        self.left_out: frozenset[str] = frozenset()
        self.kind = ""
        """Who made it, as it says: vllm, sglang; empty if it does not."""
        self._key = key
        self._failures = 0
        # No proxies of the environment, and no following elsewhere: what is sent goes to the address
        # that was set and to no other.
        client = DefaultAsyncHttpxClient(
            trust_env=False, follow_redirects=False, verify=_trusted(urlsplit(address).scheme)
        )
        self._headers: dict[str, str | Omit] = {
            **dict.fromkeys(_UNSENT_HEADERS, Omit()),
            "User-Agent": "haeseol",
            "Authorization": f"Bearer {key}" if key else Omit(),
        }
        # An engine that answers a check with an error ends the connection; a question that is sent down
        # the same one would be lost.
        self._last_headers = {**self._headers, "Connection": "close"}
        self._client = AsyncOpenAI(
            api_key=key or "none",
            base_url=address,
            max_retries=0,
            timeout=Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            http_client=client,
        )
        self._client._custom_headers = {}  # those of OPENAI_CUSTOM_HEADERS are for another server

    def is_open(self, now: float) -> bool:
        """Whether it may be asked at all."""
        return not self.down and now >= self.rests_until

    async def ask(self, model: str, request: Request, *, seconds: float | None = None) -> Answer:
        """Asks once; what it turns out not to take is left out from then on.

        Raises `TroubleError`, `SlowDownError` and `RejectedError`.
        """
        while True:
            left_out = self.left_out
            try:
                told = await self._post(
                    request.body(model, left_out, mark_images=self._wants_marks(model)), seconds
                )
            except APIStatusError as error:
                if self._learn(error, request, left_out):
                    continue
                raise self._meaning(error) from error
            return self._answer(told, request.missed(left_out))

    async def _post(self, body: dict[str, Any], seconds: float | None) -> object:
        options = self._options(seconds)
        try:
            return await self._client.post(
                "/chat/completions", body=body, cast_to=ChatCompletion, options=options
            )
        except APITimeoutError as error:
            raise TroubleError("it took too long") from error
        except APIConnectionError as error:
            raise TroubleError(_cause(error)) from error
        except APIStatusError:
            raise
        except (APIResponseValidationError, OpenAIError, ValueError) as error:
            raise TroubleError("what it answers is no chat completion", refused=True) from error

    def _options(self, seconds: float | None) -> Any:
        return {"headers": self._headers} | ({} if seconds is None else {"timeout": seconds})

    def _wants_marks(self, model: str) -> bool:
        """SGLang's LLaVA looks at the first of several images only, unless they are marked."""
        return self.kind == "sglang" and "llava" in model.lower()

    def _answer(self, told: object, missed: tuple[str, ...]) -> Answer:
        # The library takes any JSON for a completion, and leaves out what is not there.
        choices = getattr(told, "choices", None)
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = getattr(choice, "message", None)
        if message is None:
            raise TroubleError(
                "what it answers is no chat completion; check the address", refused=True
            )
        content = getattr(message, "content", None)
        return Answer(
            content.strip() if isinstance(content, str) else "",
            finished=getattr(choice, "finish_reason", None) in ("stop", None),
            remarks=tuple(f"{name} left out: the engine does not take it" for name in missed),
        )

    def _learn(self, error: APIStatusError, request: Request, left_out: frozenset[str]) -> bool:
        """Whether it complained of a field that it can do without, which is then left out."""
        if error.status_code not in (400, 422):
            return False
        sent = request.body("", left_out).keys()
        said = _said(error)
        unknown = {name for name in OPTIONAL_FIELDS if name in sent and name in said}
        self.left_out |= unknown
        return bool(unknown)

    def _meaning(self, error: APIStatusError) -> HaeseolError:
        status, words = error.status_code, self._words(error)
        after = _retry_after(error.response.headers.get("retry-after"))
        if status == 429:
            return SlowDownError(f"it asks for fewer requests: {words}", after=after)
        if status in (401, 403):
            return KeyRefusedError(
                f"it refuses the key ({status}: {words}); set HAESEOL_ENGINE_KEY", refused=True
            )
        if status == 404:
            return TroubleError(
                f"it knows no such model or path ({status}: {words}); set engine_model, or check "
                "the address",
                refused=True,
            )
        if status == 408 or status >= 500:
            return TroubleError(f"it failed ({status}: {words})", after=after)
        return RejectedError(f"({status}) {words}")

    def _words(self, error: APIStatusError) -> str:
        """What it said, short and printable, without the key."""
        said = _said(error)
        if self._key:
            said = said.replace(self._key, "…")
        words = shown(" ".join(said.split()))
        return words if len(words) <= _WORDS else f"{words[:_WORDS]}…"

    async def check(self) -> None:
        """Finds out whether it is up. Raises `TroubleError`."""
        root = self.address.removesuffix("/v1")
        try:
            await self._client.get(
                f"{root}/health",
                cast_to=str,
                options={"headers": self._last_headers, "timeout": _CHECK_SECONDS},
            )
        except APIStatusError as error:
            if error.status_code >= 500:
                raise TroubleError(f"its health check says {error.status_code}") from error
        except APITimeoutError as error:
            raise TroubleError("it took too long") from error
        except APIConnectionError as error:
            raise TroubleError(_cause(error)) from error

    async def names(self) -> list[str]:
        """The models that it serves, by the names it wants to hear. Raises `TroubleError`."""
        try:
            page = await self._client.models.list(
                timeout=_CHECK_SECONDS, extra_headers=self._last_headers
            )
            cards = list(page.data)
            self.kind = str(cards[0].owned_by or "").lower() if cards else ""
            return [str(card.id) for card in cards]
        except APIStatusError as error:
            meaning = self._meaning(error)
            if isinstance(meaning, KeyRefusedError):
                raise meaning from error
            raise TroubleError(str(meaning), refused=error.status_code < 500) from error
        except APIConnectionError as error:
            raise TroubleError(_cause(error)) from error
        except (OpenAIError, ValueError, TypeError, AttributeError) as error:
            raise TroubleError("it does not tell which models it serves", refused=True) from error

    def rest(self, trouble: TroubleError, patience: Patience, now: float) -> None:
        """Leaves it alone for a while; failures at the same time count once."""
        self.trouble = str(trouble)
        if isinstance(trouble, SlowDownError):
            self._failures += now >= self.rests_until
            pause = trouble.after if trouble.after is not None else self._pause(patience)
            self.rests_until = max(self.rests_until, now + pause)
            return
        if not self.down:
            self._failures += 1
            logger.warning("the engine at %s is left alone: %s", self.host, trouble)
        self.down = True
        self.rests_until = max(self.rests_until, now + (trouble.after or self._pause(patience)))

    def rest_again(self, trouble: TroubleError, patience: Patience, now: float) -> None:
        """It did not pass its check."""
        self.trouble = str(trouble)
        self._failures += 1
        self.rests_until = now + (trouble.after or self._pause(patience))

    def _pause(self, patience: Patience) -> float:
        exponent = min(max(self._failures - 1, 0), 16)
        longest: float = min(patience.first_rest * 2**exponent, patience.longest_rest)
        return longest * random.uniform(0.5, 1.0)  # jitter, so that questions do not come in waves

    def back(self) -> None:
        """It passed its check."""
        logger.info("the engine at %s is back", self.host)
        self.down = False

    def answered(self) -> None:
        """It gave an answer, so that its failures are past. A passed check alone is no proof."""
        self._failures = 0

    async def close(self) -> None:
        """Closes its connections."""
        await self._client.close()
        await asyncio.sleep(0)


@cache
def _trusted(scheme: str) -> ssl.SSLContext:
    """The authorities to trust: the system's, or `SSL_CERT_FILE`. One for all, as it takes 4 MB."""
    if scheme == "https":
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for http: trusts nobody


def _said(error: APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict):
        body = body.get("message") or body.get("detail") or body.get("error") or body
    if isinstance(body, list):  # FastAPI's complaints: where, and what about it; never the input
        body = "; ".join(
            f"{'.'.join(str(step) for step in one.get('loc', ()))}: {one.get('msg', '')}"
            for one in body
            if isinstance(one, dict)
        )
    return str(body or error.response.reason_phrase or "no reason given")


def _cause(error: Exception) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return shown(" ".join(str(cause).split())[:_WORDS]) or type(cause).__name__


_LONGEST_REST_ASKED = 600.0


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait, out of a header that gives seconds or a date."""
    if header is None:
        return None
    try:
        return _bounded(float(header))
    except ValueError:
        pass
    try:
        return _bounded(parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _bounded(seconds: float) -> float:
    """No header, such as one that says `inf`, puts an engine away for good."""
    return max(0.0, min(seconds, _LONGEST_REST_ASKED)) if seconds == seconds else 0.0
