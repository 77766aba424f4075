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
from catalog.errors import CodedError, InterruptedByUserError, LockedError
from catalog.home import Home
from catalog.schema import State
from catalog.settings import Settings
from daemon import memory
from daemon.captioner.base import Engine
from daemon.captioner.checkpoints import Checkpoint, find_checkpoint
from daemon.captioner.process import STARTED, ModelProcess
from daemon.indexer import Indexer
from daemon.manners import Manners
from daemon.pipeline import Progress
from daemon.scheduler import make_scheduler
from daemon.volumes import ignore_lease_breaks
from daemon.watcher import Watcher
from daemon.worker import Outcome, Worker

logger = logging.getLogger(__name__)

_LOCK_TRIES = 20
_IDLE_SECONDS = 60.0
_AFTER_ERROR_SECONDS = 5.0
_TURN_SECONDS = 0.2


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


def load_captioner(
    checkpoint: Checkpoint,
    settings: Settings,
    should_stop: Callable[[], bool] = lambda: False,
) -> Engine:
    """Loads a model in a process of its own. Raises `CodedError`, and `InterruptedByUserError`."""
    logger.info("loading the model %s (%s)", checkpoint.name, checkpoint.quantization)
    return ModelProcess(
        checkpoint,
        device=settings.device,
        batch_size=settings.batch_size,
        should_stop=should_stop,
    )


