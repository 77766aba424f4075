"""The processes that read texts for search while the daemon runs.

The analyser takes 330 MB and holds the interpreter while it loads, so it lives in a process of its own,
which ends once no text has come for a while. So does search by meaning, where it is switched on: its turn
comes when the analyser has nothing left to do, and its processes step back behind all others.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from catalog.database import Catalog
from catalog.home import Home
from catalog.search.index.indexing import waiting
from catalog.sqlite import sqlite3

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 120
_AFTER_FAILURE_SECONDS = 60.0
_MEANING_SECONDS = 600.0
"""Where texts never stop coming, they are read for search by meaning so often."""
_MEANING_AFTER_FAILURE_SECONDS = 3600.0
"""A model that does not load will not load in a minute either."""
_NICENESS = 10
_END_SECONDS = 10.0
_TURN_SECONDS = 0.2


class Indexer:
    """Starts the processes when texts wait for them, and ends them with the daemon."""

    def __init__(self, catalog: Catalog, by_meaning: bool = False) -> None:
        self._catalog = catalog
        self._words = _Child(catalog.home, "update", _AFTER_FAILURE_SECONDS)
        self._meaning = _Child(catalog.home, "meaning", _MEANING_AFTER_FAILURE_SECONDS)
        self._unread = by_meaning
        """Whether there may be texts that were not read for search by meaning. At first, nobody knows."""
        self._by_meaning = by_meaning
        self._meaning_due_at = 0.0

    def look(self) -> bool:
        """Starts what is due and does not run. Returns whether texts wait for the analyser."""
        try:
            with self._catalog.read() as connection:
                left = waiting(connection)
        except sqlite3.Error as error:
            logger.warning("the search index cannot be looked at (%s)", error)
            return False
        if not self._words.runs(worth_saying=left > 0) and left:
            self._words.start("--follow", str(FOLLOW_SECONDS))
        if self._by_meaning:
            self._look_at_meaning(left)
        return left > 0

    def _look_at_meaning(self, left: int) -> None:
        busy = left > 0 or self._words.runs()
        self._unread = self._unread or busy
        if self._meaning.runs():
            return
        if not self._meaning.may_start:
            self._unread = True  # it failed, so what it was started for is left
        if not self._unread:
            return
        if not busy or (not left and time.monotonic() >= self._meaning_due_at):
            self._meaning_due_at = time.monotonic() + _MEANING_SECONDS
            self._unread = not self._meaning.start()

    def finish(self, should_stop: threading.Event) -> None:
        """Waits until every text has been read, for a run that ends."""
        while not should_stop.is_set() and self._words.may_start and self.look():
            should_stop.wait(_TURN_SECONDS)
        self._words.close()
        if self._by_meaning:
            self._wait_for_meaning(should_stop)  # it may have begun before the last texts came
            self._meaning.start()
            self._wait_for_meaning(should_stop)
        self.close()

    def _wait_for_meaning(self, should_stop: threading.Event) -> None:
        while not should_stop.is_set() and self._meaning.runs():
            should_stop.wait(_TURN_SECONDS)

    def close(self) -> None:
        """Ends the processes. What they had not written yet waits for the next ones."""
        self._words.close()
        self._meaning.close()


class _Child:
    """`haeseol index ACTION` in a process of its own; after a failure, not again for a while."""

    def __init__(self, home: Home, action: str, after_failure: float) -> None:
        self._home = home
        self._action = action
        self._after_failure = after_failure
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    @property
    def may_start(self) -> bool:
        """Whether its last failure is long enough ago."""
        return time.monotonic() >= self._not_before

    def runs(self, *, worth_saying: bool = True) -> bool:
        """Whether it runs. A failure is logged here, if it is `worth_saying`, and counts then."""
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        self._process = None
        if code and worth_saying:
            logger.warning(
                "reading texts for search failed (exit code %d); trying again in %d minutes."
                " `haeseol index %s` shows why",
                code,
                round(self._after_failure / 60),
                self._action,
            )
            self._not_before = time.monotonic() + self._after_failure
        return False

    def start(self, *options: str) -> bool:
        """Starts it. Returns whether it was time to."""
        if not self.may_start:
            return False
        home = ["--home", str(self._home.data_dir)] if self._home.explicit else []
        command = [sys.executable, "-m", "catalog.cli", *home, "index", self._action, *options]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # A terminal's Ctrl+C is for the daemon, which then ends its children in order.
            start_new_session=True,
        )
        if self._action == "meaning":
            with suppress(OSError):  # it may have ended, and politeness is no condition
                os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICENESS)
        return True

    def close(self) -> None:
        """Ends it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
