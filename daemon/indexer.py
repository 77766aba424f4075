"""The process that reads texts for search while the daemon runs.

The analyser takes 330 MB and holds the interpreter while it loads, so it lives in a process of its own,
which ends once no text has come for a while.
"""

import logging
import signal
import subprocess
import sys
import threading
import time

from catalog.database import Catalog
from catalog.search.indexing import waiting
from catalog.sqlite import sqlite3

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 120
_AFTER_FAILURE_SECONDS = 60.0
_END_SECONDS = 10.0


class Indexer:
    """Starts the process when texts wait, and ends it with the daemon."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def look(self) -> bool:
        """Starts the process if texts wait and it does not run. Returns whether texts wait."""
        try:
            with self._catalog.read() as connection:
                left = waiting(connection)
        except sqlite3.Error as error:
            logger.warning("the search index cannot be looked at (%s)", error)
            return False
        if self._process is not None and (code := self._process.poll()) is not None:
            self._process = None
            if code and left:
                logger.warning(
                    "reading texts for search failed (exit code %d); trying again. `haeseol index update`"
                    " shows why",
                    code,
                )
                self._not_before = time.monotonic() + _AFTER_FAILURE_SECONDS
        if left and self._process is None and time.monotonic() >= self._not_before:
            self._process = self._started(FOLLOW_SECONDS)
        return left > 0

    def _started(self, seconds: float) -> "subprocess.Popen[bytes]":
        home = self._catalog.home
        arguments = ["--home", str(home.data_dir)] if home.explicit else []
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "catalog.cli",
                *arguments,
                "index",
                "update",
                "--follow",
                str(seconds),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # A terminal's Ctrl+C is for the daemon, which then ends its children in order.
            start_new_session=True,
        )

    def finish(self, should_stop: threading.Event) -> None:
        """Waits until no text waits any more, for a run that ends."""
        while not should_stop.is_set() and time.monotonic() >= self._not_before and self.look():
            should_stop.wait(0.2)
        self.close()

    def close(self) -> None:
        """Ends the process. What it had not written yet waits for the next one."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
