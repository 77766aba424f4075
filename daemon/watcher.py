"""The watcher: events as hints, a reconcile scan as the truth, and patience until a file rests."""

import logging
import os
import queue as queues
import threading
import time
from collections.abc import Callable

from watchdog.events import (
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from catalog import ingest, library, overview
from catalog.database import Catalog
from catalog.errors import CodedError
from catalog.library import FileSeen, Placement
from catalog.settings import Settings
from daemon.observers import FolderWish, Observers
from daemon.settling import Look, Settling
from daemon.volumes import being_written, is_network

logger = logging.getLogger(__name__)

_TURN_SECONDS = 0.25
_AFTER_ERROR_SECONDS = 5.0
_HINTS_A_TURN = 1000
"""So a flood of events cannot keep files that have come to rest waiting, nor a stop."""


class _Hints(FileSystemEventHandler):
    """Passes events on to the watcher's own thread."""

    def __init__(self, inbox: "queues.SimpleQueue[FileSystemEvent]") -> None:
        self._inbox = inbox

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._inbox.put(event)


class Watcher:
    """Keeps the catalog in step with the watched folders.

    `on_new_job` is called after a file has queued one. Call `turn` again and again, or `run` once; only
    `ask_watch` and `ask_reconcile` may be called from other threads.
    """

    def __init__(
        self, catalog: Catalog, settings: Settings, on_new_job: Callable[[], None] = lambda: None
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self._on_new_job = on_new_job
        self._inbox: queues.SimpleQueue[FileSystemEvent] = queues.SimpleQueue()
        self._settling = Settling(look, time.monotonic, time.time, being_written)
        self._observers = Observers(_Hints(self._inbox))
        self._asked: set[bytes] = set()
        self._asked_lock = threading.Lock()
        self._watch_asked = False
        self._scan_all = False
        self._absent: set[bytes] = set()

    @property
    def waiting(self) -> int:
        """How many files have not come to rest yet."""
        return len(self._settling)

    def folders(self) -> dict[bytes, FolderWish]:
        """The watched folders by raw path, and how each is to be watched."""
        with self.catalog.read() as connection:
            rows = overview.watched_folders(connection)
        return {path: FolderWish(*wish) for path, wish in rows.items()}

    def ask_watch(self) -> None:
        """Asks for a look at which folders are to be watched, at the next turn."""
        self._watch_asked = True

    def ask_reconcile(self, path: bytes | None = None) -> None:
        """Asks for a scan of one folder, or of all, at the next turn."""
        with self._asked_lock:
            self._asked |= {path} if path is not None else self.folders().keys()

    def watch_folders(self) -> None:
        """Arms the observers that are due. What came before they stood is found by a scan."""
        self._watch_asked = False
        for path in self._observers.keep(self.folders()):
            self.ask_reconcile(path)

    def turn(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Takes in what has happened: scans asked for, events, files that have come to rest."""
        if self._watch_asked:
            self.watch_folders()
        with self._asked_lock:
            asked, self._asked = self._asked, set()
        if self._scan_all:
            asked, self._scan_all = asked | self.folders().keys(), False
        for path in sorted(asked):
            self._reconcile(path, should_stop)
        for _ in range(_HINTS_A_TURN):
            if should_stop() or self._inbox.empty():
                break
            self._take_hint(self._inbox.get())
        for path in self._settling.rested():
            if should_stop():
                return
            self._take(path)

    def run(self, stop: threading.Event) -> None:
        """Takes turns until told to stop, then puts the observers away."""
        try:
            while not stop.wait(_TURN_SECONDS):
                try:
                    self.turn(stop.is_set)
                except Exception:
                    # Whatever it was, a deaf watcher would be worse: the next scan finds what was lost.
                    logger.exception("a turn of the watcher failed; the folders are scanned again")
                    stop.wait(_AFTER_ERROR_SECONDS)
                    self._scan_all = True
        finally:
            self.close()

    def close(self) -> None:
        """Puts the observers away."""
        self._observers.close()

    def _reconcile(self, folder: bytes, should_stop: Callable[[], bool]) -> None:
        found = ingest.reconcile(
            self.catalog, folder, photos=self.settings.photos, should_stop=should_stop
        )
        if not found.absent:
            self._absent.discard(folder)
        elif folder not in self._absent:
            self._absent.add(folder)
            logger.warning(
                "%s is missing or suddenly empty; its videos are offline and nothing was removed. "
                "Mount it, and they come back",
                os.fsdecode(folder),
                extra={"action": "folder_absent"},
            )
        for path in found.changed:
            self._wait_for(path)

    def _wait_for(self, path: bytes) -> None:
        network = is_network(os.path.dirname(path))
        seconds = self.settings.settle_seconds_network if network else self.settings.settle_seconds
        self._settling.touch(path, seconds)

    def _take_hint(self, event: FileSystemEvent) -> None:
        source, target = os.fsencode(event.src_path), os.fsencode(event.dest_path or b"")
        root = self._observers.root_of(source) or self._observers.root_of(target)
        if root is None:
            return
        if event.is_directory:
            # Its files may have come with it, before a watch on it could see them.
            if not ingest.hidden(source, root) or (target and not ingest.hidden(target, root)):
                self.ask_reconcile(root)
        elif isinstance(event, FileMovedEvent):
            self._settling.forget(source)
            if not self._follow(source, target):
                self._gone(source)
                self._candidate(target, root)
        elif isinstance(event, FileDeletedEvent):
            self._settling.forget(source)
            self._gone(source)
        else:
            self._candidate(source, root)

    def _candidate(self, path: bytes, root: bytes) -> None:
        photos = self.settings.photos
        if path in self._settling or not ingest.is_candidate(path, root, photos=photos):
            return
        with self.catalog.read() as connection:
            known = overview.file_facts(connection, path)
        if os.path.isfile(path) and ingest.is_news(path, known):
            self._wait_for(path)

    def _gone(self, path: bytes) -> None:
        if not os.path.lexists(path):
            with self.catalog.write() as session:
                library.set_online(session, [path], online=False)

    def _follow(self, source: bytes, target: bytes) -> bool:
        """Follows a rename without reading the file, so that its caption never goes out of sight."""
        try:
            seen = FileSeen.of(target)
        except OSError:
            return False
        with self.catalog.write() as session:
            return library.move_location(session, source, seen) is not None

    def _take(self, path: bytes) -> None:
        try:
            video_id, placement = ingest.take_file(self.catalog, path)
        except CodedError as error:
            logger.warning("%s: %s", error.code, error)
            return
        if placement is not Placement.KNOWN:
            logger.info(
                "%s: %s",
                placement.value,
                os.fsdecode(path),
                extra={"action": f"file_{placement.value}", "video": video_id},
            )
        self._on_new_job()


def look(path: bytes) -> Look | None:
    """What `stat` says of a file, or None if it is gone."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return Look(stat.st_size, stat.st_mtime_ns, max(stat.st_mtime, stat.st_ctime))
