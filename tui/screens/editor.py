"""Editing a caption or a scene note."""

from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from catalog.language import tr
from catalog.views import CaptionView, VideoView
from tui import changes, keymap
from tui.reader import read_look
from tui.safe_text import shown, typed
from tui.screens.dialogs import Question
from tui.widgets.bars import HintBar
from tui.widgets.scene_list import Subject, subject_of
from tui.widgets.text_boxes import PageBox
from tui.words import clock

if TYPE_CHECKING:
    from tui.app import HaeseolApp


class Editor(ModalScreen[None]):
    """One text in a box. It saves only over the text that it began from."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.EDITOR)]

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self._subject = subject
        self._original = "" if subject.text is None else shown(subject.text.text, lines=True)
        self._expected_id = None if subject.text is None else subject.text.id
        self._saving = False

    def compose(self) -> ComposeResult:
        """A title, the box, and the keys."""
        with Vertical(classes="dialog tall"):
            yield Static(self._title(), classes="dialog-title", markup=False)
            yield PageBox(self._original, soft_wrap=True, compact=True, id="text")
            yield HintBar(keymap.EDITOR, everywhere=False)

    def on_mount(self) -> None:
        """Puts the cursor at the end, where most edits go on."""
        box = self.query_one(PageBox)
        box.focus()
        box.move_cursor(box.document.end)

    def _title(self) -> str:
        scene = self._subject.scene
        what = tr("Edit the caption") if scene is None else tr("Edit the note")
        when = "" if scene is None else f" {clock(scene.start)}"
        changed = f"  ({tr('not saved')})" if self._changed() else ""
        return f"{what}: {shown(self._subject.title)}{when}{changed}"

    def _changed(self) -> bool:
        return self.is_mounted and self._text() != self._original

    def _text(self) -> str:
        return typed(self.query_one(PageBox).text)

    @on(TextArea.Changed)
    def show_title(self) -> None:
        """Says whether there is something to save."""
        self.query_one(".dialog-title", Static).update(self._title(), layout=False)

    def action_save(self) -> None:
        """Stores the text, and stays open until that is done."""
        app = cast("HaeseolApp", self.app)
        text = self._text()
        if not text.strip():
            app.tell(tr("The text is empty. Undo (u) in the list takes a text back."))
        elif text == self._original:
            self.dismiss()
        elif not self._saving:
            self._saving = True
            change = partial(
                changes.save_text, subject=self._subject, text=text, expected_id=self._expected_id
            )
            app.write(change, self._saved, self._not_saved)

    def _saved(self, _: None) -> None:
        cast("HaeseolApp", self.app).tell(tr("Saved."))
        self.dismiss()

    def _not_saved(self, error: Exception) -> None:
        from catalog.captions import ConflictError  # loaded by the write that failed

        self._saving = False
        app = cast("HaeseolApp", self.app)
        look = read_look(app.catalog, self._subject.video_id, self._subject.scene_id)
        if not isinstance(error, ConflictError) or look.view is None:
            app.show_error(error)
            return
        theirs = _text_of(look.view, self._subject)
        paragraphs = [
            tr(
                "Another text was saved since you began. It stays in the history if you save yours."
            ),
            "",
            tr("The other text:"),
            "-" if theirs is None else shown(theirs.text, lines=True),
            "",
            tr("Your text:"),
            self._text(),
        ]
        question = Question(tr("The text has changed"), paragraphs, keymap.CONFLICT)
        app.push_screen(question, partial(self._after_conflict, theirs))

    def _after_conflict(self, theirs: CaptionView | None, answer: str | None) -> None:
        if answer == "overwrite":
            self._expected_id = None if theirs is None else theirs.id
            self.action_save()
        elif answer == "discard":
            self.dismiss()

    def action_cancel(self) -> None:
        """Leaves; asks first if something would be lost."""
        if not self._changed():
            self.dismiss()
            return
        question = Question(tr("Not saved yet"), [tr("The text was changed.")], keymap.UNSAVED)
        self.app.push_screen(question, self._after_question)

    def _after_question(self, answer: str | None) -> None:
        if answer == "save":
            self.action_save()
        elif answer == "discard":
            self.dismiss()


def _text_of(view: VideoView, subject: Subject) -> CaptionView | None:
    scene = next((scene for scene in view.scenes if scene.id == subject.scene_id), None)
    return subject_of(view, scene).text
