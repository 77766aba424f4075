"""Reading for the screens: short looks on the interface's own connection, longer ones on threads."""

import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from catalog import browse, listing, overview
from catalog.database import Catalog
from catalog.errors import HaeseolError, InterruptedByUserError
from catalog.hits import find, find_soon
from catalog.listing import ListRow
from catalog.meaning import open_meaning
from catalog.search.query.synonyms import read as read_synonyms
from catalog.sqlite import sqlite3
from catalog.views import HitsView, HitView, JobView, StatusView, VideoView
from tui.thumbnails import Picture

if TYPE_CHECKING:
    from catalog.search.meaning.asking import Meaning

HITS = 200
_LOOK_SECONDS = 0.05
_RETRY_SECONDS = 60.0
"""After a failure, search by meaning is tried again so late: its index may have been made meanwhile."""


class Reader:
    """The interface's own connection: for a page of rows, and for the question whether anything changed."""

    def __init__(self, catalog: Catalog) -> None:
        self._connection = catalog.connect_readonly()
        self._version = listing.data_version(self._connection)

    def changed(self) -> bool:
        """Whether anything was written, by whomever, since the last time this was asked."""
        version = listing.data_version(self._connection)
        if version == self._version:
            return False
        self._version = version
        return True

    def rows(self, ids: Sequence[int]) -> Iterable[ListRow]:
        """The rows of one page."""
        return listing.list_rows(self._connection, ids)

    def newest_ids(self, limit: int) -> "array[int]":
        """The head of the list, for the first frame."""
        return listing.newest_ids(self._connection, limit)

    def close(self) -> None:
        """Lets the catalog go."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class Look:
    """A video as the preview shows it, or the video of a scene."""

    video_id: int
    scene_id: int | None
    view: VideoView | None
    """None once the video is gone."""
    picture: Picture | None


def read_ids(catalog: Catalog) -> "array[int]":
    """The order of the whole list."""
    with catalog.read() as connection:
        return listing.newest_ids(connection)


def read_look(catalog: Catalog, video_id: int, scene_id: int | None) -> Look:
    """A video with the picture of a scene; of the first that has one, where none is named."""
    with catalog.read() as connection:
        view = next(browse.videos(connection, [video_id]), None)
        if view is None:
            return Look(video_id, scene_id, None, None)
        wanted = [scene.id for scene in view.scenes[:8]] if scene_id is None else [scene_id]
        blobs = (browse.thumbnail(connection, scene) for scene in wanted)
        pictures = (Picture.from_blob(blob) for blob in blobs)
        picture = next((picture for picture in pictures if picture is not None), None)
    return Look(video_id, scene_id, view, picture)


def read_status(catalog: Catalog) -> StatusView:
    """The state of the whole."""
    with catalog.read() as connection:
        return overview.status(connection, catalog.home)


def read_jobs(catalog: Catalog) -> list[JobView]:
    """The queue."""
    with catalog.read() as connection:
        return browse.jobs(connection)


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a query."""

    query: str
    hits: Sequence[HitView]
    without_caption: int
    """So many videos cannot be found by content yet; counted only when nothing was found."""
    instead: str = ""
    """The query as it was taken, where a word of it was guessed."""
    trouble: str = ""
    """Why search by meaning, which is switched on, had no part in it."""


class Searcher:
    """Search as one types: a newer query stops the one before."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._synonyms = read_synonyms(catalog.home.synonyms_file)
        self._lock = Lock()
        self._running: sqlite3.Connection | None = None
        self._by_meaning = _ByMeaning(catalog)

    def interrupt(self) -> None:
        """Stops the query that runs. Safe to call from any thread."""
        with self._lock:
            if self._running is not None:
                self._running.interrupt()
        self._by_meaning.interrupt()

    def close(self) -> None:
        """Ends the process of the model for search by meaning, where there is one."""
        self.interrupt()
        self._by_meaning.close()

    def answers(self, query: str) -> Iterator[Found]:
        """Runs a query, on a thread: the newest texts first, then the best, then those by meaning too.

        Ends early if a newer query stopped it.
        """
        turn = self._by_meaning.turn
        for soon in (True, False):
            found = self.find(query, soon=soon)
            if found is None:
                return
            yield found
            by_words = found
        if (meaning := self._by_meaning.ready(turn)) is not None:
            found = self._run(query, partial(find, meaning=meaning))
            if found is not None:
                yield replace(found, trouble=meaning.trouble)
        elif self._by_meaning.trouble:
            yield replace(by_words, trouble=self._by_meaning.trouble)

    def find(self, query: str, *, soon: bool = False) -> Found | None:
        """Runs a query, on a thread; `soon` for its first answer. None if a newer one stopped it."""
        return self._run(query, find_soon if soon else find)

    def _run(self, query: str, ask: Callable[..., HitsView]) -> Found | None:
        with self._catalog.read() as connection:
            with self._lock:
                self._running = connection
            try:
                answer = ask(connection, query, limit=HITS, synonyms=self._synonyms)
                missing = 0 if answer.hits else listing.without_caption(connection)
            except InterruptedByUserError:
                return None
            except sqlite3.OperationalError as error:
                if "interrupt" in str(error):
                    return None
                raise
            finally:
                with self._lock:
                    if self._running is connection:
                        self._running = None
        return Found(query, answer.hits, missing, answer.instead)


class _ByMeaning:
    """Search by meaning for a `Searcher`: opened at the first search, so that none waits for its model."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = Lock()
        self._opened = False
        self._meaning: Meaning | None = None
        self._retry_at = 0.0
        self.turn = 0
        """Counts the queries that were stopped."""
        self.trouble = ""
        """Why it cannot be opened, as a sentence."""

    def ready(self, turn: int) -> "Meaning | None":
        """Waits until the model can answer; None where meaning is off, or if a newer query came."""
        meaning = self._open()
        if meaning is None:
            return None
        if time.monotonic() >= self._retry_at:
            meaning.retry()
            self._retry_at = time.monotonic() + _RETRY_SECONDS
        while self.turn == turn:
            if meaning.ready(_LOOK_SECONDS):
                return meaning
        return None

    def _open(self) -> "Meaning | None":
        with self._lock:
            if not self._opened:
                self._opened = True
                try:
                    self._meaning = open_meaning(self._catalog.home)
                except HaeseolError as error:
                    self.trouble = str(error)
            return self._meaning

    def interrupt(self) -> None:
        """Stops the query that runs, or waits."""
        self.turn += 1
        if (meaning := self._meaning) is not None:
            meaning.interrupt()

    def close(self) -> None:
        """Ends the model's process."""
        with self._lock:
            if self._meaning is not None:
                self._meaning.close()
