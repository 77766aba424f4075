"""Decides when a file has come to rest. Pure: it is told the time and what `stat` says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Look(NamedTuple):
    """What one `stat` said."""

    size: int
    mtime_ns: int
    changed_at: float
    """The later of mtime and ctime, in seconds since 1970."""


@dataclass(slots=True)
class _Tracked:
    look: Look
    same_since: float
    """When this look was first taken, on the monotonic clock."""
    settle_seconds: float


class Settling:
    """Files that are waited for.

    A file has come to rest when
    1. its size and mtime were the same in two looks at least `settle_seconds` apart, or
    2. the first look finds that neither its content nor its inode changed for so long already: a ctime,
       unlike an mtime, cannot be set back by a copying program;
    3. and, either way, nobody has it open for writing.
    """

    def __init__(
        self,
        look: Callable[[bytes], Look | None],
        monotonic: Callable[[], float],
        wall: Callable[[], float],
        being_written: Callable[[bytes], bool] = lambda path: False,
    ) -> None:
        self._look = look
        self._monotonic = monotonic
        self._wall = wall
        self._being_written = being_written
        self._tracked: dict[bytes, _Tracked] = {}

    def __len__(self) -> int:
        return len(self._tracked)

    def __contains__(self, path: bytes) -> bool:
        return path in self._tracked

    def touch(self, path: bytes, settle_seconds: float) -> None:
        """Begins to wait for a file, or goes on waiting for one that had an event."""
        if path in self._tracked or (look := self._look(path)) is None:
            return
        rested = self._wall() - look.changed_at
        # A clock set back gives a negative age: then only two looks count.
        age = settle_seconds if rested >= settle_seconds else 0.0
        self._tracked[path] = _Tracked(look, self._monotonic() - age, settle_seconds)

    def forget(self, path: bytes) -> None:
        """Stops waiting for a file that is gone."""
        self._tracked.pop(path, None)

    def rested(self) -> list[bytes]:
        """Takes out the files that have come to rest, in the order in which they were first seen."""
        now = self._monotonic()
        ready: list[bytes] = []
        for path, tracked in list(self._tracked.items()):
            look = self._look(path)
            if look is None:
                del self._tracked[path]
            elif look[:2] != tracked.look[:2]:
                tracked.look, tracked.same_since = look, now
            elif now - tracked.same_since >= tracked.settle_seconds:
                if self._being_written(path):
                    tracked.same_since = now
                else:
                    del self._tracked[path]
                    ready.append(path)
        return ready
