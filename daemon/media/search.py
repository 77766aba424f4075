"""Searches a video for its scenes: in stretches, several at once, each in a process of its own.

What was found in a stretch can be kept and given again, so that a search that ends early goes on
where it was.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from catalog.errors import InterruptedByUserError
from daemon.decoder.facts import Probe
from daemon.decoder.packing import pack, unpack
from daemon.decoder.scenes import Mode, SceneSpan, Stretch, scenes_from, stretches
from daemon.decoder.source import undecodable
from daemon.media.calls import search_stretch

_VERSION = 1
"""Rises with each change of what a search finds."""

_MOST_AT_ONCE = 4
"""Processes for one video; others may be worked on beside it."""

_CORES = len(os.sched_getaffinity(0))
_SEATS = threading.BoundedSemaphore(_CORES)
"""The searches of all videos together are no more than the processor does at once."""
_LOOK_SECONDS = 0.2


def recipe(mode: str) -> str:
    """Names a way to search; what one way found in a stretch is of no use to another."""
    return f"{mode} {_VERSION}"


def find_scenes(
    path: Path,
    facts: Probe,
    *,
    mode: Mode = "exact",
    known: Mapping[int, bytes] | None = None,
    keep: Callable[[int, bytes], None] = lambda index, found: None,
    progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    min_seconds: float = 0.5,
    max_seconds: float = 60.0,
) -> tuple[SceneSpan, ...]:
    """Returns the scenes of a video: in order, without gaps, from 0 to its duration; at least one.

    Shots shorter than `min_seconds` join a neighbour; longer ones than `max_seconds` are split.
    `mode` is `exact`, which looks at every frame, or `fast`, which looks at key frames and closer
    only where they differ. `keep` is given what was found in each stretch, by its index and from
    any thread; `known` is what it was given before, with the same `recipe`. `progress` hears shares
    from 0 to 1.

    Raises `MediaError` as `daemon.media.probe` does, and `InterruptedByUserError` once `should_stop`
    says so.
    """
    search = _Search(path, facts, mode, keep, progress, should_stop or (lambda: False))
    for index, (start, end) in enumerate(search.parts):
        if known and index in known:
            found = unpack(known[index], start, end)
            if found is not None:
                search.found[index] = found
    search.run()
    if progress:
        progress(1.0)
    found_in_order = [search.found[index] for index in range(len(search.parts))]
    if not any(len(part.times) for part in found_in_order):
        raise undecodable(path)
    return scenes_from(facts, found_in_order, min_seconds=min_seconds, max_seconds=max_seconds)


class _Search:
    """The search of one video."""

    def __init__(
        self,
        path: Path,
        facts: Probe,
        mode: Mode,
        keep: Callable[[int, bytes], None],
        progress: Callable[[float], None] | None,
        should_stop: Callable[[], bool],
    ) -> None:
        self.path, self.facts, self.mode = path, facts, mode
        self.parts = stretches(facts)
        self.found: dict[int, Stretch] = {}
        self._keep = keep
        self._progress = progress
        self._should_stop = should_stop
        self._shares = [0.0] * len(self.parts)
        self._failed = threading.Event()

    def run(self) -> None:
        """Searches all stretches that are not found yet; the first error ends the others."""
        for index in self.found:
            self._shares[index] = 1.0
        missing = [index for index in range(len(self.parts)) if index not in self.found]
        at_once = min(len(missing), _CORES, _MOST_AT_ONCE)
        with ThreadPoolExecutor(max(1, at_once), "scenes") as pool:
            runs = [pool.submit(self._one, index) for index in missing]
            _, waiting = wait(runs, return_when=FIRST_EXCEPTION)
            self._failed.set()
            for one in waiting:
                one.cancel()
            wait(waiting)
        _raise_first(runs)

    def _one(self, index: int) -> None:
        start, end = self.parts[index]
        while not _SEATS.acquire(timeout=_LOOK_SECONDS):
            if self._is_over():
                raise InterruptedByUserError
        try:
            found = search_stretch(
                self.path,
                self.facts,
                start,
                end,
                mode=self.mode,
                progress=lambda share: self._hear(index, share),
                should_stop=self._is_over,
            )
        finally:
            _SEATS.release()
        self._keep(index, pack(found))
        self.found[index] = found
        self._hear(index, 1.0)

    def _is_over(self) -> bool:
        return self._failed.is_set() or self._should_stop()

    def _hear(self, index: int, share: float) -> None:
        self._shares[index] = share
        if self._progress:
            lengths = [end - start for start, end in self.parts]
            seen = sum(share * length for share, length in zip(self._shares, lengths, strict=True))
            self._progress(min(1.0, seen / sum(lengths)))


def _raise_first(runs: list[Future[None]]) -> None:
    """Raises what ended the search; the others were stopped for its sake."""
    errors = [error for run in runs if not run.cancelled() and (error := run.exception())]
    own = [error for error in errors if not isinstance(error, InterruptedByUserError)]
    for error in (*own, *errors):
        raise error
