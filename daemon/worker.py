"""The worker: claims one job after the other, keeps its lease alive, and turns errors into rows."""

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from catalog import library, queue
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode, LeaseLostError
from catalog.queue import ClaimedJob
from catalog.schema import JobState
from catalog.settings import Settings
from daemon.captioner.base import Captioner, InterruptedByUserError
from daemon.pipeline import Progress, VideoJob

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
PROGRESS_SECONDS = 1.0
"""How often progress is written while it changes: every write wakes the readers."""


_REST_SECONDS = (60.0, 300.0, 900.0)
"""How long it rests after the first, second … fault in a row."""


class Outcome:
    """What became of the jobs of one run."""

    def __init__(self) -> None:
        self.done = 0
        self.failed: dict[Path, CodedError] = {}
        self.fault: CodedError | None = None
        """What keeps the machine from doing any job at all, if something does."""


class Worker:
    """Runs jobs in the calling thread, one at a time.

    `open_captioner` loads a model by the name a job asks for, or the configured one for an empty name.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        open_captioner: Callable[[str], Captioner],
        stop: threading.Event,
        on_progress: Callable[[Path, Progress], None] = lambda path, progress: None,
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.stop = stop
        self.outcome = Outcome()
        self._open_captioner = open_captioner
        self._captioner: tuple[str, Captioner] | None = None
        self._on_progress = on_progress
        self._faults = 0
        self.rests_until = 0.0
        """On the monotonic clock: before then no job is tried, since each would fail."""
        self.job_id: int | None = None
        """The job in hand."""

    def run_next(self) -> bool:
        """Runs the next due job to its end. Returns False if there is none, or while it rests."""
        if time.monotonic() < self.rests_until:
            return False
        with self.catalog.write() as session:
            job = queue.claim(session)
            if job is None:
                return False
            raw_path = library.online_path(session, job.video_id) or b""
            folder = library.folder_of(session, raw_path)
            prompt = job.prompt or (folder.prompt if folder else None) or ""
            glossary = (folder.glossary if folder else None) or ""
        self.job_id = job.id
        try:
            self._run(job, Path(os.fsdecode(raw_path)), prompt, glossary)
        finally:
            self.job_id = None
        return True

    def _run(self, job: ClaimedJob, path: Path, prompt: str, glossary: str) -> None:
        progress = Progress()
        logger.info("captioning %s", path, extra={"action": "start_job", "job": job.id})
        try:
            with self._kept_alive(job, path, progress) as should_stop:
                captioner = self._captioner_for(job.model)
                video_job = VideoJob(
                    catalog=self.catalog,
                    job=job,
                    path=path,
                    prompt=prompt,
                    glossary=glossary,
                    captioner=captioner,
                    settings=self.settings,
                    progress=progress,
                    should_stop=should_stop,
                )
                video_job.run()
        except LeaseLostError:
            logger.info("dropped %s: the job was taken away", path, extra={"job": job.id})
        except InterruptedByUserError:
            self._release(job)
        except Exception as error:
            self._end_badly(job, path, _coded(error, path))
        else:
            self._faults, self.outcome.fault = 0, None
            self.outcome.failed.pop(path, None)
            self.outcome.done += 1
            logger.info("captioned %s", path, extra={"action": "finish_job", "job": job.id})

    def _captioner_for(self, model: str) -> Captioner:
        """The loaded model, or another one in its place: two would not fit into one card."""
        if self._captioner is None or self._captioner[0] != model:
            self._captioner = None
            self._captioner = (model, self._open_captioner(model))
        return self._captioner[1]

    def _end_badly(self, job: ClaimedJob, path: Path, error: CodedError) -> None:
        if error.code is ErrorCode.VANISHED:
            # Its disk may be unplugged: then the job waits with the video, and costs no try.
            self._release(job)
            with self.catalog.write() as session:
                library.set_online(session, [os.fsencode(path)], online=False)
            logger.warning("%s: %s", error.code, error, extra={"job": job.id})
            self.outcome.failed[path] = error
        elif self._is_machines_fault(job, error):
            self._release(job)
            seconds = _REST_SECONDS[min(self._faults, len(_REST_SECONDS) - 1)]
            self._faults += 1
            self.rests_until = time.monotonic() + seconds
            self.outcome.fault = error
            logger.error("%s: %s. Trying again in %.0f s", error.code, error, seconds)
        else:
            self._fail(job, path, error)

    def _is_machines_fault(self, job: ClaimedJob, error: CodedError) -> bool:
        """Whether every job would fail so. A model that a job chose for itself is its own affair."""
        unloaded = self._captioner is None and not job.model
        return error.code is ErrorCode.DISK_FULL or (
            unloaded and error.code in (ErrorCode.MODEL_UNAVAILABLE, ErrorCode.GPU_OUT_OF_MEMORY)
        )

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
            yield lambda: self.stop.is_set() or lost.is_set()
        finally:
            ended.set()
            thread.join()
        self._on_progress(path, progress)


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
