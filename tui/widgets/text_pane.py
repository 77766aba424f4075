"""Text to read: wrapped to the width, scrolled by lines, drawn without laying out the screen."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.keymap import Action, bindings
from tui.words import column

MOVES = (
    Action("scroll_lines(1)", "j,down", "down"),
    Action("scroll_lines(-1)", "k,up", "up"),
    Action("scroll_lines(10)", "pagedown,ctrl+d", "a page down"),
    Action("scroll_lines(-10)", "pageup,ctrl+u", "a page up"),
)


Paragraph = Text | tuple[str, Text]
"""A text; or what stands before it, which the lines after the first are indented by."""


class TextPane(ScrollView, can_focus=False, inherit_bindings=False):
    """Paragraphs, wrapped between words, and long words between syllables."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(MOVES)]

    def __init__(self, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self._paragraphs: Sequence[Paragraph] = ()
        self._lines: list[Strip] = []

    def show(self, paragraphs: Sequence[Paragraph], *, top: bool = True) -> None:
        """Shows other paragraphs, from their beginning unless told otherwise."""
        self._paragraphs = paragraphs
        self._wrap()
        if top:
            self.scroll_to(y=0, animate=False, force=True)
        self.refresh()

    @property
    def plain(self) -> str:
        """What it shows, as plain text."""
        return "\n".join(head + body.plain for head, body in map(_parts, self._paragraphs))

    def _wrap(self) -> None:
        width = max(1, self.scrollable_content_region.width)
        self._lines = [
            line for paragraph in self._paragraphs for line in self._wrapped(paragraph, width)
        ]
        self.virtual_size = Size(width, len(self._lines))

    def _wrapped(self, paragraph: Paragraph, width: int) -> Iterator[Strip]:
        head, body = _parts(paragraph)
        console, style = self.app.console, self.rich_style + _style(body)
        lines = body.wrap(console, max(1, width - cell_len(head))) if body.plain else [body]
        for number, line in enumerate(lines):
            margin = Segment(column(head if number == 0 else "", cell_len(head)), style)
            yield Strip([margin, *Segment.apply_style(line.render(console), style)])

    def on_resize(self) -> None:
        """Wraps anew."""
        self._wrap()
        self.refresh()

    def notify_style_update(self) -> None:
        """Takes the colours of another theme."""
        super().notify_style_update()
        if self.is_mounted:
            self._wrap()

    def render_line(self, y: int) -> Strip:
        """Draws one line of what is in sight."""
        width = self.scrollable_content_region.width
        index = round(self.scroll_y) + y
        strip = self._lines[index] if index < len(self._lines) else Strip([])
        return strip.adjust_cell_length(width, self.rich_style)

    def action_scroll_lines(self, lines: int) -> None:
        """Scrolls by lines."""
        self.scroll_to(y=self.scroll_y + lines, animate=False, force=True)


def _parts(paragraph: Paragraph) -> tuple[str, Text]:
    return ("", paragraph) if isinstance(paragraph, Text) else paragraph


def _style(line: Text) -> Style:
    return line.style if isinstance(line.style, Style) else Style.parse(line.style)
