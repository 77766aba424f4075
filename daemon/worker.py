"""The worker: claims one job after the other, keeps its lease alive, and turns errors into rows."""

import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError

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


class Outcome:
    """What became of the jobs of one run."""

    def __init__(self) -> None:
        self.done: list[Path] = []
        self.failed: dict[Path, CodedError] = {}


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

    def run_next(self) -> bool:
        """Runs the next due job to its end. Returns False if there is none."""
        with self.catalog.write() as session:
            job = queue.claim(session)
            if job is None:
                return False
            raw_path = library.online_path(session, job.video_id) or b""
            folder = library.folder_of(session, raw_path)
            prompt = job.prompt or (folder.prompt if folder else None) or ""
        self._run(job, Path(os.fsdecode(raw_path)), prompt)
        return True

    def _run(self, job: ClaimedJob, path: Path, prompt: str) -> None:
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
            self._fail(job, path, _coded(error, path))
        else:
            self.outcome.failed.pop(path, None)
            self.outcome.done.append(path)
            logger.info("captioned %s", path, extra={"action": "finish_job", "job": job.id})

    def _captioner_for(self, model: str) -> Captioner:
        """The loaded model, or another one in its place: two would not fit into one card."""
        if self._captioner is None or self._captioner[0] != model:
            self._captioner = None
            self._captioner = (model, self._open_captioner(model))
        return self._captioner[1]

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
                    self._beat(job, progress)
                except LeaseLostError:
                    lost.set()
                    return
                except OperationalError:
                    logger.warning("the catalog is busy; the heartbeat is tried again")

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield lambda: self.stop.is_set() or lost.is_set()
        finally:
            ended.set()
            thread.join()
        self._on_progress(path, progress)

    def _beat(self, job: ClaimedJob, progress: Progress) -> None:
        with self.catalog.write() as session:
            queue.heartbeat(
                session,
                job,
                progress=progress.share,
                scenes_done=progress.scenes_done,
                scenes_total=progress.scenes_total,
            )


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
