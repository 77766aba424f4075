"""Text boxes for Korean typing."""

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Offset
from textual.widgets import Input, TextArea

from tui import keymap
from tui.safe_text import typed


class LineBox(Input):
    """One line. Text is kept in NFC, and the terminal's cursor stands where the syllable is made."""

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where input methods draw the syllable in the making.

        Textual's own is a cell too far right at the end of the text.
        """
        x, y, _, _ = self.content_region
        return Offset(x + self._position_to_cell(self.cursor_position) - self.scroll_offset.x, y)

    def _on_paste(self, event: events.Paste) -> None:
        # Textual calls this before its own handler, which inserts the first line.
        event.text = typed(event.text)

    def insert_text_at_cursor(self, text: str) -> None:
        """Inserts text; loose jamo join what stands before them."""
        head, tail = self.value[: self.cursor_position], self.value[self.cursor_position :]
        head = typed(head + text).replace("\n", " ")
        self.value = head + tail
        self.cursor_position = len(head)


class SearchBox(LineBox):
    """The line for search words."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.SEARCH_BOX)]

    def action_clear(self) -> None:
        """Empties the line."""
        self.value = ""


class PageBox(TextArea):
    """Several lines."""

    def _on_paste(self, event: events.Paste) -> None:  # type: ignore[override]
        # Textual calls this before its own handler, which inserts the text.
        event.text = typed(event.text)
