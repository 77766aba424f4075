"""The worker: claims jobs, keeps their leases alive, and turns errors into rows."""

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from catalog import library, queue
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode, InterruptedByUserError, LeaseLostError
from catalog.queue import ClaimedJob
from catalog.schema import JobState
from catalog.settings import Settings
from daemon.captioner.base import Engine
from daemon.captioner.process import ModelGoneError
from daemon.captioner.slot import CaptionerSlot, LoadError
from daemon.media.visits import StalledError
from daemon.pipeline import Progress, VideoJob

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
PROGRESS_SECONDS = 1.0
"""How often progress is written while it changes: every write wakes the readers."""

_LEAST_AT_ONCE = 2
"""One job at the model, and one whose frames are decoded meanwhile; with a model that takes batches,
one batch and another one."""
_MOST_AT_ONCE = 8
_END_SECONDS = 10.0
"""How long a stop waits for the jobs in hand before it takes the model from them."""

_REST_SECONDS = (60.0, 300.0, 900.0)
"""How long it rests after the first, second … fault in a row."""


class Outcome:
    """What became of the jobs of one run."""

    def __init__(self) -> None:
        self.done = 0
        self.failed: dict[Path, CodedError] = {}
        self.fault: CodedError | None = None
        """What keeps the machine from doing any job at all, if something does."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A job that was claimed, with what the catalog knows of its file and folder."""

    job: ClaimedJob
    path: Path
    prompt: str
    glossary: str
    alone: bool
    """Whether no other one runs beside it, since one of them may have ended the model's process."""


