"""The queue: what runs, waits and failed, and what to do about it."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import Static

from catalog.database import Catalog
from catalog.language import tr
from catalog.views import JobView
from tui import changes, keymap
from tui.keymap import Action
from tui.reader import read_jobs
from tui.safe_text import shown
from tui.screens.place import Place
from tui.widgets.bars import Heading, HintBar
from tui.widgets.job_list import JobList, heading
from tui.widgets.row_list import MarkList, RowList
from tui.words import advice


class QueueScreen(Place):
    """The jobs that have not ended well yet."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.QUEUE)]

    class JobsRead(Message):
        """The queue, read anew."""

        def __init__(self, jobs: list[JobView]) -> None:
            super().__init__()
            self.jobs = jobs

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self._catalog = catalog
        self._jobs = JobList("jobs")
        self._detail = Static("", id="job", markup=False)

    def compose(self) -> ComposeResult:
        """Title, columns, jobs, what is known of the one under the cursor, keys."""
        yield self.title_bar
        yield Heading(heading)
        yield self._jobs
        yield self._detail
        yield HintBar(keymap.QUEUE)

    def on_mount(self) -> None:
        """Reads the queue."""
        jobs = self._jobs
        jobs.empty_text = (tr("Reading."),)
        jobs.focus()
        self.show_title()
        self.catalog_changed()

    def place(self) -> Sequence[str]:
        """The queue."""
        return (tr("haeseol"), tr("queue"))

    def facts(self) -> Iterator[str]:
        """Marks."""
        marks = self._jobs.marks
        if marks:
            yield tr("marked {count}", count=len(marks))

    def help_sections(self) -> Sequence[tuple[str, Sequence[Action]]]:
        """What can be done with jobs."""
        return ((tr("Queue"), (*keymap.QUEUE, *keymap.MOVES)),)

    def catalog_changed(self) -> None:
        """Reads the queue anew, on a thread."""
        self.run_worker(
            lambda: self.post_message(self.JobsRead(read_jobs(self._catalog))),
            thread=True,
            group="jobs",
            exclusive=True,
            exit_on_error=False,
        )

    @on(JobsRead)
    def _show(self, message: JobsRead) -> None:
        jobs = self._jobs
        jobs.empty_text = (tr("The queue is empty: every video has had its turn."),)
        jobs.set_jobs(message.jobs)
        self.show_title()

    @on(MarkList.MarksChanged)
    def _count_marks(self) -> None:
        self.show_title()

    @on(RowList.Moved)
    def _show_job(self) -> None:
        job = self._jobs.job
        self._detail.update(_describe(job), layout=False)

    # Actions --------------------------------------------------------------------------------------

    def action_retry(self) -> None:
        """Makes the chosen jobs due now."""
        job_ids = self._jobs.chosen()
        if job_ids:
            self.haeseol.write(partial(changes.retry_jobs, job_ids=job_ids), self._retried)

    def _retried(self, count: int) -> None:
        self._done(tr("Due again: {count}", count=count))

    def action_cancel(self) -> None:
        """Takes the chosen jobs out."""
        job_ids = self._jobs.chosen()
        if job_ids:
            self.haeseol.write(partial(changes.cancel_jobs, job_ids=job_ids), self._cancelled)

    def _cancelled(self, count: int) -> None:
        self._done(tr("Cancelled: {count}", count=count))

    def _done(self, message: str) -> None:
        self._jobs.action_unmark_all()
        self.haeseol.tell(message)

    def action_pause(self) -> None:
        """Pauses the queue or lets it go on."""
        self.haeseol.write(changes.toggle_pause, self._paused)

    def _paused(self, paused: bool) -> None:
        going_on = tr("The queue goes on.")
        self.haeseol.tell(tr("Paused: what runs goes on to its end.") if paused else going_on)

    @on(RowList.Opened)
    def action_open(self) -> None:
        """Shows the scenes of the job's video."""
        from tui.screens.video import VideoScreen

        job = self._jobs.job
        if job is not None:
            self.app.push_screen(VideoScreen(self._catalog, job.video_id, None, ()))

    def action_back(self) -> None:
        """Goes back."""
        self.dismiss()


def _describe(job: JobView | None) -> str:
    if job is None:
        return ""
    if job.error_code is None:
        return shown(job.path)
    return f"{shown(job.error_message or job.path)}\n{advice(job.error_code)}"
