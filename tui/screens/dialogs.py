"""Small dialogs: help, and questions with a few answers."""

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from catalog.language import tr
from tui import keymap
from tui.keymap import Action, key_names
from tui.widgets.bars import HintBar
from tui.widgets.text_pane import Paragraph, TextPane
from tui.words import column

KEYS = 26


class Help(ModalScreen[None]):
    """The keys of the place one comes from."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.READING)]

    def __init__(self, sections: Sequence[tuple[str, Sequence[Action]]]) -> None:
        super().__init__()
        self._sections = sections

    def compose(self) -> ComposeResult:
        """A page to read."""
        with Vertical(classes="dialog tall"):
            yield Static(tr("Help"), classes="dialog-title", markup=False)
            yield TextPane("help")
            yield HintBar(keymap.READING, everywhere=False)

    def on_mount(self) -> None:
        """Fills the page."""
        lines: list[Paragraph] = []
        for title, actions in self._sections:
            lines += [Text(title, Style(bold=True)), *map(_help_line, actions), Text()]
        lines.append(Text(tr("The letters work in Hangul mode too: ㅓ is j, ㅂ is q.")))
        pane = self.query_one(TextPane)
        pane.can_focus = True
        pane.focus()
        pane.call_after_refresh(pane.show, lines)

    def action_close(self) -> None:
        """Goes back."""
        self.dismiss()


def _help_line(action: Action) -> Paragraph:
    return f"  {column(', '.join(key_names(action)), KEYS)} ", Text(tr(action.label))


class Question(ModalScreen[str]):
    """A text, and answers by key: actions that call `answer`. Returns the one that was chosen."""

    def __init__(self, title: str, paragraphs: Sequence[str], answers: Sequence[Action]) -> None:
        super().__init__()
        self._title = title
        self._paragraphs = paragraphs
        self._answers = answers
        for answer in answers:
            self._bindings.bind(answer.keys, answer.id, answer.label, show=False)

    def compose(self) -> ComposeResult:
        """The text and the answers."""
        with Vertical(classes="dialog tall"):
            yield Static(self._title, classes="dialog-title", markup=False)
            yield TextPane("question")
            yield HintBar(self._answers, everywhere=False)

    def on_mount(self) -> None:
        """Shows the text."""
        pane = self.query_one(TextPane)
        pane.can_focus = True
        pane.focus()
        pane.call_after_refresh(pane.show, [Text(paragraph) for paragraph in self._paragraphs])

    def action_answer(self, answer: str) -> None:
        """Goes back with an answer."""
        self.dismiss(answer)
