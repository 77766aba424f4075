"""The dialog that asks how to caption again."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from catalog.errors import UsageError
from catalog.language import tr
from catalog.prompts import custom
from tui import keymap
from tui.changes import Request
from tui.safe_text import shown
from tui.widgets.bars import HintBar
from tui.widgets.text_boxes import LineBox

MOST_FRAMES = 64


class RecaptionDialog(ModalScreen[Request | None]):
    """Model, prompt and frames. Returns None if the person left."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.RECAPTION)]

    def __init__(self, videos: int) -> None:
        super().__init__()
        self._videos = videos

    def compose(self) -> ComposeResult:
        """Three fields."""
        with Vertical(classes="dialog"):
            title = tr("Caption again (videos: {count})", count=self._videos)
            yield Static(title, classes="dialog-title", markup=False)
            for name, label, hint in (
                ("model", tr("Model"), tr("as set up")),
                ("prompt", tr("Prompt"), tr("the built-in one")),
                ("frames", tr("Frames"), tr("as the model likes (1-64)")),
            ):
                with Horizontal(classes="field"):
                    yield Static(label, classes="label", markup=False)
                    yield LineBox(placeholder=hint, id=name, compact=True)
            notes = [
                tr("Texts that people edited stay; the new one waits beside them."),
                tr("Earlier texts stay in the history."),
            ]
            yield Static("\n".join(notes), classes="note", markup=False)
            yield Static("", id="problem", markup=False)
            yield HintBar(keymap.RECAPTION, everywhere=False)

    def on_mount(self) -> None:
        """Begins at the first field."""
        self.query_one("#model").focus()

    @on(Input.Submitted)
    def action_start(self) -> None:
        """Returns the request, or says what is wrong with it."""
        try:
            self.dismiss(self._request())
        except UsageError as error:
            self.query_one("#problem", Static).update(shown(str(error)), layout=False)

    def action_cancel(self) -> None:
        """Goes back."""
        self.dismiss(None)

    def _request(self) -> Request:
        model, prompt, frames = (
            self.query_one(f"#{name}", LineBox).value.strip()
            for name in ("model", "prompt", "frames")
        )
        if frames and not (frames.isdecimal() and 1 <= int(frames) <= MOST_FRAMES):
            raise UsageError(tr("Frames is a number from 1 to 64."))
        if prompt:
            custom(prompt)
        return Request(model, prompt, int(frames) if frames else None)
