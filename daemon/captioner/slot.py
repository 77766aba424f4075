"""Where the one loaded model is kept: two would not fit into one card."""

import threading
import time
from collections.abc import Callable

from catalog.errors import CodedError
from daemon.captioner.base import Engine


class LoadError(CodedError):
    """The model cannot be loaded, so that no job that needs it can be done."""


class CaptionerSlot:
    """Holds at most one loaded model, which any number of threads may ask for."""

    def __init__(self, open_captioner: Callable[[str], Engine]) -> None:
        self._open = open_captioner
        self._lock = threading.Lock()
        self._held: tuple[str, Engine] | None = None
        self._failure: tuple[float, CodedError] | None = None
        self.used_at = time.monotonic()
        """When it was last asked for."""

    @property
    def engine(self) -> Engine | None:
        """What is loaded now, if anything is."""
        held = self._held
        return held[1] if held is not None and held[1].alive else None

    @property
    def model(self) -> str | None:
        """The name by which the loaded model was asked for; empty for the configured one."""
        held = self._held
        return None if held is None else held[0]

    def get(self, model: str) -> Engine:
        """The model, loaded now if it is not yet. Raises `LoadError`."""
        asked_at = time.monotonic()
        with self._lock:
            self.used_at = time.monotonic()
            if self._held is not None and (self._held[0] != model or not self._held[1].alive):
                self._put_away()
            if self._held is None:
                if self._failure is not None and self._failure[0] >= asked_at:
                    # Another job has just tried in vain, while this one waited for its turn.
                    raise LoadError(self._failure[1].code, str(self._failure[1]))
                self._held = (model, self._loaded(model))
            return self._held[1]

    def _loaded(self, model: str) -> Engine:
        try:
            return self._open(model)
        except CodedError as error:
            self._failure = (time.monotonic(), error)
            raise LoadError(error.code, str(error)) from error

    def close(self) -> None:
        """Puts the loaded model away, which gives its memory back."""
        with self._lock:
            self._put_away()

    def abandon(self) -> None:
        """Closes the loaded model under the hands of those who use it, who get an error."""
        held = self._held
        if held is not None:
            held[1].close()

    def _put_away(self) -> None:
        if self._held is not None:
            self._held[1].close()
        self._held = None
