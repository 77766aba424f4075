"""The picture of a scene, in half blocks."""

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.thumbnails import Cell, Picture, fitting_size, half_blocks

UPPER_HALF = "\N{UPPER HALF BLOCK}"


class Thumbnail(Widget):
    """One picture in the middle of its region, or nothing."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self.picture: Picture | None = None
        self._cells: list[list[Cell]] = []

    def show(self, picture: Picture | None) -> None:
        """Shows another picture."""
        if picture != self.picture:
            self.picture = picture
            self._draw()
            self.refresh()

    def on_resize(self) -> None:
        """Fits the picture anew."""
        self._draw()
        self.refresh()

    def _draw(self) -> None:
        self._cells = []
        if self.picture is not None and self.size:
            size = fitting_size(self.picture, self.size.width, self.size.height)
            self._cells = list(half_blocks(self.picture, *size))

    def render_line(self, y: int) -> Strip:
        """Draws one line: two rows of pixels."""
        width = self.size.width
        top = (self.size.height - len(self._cells)) // 2
        if not top <= y < top + len(self._cells):
            return Strip.blank(width, self.rich_style)
        cells = self._cells[y - top]
        left = (width - len(cells)) // 2
        return Strip(
            [
                Segment(" " * left, self.rich_style),
                *(Segment(UPPER_HALF, _style(cell)) for cell in cells),
            ]
        ).adjust_cell_length(width, self.rich_style)


def _style(cell: Cell) -> Style:
    upper, lower = cell
    return Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower))
