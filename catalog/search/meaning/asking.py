"""What a search asks for: the documents nearest in meaning, fused with those found by words."""

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from catalog.errors import HaeseolError, InterruptedByUserError
from catalog.home import Home
from catalog.language import tr
from catalog.search.meaning import opening, store
from catalog.search.meaning.embedder import Embedder, model_fingerprint
from catalog.search.meaning.fusion import fuse
from catalog.search.meaning.relevance import farthest_related
from catalog.sqlite import sqlite3

WORDS_WEIGHT, MEANING_WEIGHT = 1.0, 0.1
"""By them, meaning lifts the seventh text that words find to the first place at most, and what only it
finds stands below five hundred. With more weight, a poor model made the order worse
(docs/meaning-search.md)."""

_MOST_NEAREST = 100
_FARTHER = (800, 6400)
"""Filters choose among the nearest; where few of these pass, among so many."""
_ENOUGH = 50

Passing: TypeAlias = Callable[[Sequence[int]], Sequence[int]]


def _all_of(documents: Sequence[int]) -> Sequence[int]:
    return documents


@dataclass(frozen=True, slots=True)
class Blend:
    """A fused ranking of documents: ids with their scores, the best first."""

    ranking: tuple[tuple[int, float], ...]
    trouble: str
    """Why meaning has no part in it, as a sentence; empty when it has."""


class Meaning:
    """Search by meaning in one home, with a model that stays loaded until `close`.

    Safe to use from several threads; they take turns. A document may have been deleted since the index
    was brought up to date, so callers look each one up in the catalog.
    """

    def __init__(self, home: Home, model_folder: Path) -> None:
        self.home = home
        self._embedder = Embedder(model_folder)
        self._lock = threading.Lock()
        self._connection: opening.Connection | None = None
        self._model = ""
        self._trouble = ""

    def __enter__(self) -> "Meaning":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Has the model loaded in the background, so that the first search need not wait for it."""
        self._embedder.start()

    def nearest(
        self, text: str, limit: int = _MOST_NEAREST, within: Collection[int] | None = None
    ) -> list[tuple[int, float]]:
        """The documents related to a text with their cosine distances, the nearest first.

        `within` keeps to those documents. Raises `HaeseolError`, in one sentence for a person.
        """
        with self._lock:
            try:
                index = self._index()
                code = self._embedder.codes([text])[0]
                if not any(code):
                    return []
                related = farthest_related(index, code)
                found = store.nearest(index, code, limit, within)
            except sqlite3.Error as error:
                if "interrupted" in str(error):
                    raise InterruptedByUserError from error
                self._disconnect()
                raise opening.unreadable(opening.index_file(self.home), error) from error
        return [(one, distance) for one, distance in found if distance < related]

    def blend(self, by_words: Sequence[int], text: str, passing: Passing = _all_of) -> Blend:
        """Fuses documents found by words, best first, with those nearest in meaning.

        `passing` gets documents and gives those that may be found, in their order. After a failure it
        stays with the words until `retry`, so that not every key waits for one.
        """
        near: Sequence[int] = []
        if not self._trouble:
            try:
                near = self._near(text, passing)
            except HaeseolError as error:
                self._trouble = str(error)
        fused = fuse(by_words, near, weights=(WORDS_WEIGHT, MEANING_WEIGHT))
        return Blend(tuple(fused), self._trouble)

    def _near(self, text: str, passing: Passing) -> Sequence[int]:
        """The nearest that pass. Looks farther where few of them do."""
        near: Sequence[int] = []
        for limit in (_MOST_NEAREST, *_FARTHER):
            found = [one for one, _ in self.nearest(text, limit)]
            near = passing(found)
            if len(near) >= _ENOUGH or len(found) < limit:
                break
        return near[:_MOST_NEAREST]

    @property
    def trouble(self) -> str:
        """Why meaning has no part in answers, as a sentence; empty when it has."""
        return self._trouble

    def ready(self, seconds: float) -> bool:
        """Waits so long at most for the model. True once a search need not wait for it."""
        if self._trouble or not opening.index_file(self.home).exists():
            return True
        return self._embedder.ready(seconds)

    def retry(self) -> None:
        """Forgets a failure, as after the index was brought up to date."""
        self._trouble = ""

    def interrupt(self) -> None:
        """Ends the query that another thread runs; that thread gets an `InterruptedByUserError`."""
        if (connection := self._connection) is not None:
            connection.interrupt()

    def close(self) -> None:
        """Ends the model's process and closes the index."""
        with self._lock:
            self._disconnect()
        self._embedder.close()

    def _index(self) -> opening.Connection:
        """The index, once it is sure that this model made it."""
        if self._connection is None:
            self._model = model_fingerprint(self._embedder.folder)
            self._connection = opening.open_for_reading(self.home)
        if store.stamped_model(self._connection) != self._model:
            self._disconnect()
            raise HaeseolError(
                tr(
                    "the meaning index was made with another model; make it anew: {command}",
                    command=self.home.command(opening.COMMAND),
                )
            )
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
