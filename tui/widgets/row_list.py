"""A list that draws only the lines in sight, so that a million rows open at once."""

from abc import abstractmethod
from array import array
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import keymap
from tui.words import column

Piece = tuple[str, str]
"""A part of a line, and the component class that colours it (or nothing)."""


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows known by their ids, with a cursor and marks. A subclass says what a row looks like."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.MOVES)]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row--cursor",
        "row--cursor-blurred",
        "row--marked",
        "row--dim",
        "row--good",
        "row--busy",
        "row--bad",
        "row--match",
        "row--human",
    }

    class Moved(Message):
        """The cursor is on another row, or its row has changed."""

        def __init__(self, row_list: "RowList") -> None:
            super().__init__()
            self.row_list = row_list

        @property
        def control(self) -> "RowList":
            """The list, for `on(RowList.Moved, "#id")`."""
            return self.row_list

    class Opened(Moved):
        """A row was double-clicked."""

    class MarksChanged(Moved):
        """Rows were marked or unmarked."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self.ids: Sequence[int] = array("q")
        self.cursor = 0
        self.marks: set[int] = set()
        self.empty_text: tuple[str, ...] = ()
        """What stands in the place of rows when there are none."""

    # What a subclass says -------------------------------------------------------------------------

    @abstractmethod
    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """The parts of a row, for a number of cells that may be cut or filled."""

    def mark_of(self, index: int) -> int:
        """What Space marks in a row; the row itself by default."""
        return self.ids[index]

    # Rows and cursor ------------------------------------------------------------------------------

    @property
    def current(self) -> int | None:
        """The id under the cursor."""
        return self.ids[self.cursor] if 0 <= self.cursor < len(self.ids) else None

    def set_ids(self, ids: Sequence[int], *, keep_cursor: bool = True) -> None:
        """Takes a new order of rows. The cursor stays on its row if that is still there."""
        current = self.current
        self.ids = ids
        self.cursor = _place(ids, current, self.cursor) if keep_cursor else 0
        self.virtual_size = Size(self.scrollable_content_region.width, len(ids))
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved(self))

    def move_to(self, index: int) -> None:
        """Puts the cursor on a row, as near as there is one."""
        target = max(0, min(index, len(self.ids) - 1))
        if target == self.cursor:
            return
        before, self.cursor = self.cursor, target
        self.refresh_line(before)
        self.refresh_line(target)
        self._show_cursor()
        self.post_message(self.Moved(self))

    def _show_cursor(self) -> None:
        height = max(1, self.scrollable_content_region.height)
        top = round(self.scroll_y)
        if self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + height:
            top = self.cursor - height + 1
        top = max(0, min(top, max(0, len(self.ids) - height)))
        if top != round(self.scroll_y):
            self.scroll_to(y=top, animate=False, force=True)

    def refresh_line(self, y: int) -> None:
        """Draws one row again."""
        region = self.scrollable_content_region
        self.refresh(Region(0, y - round(self.scroll_y), region.width, 1))

    # Drawing --------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Draws one line of what is in sight."""
        width = self.scrollable_content_region.width
        index = round(self.scroll_y) + y
        if not self.ids:
            return self._empty_line(y, width)
        if index >= len(self.ids):
            return Strip.blank(width, self.rich_style)
        base = self.rich_style
        if index == self.cursor:
            part = "row--cursor" if self.has_focus else "row--cursor-blurred"
            base = self.get_component_rich_style(part)
        marked = self.mark_of(index) in self.marks
        pieces: list[Piece] = [
            (">" if index == self.cursor else " ", ""),
            ("*" if marked else " ", "row--marked" if marked else ""),
            *self.row_pieces(index, max(0, width - 2)),
        ]
        segments = [Segment(text, self._style(base, part, index)) for text, part in pieces]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, base: Style, part: str, index: int) -> Style:
        if not part:
            return base
        style = self.get_component_rich_style(part, partial=True)
        if index == self.cursor:  # colours would be hard to read on its own
            return base + Style(bold=style.bold, underline=style.underline)
        return base + style

    def _empty_line(self, y: int, width: int) -> Strip:
        top = max(0, min(3, self.size.height - len(self.empty_text)))
        text = self.empty_text[y - top] if top <= y < top + len(self.empty_text) else ""
        return Strip([Segment(column(f"  {text}", width), self.rich_style)])

    # Events and actions ---------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Keeps the cursor in sight and the rows as wide as the list."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self.ids))
        self._show_cursor()
        self.refresh()

    def on_focus(self) -> None:
        """Shows where the keys go."""
        self.refresh_line(self.cursor)

    def on_blur(self) -> None:
        """Shows that the keys go elsewhere."""
        self.refresh_line(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """A click selects, a double click opens."""
        index = round(self.scroll_y) + event.y
        if index < len(self.ids):
            self.move_to(index)
            if event.chain == 2:
                self.post_message(self.Opened(self))

    def action_move(self, rows: int) -> None:
        """Moves by rows."""
        self.move_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Moves by what is in sight."""
        self.move_to(self.cursor + pages * max(1, self.scrollable_content_region.height))

    def action_half_page(self, pages: int) -> None:
        """Moves by half of what is in sight."""
        self.move_to(self.cursor + pages * max(1, self.scrollable_content_region.height // 2))

    def action_first(self) -> None:
        """Moves to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Moves to the last row."""
        self.move_to(len(self.ids) - 1)


class MarkList(RowList):
    """A list whose rows can be marked, for actions on many at once."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.MARKS)]

    def chosen(self) -> list[int]:
        """What an action works on: the marked ones, else the one under the cursor."""
        if self.marks:
            return sorted(self.marks)
        return [self.mark_of(self.cursor)] if self.current is not None else []

    def action_mark(self) -> None:
        """Marks or unmarks the row and goes down."""
        if self.current is None:
            return
        self.marks ^= {self.mark_of(self.cursor)}
        self.refresh()
        self.post_message(self.MarksChanged(self))
        self.action_move(1)

    def action_mark_all(self) -> None:
        """Marks every row of the list."""
        self.set_marks({self.mark_of(index) for index in range(len(self.ids))})

    def action_unmark_all(self) -> None:
        """Forgets all marks."""
        self.set_marks(set())

    def set_marks(self, marks: set[int]) -> None:
        """Takes other marks."""
        self.marks = marks
        self.refresh()
        self.post_message(self.MarksChanged(self))


def _place(ids: Sequence[int], wanted: int | None, otherwise: int) -> int:
    """Where an id stands in the new order, else the old place as far as there is one."""
    if 0 <= otherwise < len(ids) and ids[otherwise] == wanted:
        return otherwise
    if wanted is not None:
        try:
            return ids.index(wanted)
        except ValueError:
            pass
    return max(0, min(otherwise, len(ids) - 1))
