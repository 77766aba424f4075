"""What the full screens have in common: a title, and texts that can be edited."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from catalog.errors import NotFoundError
from catalog.language import tr
from catalog.terminal import clock_time
from tui import changes
from tui.keymap import Action
from tui.safe_text import shown
from tui.widgets.bars import TitleBar
from tui.widgets.scene_list import Subject

if TYPE_CHECKING:
    from tui.app import HaeseolApp


class Place(Screen[None]):
    """A full screen."""

    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-hidden"), (80, "-narrow"), (100, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        # Widgets that threads and timers answer to are attributes: while the program ends, their
        # last messages come when the widgets cannot be queried any more.
        self.title_bar = TitleBar()

    @property
    def haeseol(self) -> "HaeseolApp":
        """The application, by its own type."""
        return cast("HaeseolApp", self.app)

    # What a subclass says -------------------------------------------------------------------------

    def place(self) -> Sequence[str]:
        """Where one is, from the outside in; safe to show."""
        return (tr("haeseol"),)

    def facts(self) -> Iterator[str]:
        """How things stand here, the most important first."""
        yield from ()

    def help_sections(self) -> Sequence[tuple[str, Sequence[Action]]]:
        """The actions of this place under titles in the chosen language."""
        return ()

    def catalog_changed(self) -> None:
        """The catalog was written to."""

    def subject(self) -> Subject | None:
        """The text under the cursor."""
        return None

    def chosen_videos(self) -> Sequence[int]:
        """The videos that an action works on."""
        return ()

    # Title ----------------------------------------------------------------------------------------

    def show_title(self) -> None:
        """Writes the top line anew."""
        if self.is_mounted:
            self.title_bar.show(self.place(), [*self.facts(), *self._daemon_facts()])

    def _daemon_facts(self) -> Iterator[str]:
        status = self.haeseol.status
        if status is None:
            return
        if status.paused:
            yield tr("queue paused")
        if status.held:
            yield tr("resting: {reason}", reason=shown(status.held))
        yield tr("daemon: running") if status.daemon_running else tr("daemon: stopped")
        counts = status.queue
        waiting, failed = counts["queued"], counts["failed"] + counts["dead"]
        if counts["running"]:
            yield tr("working {count}", count=counts["running"])
        if waiting and status.backlog_seconds and status.daemon_running:
            time = clock_time(status.backlog_seconds)
            yield tr("waiting {count}, about {time}", count=waiting, time=time)
        elif waiting:
            yield tr("waiting {count}", count=waiting)
        if failed:
            yield tr("failed {count}", count=failed)

    # Texts ----------------------------------------------------------------------------------------

    def action_edit(self) -> None:
        """Opens the text under the cursor."""
        from tui.screens.editor import Editor

        subject = self.subject()
        if subject is not None:
            self.app.push_screen(Editor(subject))

    def action_undo(self) -> None:
        """Takes the newest text under the cursor back."""
        subject = self.subject()
        if subject is not None:
            change = partial(changes.undo_text, subject=subject)
            self.haeseol.write(change, self._undone, self._not_undone)

    def _undone(self, text: str) -> None:
        no_text = tr("Undone: there is no text now.")
        self.haeseol.tell(tr("Undone: the text before is back.") if text else no_text)

    def _not_undone(self, error: Exception) -> None:
        if isinstance(error, NotFoundError):
            self.haeseol.tell(tr("There is nothing to undo here."))
        else:
            self.haeseol.show_error(error)

    # Captioning again -----------------------------------------------------------------------------

    def action_recaption(self) -> None:
        """Asks how, then queues the chosen videos."""
        from tui.screens.recaption import RecaptionDialog

        video_ids = list(self.chosen_videos())
        if video_ids:
            self.app.push_screen(RecaptionDialog(len(video_ids)), self._queue(video_ids))

    def _queue(self, video_ids: list[int]) -> Callable[[changes.Request | None], None]:
        def queue_if_asked(request: changes.Request | None) -> None:
            if request is not None:
                change = partial(changes.caption_again, video_ids=video_ids, request=request)
                self.haeseol.write(change, self.queued)

        return queue_if_asked

    def queued(self, count: int) -> None:
        """Tells how many videos were queued."""
        self.haeseol.tell(tr("Queued: {count}", count=count))
