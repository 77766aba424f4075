"""The watcher: events as hints, a reconcile scan as the truth, and patience until a file rests."""

import logging
import os
import queue as queues
import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from catalog import ingest, library
from catalog.database import Catalog
from catalog.errors import CodedError
from catalog.library import FileSeen, Placement
from catalog.schema import Folder
from catalog.settings import Settings
from daemon.settling import Look, Settling
from daemon.volumes import being_written, is_network

logger = logging.getLogger(__name__)

_WANTED_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
"""Our own reading of the files makes other kinds; without them the kernel's queue lasts longer."""

_TURN_SECONDS = 0.25
_POLLING_SECONDS = 30.0
_AFTER_ERROR_SECONDS = 5.0


class _Hints(FileSystemEventHandler):
    """Passes events on to the watcher's own thread."""

    def __init__(self, inbox: "queues.SimpleQueue[FileSystemEvent]") -> None:
        self._inbox = inbox

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._inbox.put(event)


class Watcher:
    """Keeps the catalog in step with the watched folders.

    `on_new_job` is called after a file has queued one. Call `turn` again and again, or `run` once.
    """

    def __init__(
        self, catalog: Catalog, settings: Settings, on_new_job: Callable[[], None] = lambda: None
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self._on_new_job = on_new_job
        self._inbox: queues.SimpleQueue[FileSystemEvent] = queues.SimpleQueue()
        self._settling = Settling(look, time.monotonic, time.time, being_written)
        self._observers: dict[bytes, Any] = {}
        self._asked: set[bytes] = set()
        self._asked_lock = threading.Lock()
        self._scan_all = False

    @property
    def waiting(self) -> int:
        """How many files have not come to rest yet."""
        return len(self._settling)

    # Which folders ---------------------------------------------------------------------------------

    def folders(self) -> dict[bytes, bool]:
        """The watched folders by raw path, and whether each is to be polled."""
        with self.catalog.write() as session:
            rows = session.scalars(select(Folder)).all()
            return {row.path: bool(row.polling) for row in rows}

    def watch_folders(self) -> None:
        """Arms an observer for every watched folder that has none, and drops those no longer watched."""
        wanted = self.folders()
        for path in self._observers.keys() - wanted.keys():
            self._drop(path)
        for path, polling in wanted.items():
            observer = self._observers.get(path)
            if observer is not None and not observer.is_alive():
                self._drop(path)
            if path not in self._observers and os.path.isdir(path):
                self._observers[path] = self._arm(path, polling or is_network(path))
                self.ask_reconcile(path)

    def _arm(self, path: bytes, polling: bool) -> Any:
        observer: Any = PollingObserver(timeout=_POLLING_SECONDS) if polling else Observer()
        handler = _Hints(self._inbox)
        shown = os.fsdecode(path)
        try:
            observer.schedule(handler, shown, recursive=True, event_filter=_WANTED_EVENTS)
            observer.start()
        except OSError as error:
            logger.warning(
                "cannot watch %s (%s); it is compared every %.0f s instead. If the kernel's watch "
                "limit is the cause: sudo sysctl fs.inotify.max_user_watches=1048576",
                shown,
                error.strerror or error,
                self.settings.reconcile_seconds,
            )
            observer = PollingObserver(timeout=_POLLING_SECONDS)
            observer.schedule(handler, shown, recursive=True, event_filter=_WANTED_EVENTS)
            observer.start()
        return observer

    def _drop(self, path: bytes) -> None:
        observer = self._observers.pop(path)
        observer.stop()
        observer.join()

    # Turns -----------------------------------------------------------------------------------------

    def ask_reconcile(self, path: bytes | None = None) -> None:
        """Asks for a scan of one folder, or of all, at the next turn. May be called from any thread."""
        with self._asked_lock:
            self._asked |= {path} if path is not None else self.folders().keys()

    def turn(self, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Takes in what has happened: scans asked for, events, files that have come to rest."""
        with self._asked_lock:
            asked, self._asked = self._asked, set()
        if self._scan_all:
            asked, self._scan_all = asked | self.folders().keys(), False
        for path in sorted(asked):
            self._reconcile(path, should_stop)
        while not self._inbox.empty():
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
        for path in list(self._observers):
            self._drop(path)

    def _reconcile(self, folder: bytes, should_stop: Callable[[], bool]) -> None:
        found = ingest.reconcile(self.catalog, folder, should_stop=should_stop)
        if found.absent:
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
        root = next((root for root in self._observers if source.startswith(root + b"/")), b"/")
        if event.is_directory:
            # Its files may have come with it, before a watch on it could see them.
            self.ask_reconcile(root if root != b"/" else None)
            return
        if isinstance(event, FileMovedEvent):
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
        if ingest.is_candidate(path, root) and os.path.isfile(path):
            with self.catalog.write() as session:
                known = library.unchanged(session, FileSeen.of(path))
            if not known:
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
