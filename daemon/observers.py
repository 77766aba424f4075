"""Watchdog observers, one a watched folder: armed, and armed anew when the folder is not what it was."""

import logging
import os
from dataclasses import dataclass
from typing import Any

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

from daemon.volumes import is_network

logger = logging.getLogger(__name__)

POLLING_SECONDS = 30.0

_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
"""What tells of news. A write in progress makes others by the thousand, and our own reading too;
without them the kernel's queue lasts longer."""


@dataclass(frozen=True, slots=True)
class FolderWish:
    """How a folder is to be watched."""

    recursive: bool
    polling: bool


@dataclass(frozen=True, slots=True)
class _Armed:
    wish: FolderWish
    identity: tuple[int, int]
    """Device and inode."""
    observer: Any

    def hears(self, path: bytes) -> bool:
        """Whether events still come. A folder that was deleted ends its emitter, and one whose disk was
        mounted again is another; the observer itself tells of neither.
        """
        alive = all(emitter.is_alive() for emitter in self.observer.emitters)
        return alive and _identity(path) == self.identity


class Observers:
    """The armed observers, by raw path. For one thread."""

    def __init__(self, handler: FileSystemEventHandler) -> None:
        self._handler = handler
        self._armed: dict[bytes, _Armed] = {}

    def keep(self, wishes: dict[bytes, FolderWish]) -> set[bytes]:
        """Watches these folders and no others. Returns those that were armed now."""
        for path, armed in list(self._armed.items()):
            if wishes.get(path) != armed.wish or not armed.hears(path):
                self._drop(path)
        fresh = set()
        for path in wishes.keys() - self._armed.keys():
            identity = _identity(path)
            if identity is not None:
                observer = self._arm(path, wishes[path])
                self._armed[path] = _Armed(wishes[path], identity, observer)
                fresh.add(path)
        return fresh

    def root_of(self, path: bytes) -> bytes | None:
        """The watched folder that a path lies in."""
        roots = [root for root in self._armed if path.startswith(root.rstrip(b"/") + b"/")]
        return max(roots, key=len, default=None)

    def close(self) -> None:
        """Puts them all away."""
        for path in list(self._armed):
            self._drop(path)

    def _arm(self, path: bytes, wish: FolderWish) -> Any:
        if wish.polling or is_network(path):
            return self._start(PollingObserver(timeout=POLLING_SECONDS), path, wish)
        try:
            return self._start(Observer(), path, wish)
        except OSError as error:
            logger.warning(
                "cannot watch %s (%s); it is looked through every %.0f s instead. If the kernel's "
                "watch limit is the cause: sudo sysctl fs.inotify.max_user_watches=1048576",
                os.fsdecode(path),
                error.strerror or error,
                POLLING_SECONDS,
            )
            return self._start(PollingObserver(timeout=POLLING_SECONDS), path, wish)

    def _start(self, observer: Any, path: bytes, wish: FolderWish) -> Any:
        # A poll sees no file being closed, only that it is not what it was.
        events = [*_EVENTS, FileModifiedEvent] if wish.polling or is_network(path) else _EVENTS
        observer.schedule(
            self._handler, os.fsdecode(path), recursive=wish.recursive, event_filter=events
        )
        observer.start()
        return observer

    def _drop(self, path: bytes) -> None:
        observer = self._armed.pop(path).observer
        observer.stop()
        observer.join()


def _identity(path: bytes) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino) if os.path.isdir(path) else None
