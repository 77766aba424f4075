"""The daemon: one per home. Watcher, scheduler and worker, and how they start and stop together."""

import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from catalog import queue
from catalog.clock import now
from catalog.database import Catalog
from catalog.errors import CodedError, LockedError
from catalog.home import Home
from catalog.schema import State
from catalog.settings import Settings
from daemon.captioner.base import Captioner
from daemon.captioner.checkpoints import Checkpoint, find_checkpoint
from daemon.pipeline import Progress
from daemon.scheduler import make_scheduler
from daemon.volumes import ignore_lease_breaks
from daemon.watcher import Watcher
from daemon.worker import Outcome, Worker

logger = logging.getLogger(__name__)

_LOCK_TRIES = 20
_IDLE_SECONDS = 60.0
_AFTER_ERROR_SECONDS = 5.0


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Holds the home for one daemon. Raises `LockedError` with the other's process id."""
    home.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with home.lock_file.open("a+") as lock:
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # a daemon, or a reader that only looks whether there is one
                time.sleep(0.05)
        else:
            lock.seek(0)
            raise LockedError(
                f"a haeseol daemon (process {lock.read().strip() or 'unknown'}) works on "
                f"{home.data_dir} already; stop it first, or let it do the work"
            )
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def load_captioner(checkpoint: Checkpoint, settings: Settings) -> Captioner:
    """Loads a model. Raises `CodedError` (model_unavailable, gpu_out_of_memory)."""
    # Torch takes seconds and half a gigabyte: it is imported by the first job, not by the start.
    from daemon.captioner.local import LocalCaptioner

    logger.info("loading the model %s (%s)", checkpoint.name, checkpoint.quantization)
    return LocalCaptioner(checkpoint, device=settings.device, batch_size=settings.batch_size)


class Service:
    """Watcher, scheduler and worker of one home."""

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        on_progress: Callable[[Path, Progress], None] = lambda path, progress: None,
        open_captioner: Callable[[str], Captioner] | None = None,
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.stop = threading.Event()
        self.wake = threading.Event()
        self.interrupted = False
        """Whether it was Ctrl+C that said stop."""
        self.watcher = Watcher(catalog, settings, on_new_job=self.wake.set)
        opener = open_captioner or self._open_captioner
        self.worker = Worker(catalog, settings, opener, self.stop, on_progress)

    def _open_captioner(self, model: str) -> Captioner:
        checkpoint = find_checkpoint(self.settings, self.catalog.home, model or None)
        return load_captioner(checkpoint, self.settings)

    def run(self) -> Outcome:
        """Works until a signal says stop."""
        with self._started():
            thread = threading.Thread(
                target=self.watcher.run, args=(self.stop,), name="watcher", daemon=True
            )
            scheduler = make_scheduler(
                self.catalog, self.settings, self.watcher, self.worker, self.wake.set
            )
            self.watcher.watch_folders()
            self.watcher.ask_reconcile()
            thread.start()
            scheduler.start()
            try:
                self._work()
            finally:
                self.stop.set()
                scheduler.pause()
                thread.join(timeout=20)
                scheduler.shutdown(wait=True)
        return self.worker.outcome

    def _work(self) -> None:
        while not self.stop.is_set():
            self.wake.clear()
            if not self._run_next():
                self.wake.wait(self._idle_seconds())

    def _run_next(self) -> bool:
        """Runs a job. A catalog that cannot be written now is waited for, not died of."""
        try:
            return self.worker.run_next()
        except SQLAlchemyError as error:
            logger.warning("the catalog cannot be written (%s); trying again", error)
            self.stop.wait(_AFTER_ERROR_SECONDS)
            return True

    def _idle_seconds(self) -> float:
        resting = self.worker.rests_until - time.monotonic()
        if resting > 0:
            return resting
        try:
            with self.catalog.write() as session:
                due = None if queue.is_paused(session) else queue.next_due(session)
        except SQLAlchemyError:
            return _AFTER_ERROR_SECONDS
        if due is None:
            return _IDLE_SECONDS
        return min(max(due - time.time(), 0.2), _IDLE_SECONDS)

    def run_until_idle(self, on_waiting: Callable[[int], None] = lambda files: None) -> Outcome:
        """Catches up with the folders, waits for files to rest, works until nothing is due.

        Ends early where the machine can do no job at all; the outcome's `fault` says why.
        """
        with self._started():
            self.watcher.ask_reconcile()
            while not self.stop.is_set() and self.worker.outcome.fault is None:
                self.watcher.turn(self.stop.is_set)
                if self._run_next():
                    continue
                if not self.watcher.waiting:
                    break
                on_waiting(self.watcher.waiting)
                self.stop.wait(0.2)
            self.watcher.close()
        return self.worker.outcome

    @contextmanager
    def _started(self) -> Iterator[None]:
        with locked(self.catalog.home), self._signals():
            with self.catalog.write() as session:
                # Whoever ran them is dead: nobody but the holder of the lock runs jobs.
                recovered = queue.recover(session, everything=True)
                session.merge(State(key="daemon", value=self._identity(), updated_at=now()))
            if recovered:
                logger.info("%d interrupted jobs go on where they stopped", recovered)
            yield

    def _identity(self) -> dict[str, object]:
        try:
            model = find_checkpoint(self.settings, self.catalog.home).name
        except CodedError:
            model = self.settings.model
        return {"pid": os.getpid(), "model": model, "started_at": now()}

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM only set a flag: the worker gives its job back, then all ends in order."""

        def on_signal(number: int, frame: FrameType | None) -> None:
            self.interrupted = number == signal.SIGINT
            self.stop.set()
            self.wake.set()

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        ignore_lease_breaks()
        before = {
            number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