class Service:
    """Watcher, scheduler and worker of one home."""

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        on_progress: Callable[[Path, Progress], None] = lambda path, progress: None,
        open_captioner: Callable[[str], Engine] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """`checkpoint` is the model where the settings of this home shall not say which.

        Raises `UsageError` for settings that contradict each other.
        """
        self._checkpoint = checkpoint
        self.catalog = catalog
        self.settings = settings
        self.stop = threading.Event()
        self.wake = threading.Event()
        self.interrupted = False
        """Whether it was Ctrl+C that said stop."""
        self.watcher = Watcher(catalog, settings, on_new_job=self.wake.set)
        opener = open_captioner or self._open_captioner
        self.worker = Worker(catalog, settings, opener, self.stop, on_progress, self.wake.set)
        self._told_reason: str | None = None
        self._started_some = False
        self.indexer = Indexer(catalog, settings.meaning_model is not None)
        self.manners = Manners(settings, own=self._own_processes)

    def _open_captioner(self, model: str) -> Engine:
        if self._must_not_load():
            raise InterruptedByUserError
        if self.settings.asks_engines(model):
            from daemon.captioner.remote import (
                RemoteCaptioner,
            )  # 12 MB, which others need not spend

            return RemoteCaptioner.from_settings(self.settings, self._must_not_load)
        checkpoint = self._checkpoint or find_checkpoint(
            self.settings, self.catalog.home, model or None
        )
        return load_captioner(checkpoint, self.settings, self._must_not_load)

    def _must_not_load(self) -> bool:
        return self.stop.is_set() or self.worker.held.is_set()

    def _own_processes(self) -> set[int]:
        return {os.getpid(), *STARTED}

    def run(self) -> Outcome:
        """Works until a signal says stop."""
        memory.keep_together()
        with self._started():
            thread = threading.Thread(
                target=self.watcher.run, args=(self.stop,), name="watcher", daemon=True
            )
            scheduler = make_scheduler(self)
            self.mind_manners()
            self.watcher.watch_folders()
            self.watcher.ask_reconcile()
            thread.start()
            scheduler.start()
            try:
                self._work()
            finally:
                self.stop.set()
                scheduler.pause()
                self.worker.close()
                thread.join(timeout=20)
                scheduler.shutdown(wait=True)
                self.indexer.close()
        return self.worker.outcome

    def _work(self) -> None:
        while not self.stop.is_set():
            self.wake.clear()
            self._start_due()
            self.wake.wait(self._idle_seconds())

    def _start_due(self) -> bool:
        """Starts due jobs. A catalog that cannot be written now is waited for, not died of.

        Returns whether it could be looked at.
        """
        try:
            self._started_some = self.worker.start_due()
        except SQLAlchemyError as error:
            logger.warning("the catalog cannot be written (%s); trying again", error)
            self.stop.wait(_AFTER_ERROR_SECONDS)
            return False
        return True

    def _idle_seconds(self) -> float:
        resting = self.worker.rests_until - time.monotonic()
        if resting > 0:
            return resting
        if self.worker.room <= 0 or (self.worker.running and not self._started_some):
            return _IDLE_SECONDS  # the end of a job wakes it
        try:
            with self.catalog.write() as session:
                due = None if queue.is_paused(session) else queue.next_due(session)
        except SQLAlchemyError:
            return _AFTER_ERROR_SECONDS
        if due is None:
            return _IDLE_SECONDS
        return min(max(due - time.time(), 0.2), _IDLE_SECONDS)

    def mind_manners(self) -> None:
        """Leaves the GPU to others, or takes it up again; puts an idle model away."""
        reason = self.manners.reason()
        if reason and not self.worker.held.is_set():
            logger.info("resting: %s", reason)
            self.worker.held.set()
        elif not reason and self.worker.held.is_set():
            logger.info("going on")
            self.worker.held.clear()
            self.wake.set()
        if reason != self._told_reason:
            with self.catalog.write() as session:
                session.merge(State(key="held", value=reason or "", updated_at=now()))
            self._told_reason = reason
        if self.worker.unload_if_idle(0 if reason else self.settings.unload_minutes * 60):
            memory.give_back()
            logger.info("the model was put away")

    def run_until_idle(self, on_waiting: Callable[[int], None] = lambda files: None) -> Outcome:
        """Catches up with the folders, waits for files to rest, works until nothing is due.

        Somebody asked for the work now: quiet hours and other programs on the GPU do not hold it up.
        Ends early where the machine can do no job at all; the outcome's `fault` says why.
        """
        with self._started():
            self.watcher.ask_reconcile()
            try:
                fault = self._catch_up(on_waiting)
                self.indexer.finish(self.stop)
            finally:
                self.indexer.close()
                self.worker.close()
            self.watcher.close()
        # A job that still ended well beside the fault has taken it for over.
        self.worker.outcome.fault = self.worker.outcome.fault or fault
        return self.worker.outcome

    def _catch_up(self, on_waiting: Callable[[int], None]) -> CodedError | None:
        """Works until nothing is due. Returns what keeps the machine from doing any job at all."""
        while not self.stop.is_set():
            if self.worker.outcome.fault is not None:
                return self.worker.outcome.fault
            self.watcher.turn(self.stop.is_set)
            self.wake.clear()
            # Asked for first: a job that ends during the look leaves room that the look did not see.
            busy = bool(self.worker.running)
            self.indexer.look()
            if not self._start_due() or busy or self.worker.running:
                self.wake.wait(_TURN_SECONDS)
                continue
            if not self.watcher.waiting:
                break
            on_waiting(self.watcher.waiting)
            self.stop.wait(_TURN_SECONDS)
        return None

    @contextmanager
    def _started(self) -> Iterator[None]:
        with locked(self.catalog.home), self._signals():
            with self.catalog.write() as session:
                # Whoever ran them is dead: nobody but the holder of the lock runs jobs.
                recovered = queue.recover(session, everything=True)
                session.merge(State(key="daemon", value=self._identity(), updated_at=now()))
                session.merge(State(key="held", value="", updated_at=now()))
            if recovered:
                logger.info("%d interrupted jobs go on where they stopped", recovered)
            yield

    def _identity(self) -> dict[str, object]:
        return {"pid": os.getpid(), "model": self._model_name(), "started_at": now()}

    def _model_name(self) -> str:
        if self.settings.asks_engines():
            return self.settings.engine_model or "remote"
        try:
            return find_checkpoint(self.settings, self.catalog.home).name
        except CodedError:
            return self.settings.model

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
