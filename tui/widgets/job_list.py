"""The queue: what runs, what waits, and what failed."""

from array import array
from collections.abc import Sequence

from catalog.language import tr
from catalog.terminal import status_word
from catalog.views import JobView
from tui.safe_text import shown
from tui.widgets.row_list import MarkList, Piece
from tui.words import column, error_word, progress_bar, status_width

TONES = {"running": "row--busy", "queued": "row--dim", "failed": "row--bad", "dead": "row--bad"}
PROGRESS = 24


class JobList(MarkList):
    """Jobs in the order in which they run."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(widget_id)
        self.jobs: Sequence[JobView] = ()

    def set_jobs(self, jobs: Sequence[JobView]) -> None:
        """Takes the jobs of now. Marks of jobs that are gone go with them."""
        self.jobs = jobs
        self.marks &= {job.id for job in jobs}
        self.set_ids(array("q", (job.id for job in jobs)))

    @property
    def job(self) -> JobView | None:
        """The job under the cursor."""
        return self.jobs[self.cursor] if self.cursor < len(self.jobs) else None

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """State, progress or error, file name, tries and model."""
        job = self.jobs[index]
        tone = TONES.get(job.state, "")
        what = ""
        if job.state == "running":
            what = progress_bar(job.progress)
        elif job.error_code:
            what = error_word(job.error_code)
        name = job.path.rsplit("/", 1)[-1]
        return [
            (column(status_word(job.state), status_width()) + "  ", tone),
            (column(what, PROGRESS) + "  ", tone),
            (column(str(job.attempts), 4, right=True) + "  ", "row--dim"),
            (column(shown(name), max(16, width - PROGRESS - 40)) + "  ", ""),
            (shown(job.model), "row--dim"),
        ]


def heading(width: int) -> str:
    """The names of the columns."""
    return (
        f"  {column(tr('status'), status_width())}  {column(tr('progress'), PROGRESS)}"
        f"  {column(tr('tries'), 4, right=True)}  "
        + column(tr("video"), max(16, width - 2 - PROGRESS - 40))
        + "  "
        + tr("model")
    )