class Worker:
    """Runs jobs, several at once: while the model writes for one, the frames of others are decoded.

    `open_captioner` loads a model by the name a job asks for, or the configured one for an empty name.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        open_captioner: Callable[[str], Engine],
        stop: threading.Event,
        on_progress: Callable[[Path, Progress], None] = lambda path, progress: None,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.stop = stop
        self.outcome = Outcome()
        self.slot = CaptionerSlot(open_captioner)
        self._on_progress = on_progress
        self._on_end = on_end
        self._lock = threading.Lock()
        self._faults = 0
        self.rests_until = 0.0
        """On the monotonic clock: before then no job is tried, since each would fail."""
        self.held = threading.Event()
        """Set while no job may run, as in quiet hours: jobs in hand are given back."""
        self.running: set[int] = set()
        """The jobs in hand."""
        self._suspects: set[int] = set()
        """Jobs that were in hand when the model's process ended: one of them may be the reason."""
        self._model_in_use = ""
        self._pool = ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="job")

    @property
    def room(self) -> int:
        """How many more jobs it may take in hand now."""
        if self.stop.is_set() or self.held.is_set() or time.monotonic() < self.rests_until:
            return 0
        engine = self.slot.engine
        two_batches = 2 * engine.batch_size if engine else _LEAST_AT_ONCE
        usual = min(max(two_batches, _LEAST_AT_ONCE), _MOST_AT_ONCE)
        at_once = 1 if self._suspects else self.settings.jobs_at_once or usual
        return at_once - len(self.running)

    def start_due(self) -> bool:
        """Starts due jobs in threads of their own while there is room. Returns whether any was."""
        started = False
        while self.room > 0 and (taken := self._claim()) is not None:
            self._pool.submit(self._run_and_leave, taken)
            started = True
        return started

    def run_next(self) -> bool:
        """Runs the next due job to its end, in this thread. Returns False if there is none."""
        taken = self._claim() if self.room > 0 else None
        if taken is not None:
            self._run_and_leave(taken)
        return taken is not None

    def close(self) -> None:
        """Waits until the jobs in hand have ended, which a stop makes soon, and puts the model away."""
        until = time.monotonic() + _END_SECONDS
        while self.running and self.stop.is_set() and time.monotonic() < until:
            time.sleep(0.05)
        if self.running and self.stop.is_set():
            self.slot.abandon()  # its process hangs, and whoever waits for it
        self._pool.shutdown()
        self.slot.close()

    def unload_if_idle(self, seconds: float) -> bool:
        """Puts the model away if no job has needed it for so long. Returns whether it was."""
        if self.running or self.slot.model is None:
            return False
        if time.monotonic() - self.slot.used_at < seconds:
            return False
        self.slot.close()
        return True

    def _claim(self) -> _Taken | None:
        with self.catalog.write() as session:
            loaded = self._model_in_use if self.running else self.slot.model
            job = queue.claim(session, loaded=loaded, in_use=bool(self.running))
            if job is None:
                if not self.running:
                    self._suspects.clear()  # cancelled, or out of reach by now
                return None
            raw_path = library.online_path(session, job.video_id) or b""
            folder = library.folder_of(session, raw_path)
            prompt = job.prompt or (folder.prompt if folder else None) or ""
            glossary = (folder.glossary if folder else None) or ""
        self._model_in_use = job.model
        self.running.add(job.id)
        alone = bool(self._suspects)
        return _Taken(job, Path(os.fsdecode(raw_path)), prompt, glossary, alone)

    def _run_and_leave(self, taken: _Taken) -> None:
        try:
            self._run(taken)
        except Exception as error:
            # Its lease runs out, and then it is taken up again.
            logger.exception("the end of %s could not be written", taken.path)
            self.outcome.failed[taken.path] = _coded(error, taken.path)
        finally:
            self.slot.used_at = time.monotonic()
            self.running.discard(taken.job.id)
            self._on_end()

    def _run(self, taken: _Taken) -> None:
        job, path = taken.job, taken.path
        progress = Progress()
        logger.info("captioning %s", path, extra={"action": "start_job", "job": job.id})
        try:
            with self._kept_alive(job, path, progress) as should_stop:
                VideoJob(
                    catalog=self.catalog,
                    job=job,
                    path=path,
                    prompt=taken.prompt,
                    glossary=taken.glossary,
                    open_captioner=lambda: self.slot.get(job.model),
                    settings=self.settings,
                    progress=progress,
                    should_stop=should_stop,
                ).run()
        except LeaseLostError:
            logger.info("dropped %s: the job was taken away", path, extra={"job": job.id})
        except InterruptedByUserError:
            self._release(job)
            return
        except ModelGoneError as error:
            if not taken.alone:
                logger.warning("%s: %s", error.code, error, extra={"job": job.id})
                self._suspects.add(job.id)
                self._release(job)
                return
            self._end_badly(job, path, error)
        except Exception as error:
            if _is_busy(error):
                logger.warning("the catalog is locked; %s is taken up again", path)
                self._release(job)
                return
            self._end_badly(job, path, _coded(error, path))
        else:
            with self._lock:
                self._faults, self.outcome.fault = 0, None
                self.outcome.failed.pop(path, None)
                self.outcome.done += 1
            logger.info("captioned %s", path, extra={"action": "finish_job", "job": job.id})
        self._suspects.discard(job.id)

    def _end_badly(self, job: ClaimedJob, path: Path, error: CodedError) -> None:
        if error.code is ErrorCode.VANISHED or isinstance(error, StalledError):
            # Its disk may be unplugged: then the job waits with the video, and costs no try.
            with suppress(LeaseLostError), self.catalog.write() as session:
                queue.release(session, job)
                library.set_online(session, [os.fsencode(path)], online=False)
            logger.warning("%s: %s", error.code, error, extra={"job": job.id})
            self.outcome.failed[path] = error
        elif self._is_machines_fault(job, error):
            self._rest(error)
            self._release(job)
        else:
            self._fail(job, path, error)

    def _rest(self, fault: CodedError) -> None:
        """Tries no job for a while. Jobs that meet the same fault beside each other count once."""
        with self._lock:
            self.outcome.fault = fault
            if time.monotonic() < self.rests_until:
                return
            seconds = _REST_SECONDS[min(self._faults, len(_REST_SECONDS) - 1)]
            self._faults += 1
            self.rests_until = time.monotonic() + seconds
        logger.error("%s: %s. Trying again in %.0f s", fault.code, fault, seconds)

    def _is_machines_fault(self, job: ClaimedJob, error: CodedError) -> bool:
        """Whether every job would fail so. A model that a job chose for itself is its own affair."""
        if error.code is ErrorCode.DISK_FULL:
            return True
        of_model = isinstance(error, LoadError) or error.code is ErrorCode.ENGINE_UNREACHABLE
        return of_model and not job.model

    def _release(self, job: ClaimedJob) -> None:
        try:
            with self.catalog.write() as session:
                queue.release(session, job)
        except LeaseLostError:
            return

    def _fail(self, job: ClaimedJob, path: Path, error: CodedError) -> None:
        try:
            with self.catalog.write() as session:
                state = queue.fail(session, job, error)
        except LeaseLostError:
            return
        self.outcome.failed[path] = error
        again = "" if state is JobState.DEAD else " (will be tried again)"
        logger.warning("%s: %s%s", error.code, error, again, extra={"job": job.id})

    @contextmanager
    def _kept_alive(
        self, job: ClaimedJob, path: Path, progress: Progress
    ) -> Iterator[Callable[[], bool]]:
        """Beats for the job in a thread. Gives the question whether to stop: asked to, or lease lost."""
        ended, lost = threading.Event(), threading.Event()

        def beat() -> None:
            shown, quiet = -1.0, 0.0
            while not ended.wait(PROGRESS_SECONDS):
                self._on_progress(path, progress)
                quiet += PROGRESS_SECONDS
                if progress.share == shown and quiet < HEARTBEAT_SECONDS:
                    continue
                shown, quiet = progress.share, 0.0
                try:
                    with self.catalog.write() as session:
                        progress.report(session, job)
                except LeaseLostError:
                    lost.set()
                    return
                except SQLAlchemyError as error:
                    logger.warning("the heartbeat could not be written (%s); again soon", error)

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield lambda: self.stop.is_set() or self.held.is_set() or lost.is_set()
        finally:
            ended.set()
            thread.join()
            progress.ended = True
            self._on_progress(path, progress)


def _is_busy(error: Exception) -> bool:
    """Whether another program held the catalog for longer than is waited for."""
    return isinstance(error, OperationalError) and "locked" in str(error)


def _coded(error: Exception, path: Path) -> CodedError:
    """The code and sentence for whatever ended a job."""
    if isinstance(error, CodedError):
        return error
    if isinstance(error, MemoryError):
        return CodedError(
            ErrorCode.OUT_OF_MEMORY, f"memory ran out at {path}; lower `frames`, then retry"
        )
    full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    if full or (isinstance(error, OperationalError) and "full" in str(error)):
        return CodedError(
            ErrorCode.DISK_FULL, f"the disk filled up at {path}; free some space, then retry"
        )
    if isinstance(error, OSError):
        return CodedError(
            ErrorCode.UNREADABLE,
            f"{path} cannot be read: {error.strerror or error}; check the disk",
        )
    logger.exception("unexpected error at %s", path)
    return CodedError(
        ErrorCode.DECODER_CRASHED,
        f"{path}: {type(error).__name__}: {error}. Convert the file to H.264 and retry; if it "
        "fails again, report it",
    )
