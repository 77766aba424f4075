"""The application: the screens' common ground for keys, reading, writing and live refresh."""

import tui.terminal  # noqa: F401, I001  (before Textual)

import asyncio
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.theme import Theme
from textual.widgets import Input, TextArea
from textual.worker import Worker, WorkerState

from catalog import overview
from catalog.database import Catalog
from catalog.language import tr
from catalog.views import StatusView
from tui import keymap
from tui.hangul_keys import latin_keys
from tui.reader import Reader, read_status
from tui.safe_text import shown
from tui.screens.catalog import CatalogScreen
from tui.screens.dialogs import Help
from tui.screens.place import Place

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

POLL_SECONDS = 0.25
DAEMON_POLLS = 8
"""Every so many polls it is looked whether the daemon lives: its death writes nothing."""
SECOND_PRESS_SECONDS = 2.0

DARK = Theme(
    name="haeseol-dark",
    primary="#7aa2f7",
    secondary="#3d59a1",
    accent="#e0af68",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#d5d9e8",
    background="#16181f",
    surface="#1c1f29",
    panel="#242835",
)

T = TypeVar("T")


class HaeseolApp(App[int]):
    """The catalog on the screen."""

    TITLE = "haeseol"
    CSS_PATH = "styles.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *keymap.bindings(keymap.EVERYWHERE),
        Binding("ctrl+q", "leave", "quit", show=False),
        Binding("ctrl+c", "interrupt", "quit", show=False, system=True),
    ]

    class Written(Message):
        """A writing thread has ended. `then` runs on the interface's thread."""

        def __init__(self, then: Callable[[], None]) -> None:
            super().__init__()
            self.then = then

    class StatusRead(Message):
        """The state of the whole, read anew."""

        def __init__(self, status: StatusView) -> None:
            super().__init__()
            self.status = status

    def __init__(self, catalog: Catalog) -> None:
        super().__init__()
        self.catalog = catalog
        self.reader = Reader(catalog)
        self.status: StatusView | None = None
        self._polls = 0
        self._interrupted_at = 0.0
        self._hangul_told = False

    # Life -----------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Chooses colours, opens the list, and begins to watch the catalog."""
        self.register_theme(DARK)
        few_colours = self.console.color_system in (None, "standard")
        self.theme = "ansi-dark" if few_colours else DARK.name
        self.push_screen(CatalogScreen(self.catalog, self.reader))
        self.read_status()
        self.set_interval(POLL_SECONDS, self._poll)
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self.exit)

    def on_unmount(self) -> None:
        """Lets the catalog go."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(number)
        self.reader.close()

    def _poll(self) -> None:
        self._polls += 1
        if self.reader.changed():
            self.read_status()
            for screen in self.screen_stack:
                if isinstance(screen, Place):
                    screen.catalog_changed()
        elif self._polls % DAEMON_POLLS == 0 and self._daemon_came_or_went():
            self.read_status()

    def _daemon_came_or_went(self) -> bool:
        known = self.status is not None and self.status.daemon_running
        return overview.daemon_running(self.catalog.home) != known

    # Reading and writing --------------------------------------------------------------------------

    def read_status(self) -> None:
        """Reads the state of the whole on a thread."""
        self.run_worker(
            lambda: self.post_message(self.StatusRead(read_status(self.catalog))),
            thread=True,
            group="status",
            exclusive=True,
            exit_on_error=False,
        )

    def on_haeseol_app_status_read(self, message: StatusRead) -> None:
        """Shows it."""
        self.status = message.status
        for screen in self.screen_stack:
            if isinstance(screen, Place):
                screen.show_title()

    def write(
        self,
        change: "Callable[[Session], T]",
        done: Callable[[T], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Runs a change in one transaction on a thread, then `done` or `failed` on this one.

        Not exclusive: that would drop a change that waits for its turn.
        """
        self.run_worker(
            partial(self._write, change, done, failed or self.show_error),
            thread=True,
            group="writing",
            exit_on_error=False,
        )

    def _write(
        self,
        change: "Callable[[Session], T]",
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        try:
            with self.catalog.write() as session:
                result = change(session)
        except Exception as error:  # whatever it was, the person must learn that nothing was saved
            self.post_message(self.Written(partial(failed, error)))
        else:
            self.post_message(self.Written(partial(done, result)))

    def on_haeseol_app_written(self, message: Written) -> None:
        """Goes on where the change began."""
        message.then()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tells of a thread that failed."""
        if event.state is WorkerState.ERROR and isinstance(event.worker.error, Exception):
            self.show_error(event.worker.error)

    # What a person reads --------------------------------------------------------------------------

    def tell(self, message: str) -> None:
        """Shows a short message."""
        self.notify(shown(message, lines=True), markup=False)

    def show_error(self, error: Exception) -> None:
        """Shows what went wrong."""
        text = str(error) or type(error).__name__
        self.notify(shown(text, lines=True), severity="error", markup=False, timeout=10)

    # Keys -----------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Reads shortcuts typed in Hangul mode as the keys they lie on."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            typing = isinstance(self.focused, Input | TextArea)
            keys = latin_keys(event.key, typing=typing)
            if keys:
                self._tell_of_hangul(event.key, keys)
                for key in keys:
                    await super().on_event(events.Key(key, key if len(key) == 1 else None))
                return
        await super().on_event(event)

    def _tell_of_hangul(self, typed: str, keys: tuple[str, ...]) -> None:
        if not self._hangul_told:
            self._hangul_told = True
            self.tell(tr("Hangul mode: {typed} = {keys}", typed=typed, keys=" ".join(keys)))

    def action_help(self) -> None:
        """Shows the keys of this place."""
        if isinstance(self.screen, Place):
            self.push_screen(
                Help([*self.screen.help_sections(), ("Everywhere", keymap.EVERYWHERE)])
            )

    def action_leave(self) -> None:
        """Ends the program; the daemon goes on."""
        self.exit(0)

    def action_interrupt(self) -> None:
        """Ends the program when it comes twice."""
        now = time.monotonic()
        if now - self._interrupted_at < SECOND_PRESS_SECONDS:
            self.exit(0)
        self._interrupted_at = now
        self.tell(tr("Press Ctrl+C again to quit."))
