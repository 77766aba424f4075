"""What a search found: one text a row, with the matching words marked."""

from array import array
from collections.abc import Sequence

from catalog.language import tr
from catalog.views import HitView
from tui.safe_text import shown
from tui.widgets.row_list import MarkList, Piece
from tui.words import clock, column

CONTEXT = 12
"""Code points shown before the first match of a long text."""


class HitList(MarkList):
    """Hits in their order. Marks are those of the videos, so they outlive the search."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(widget_id)
        self.hits: Sequence[HitView] = ()

    def set_hits(self, hits: Sequence[HitView]) -> None:
        """Takes the hits of a new query, with the cursor on the best one."""
        self.hits = hits
        self.set_ids(array("q", range(len(hits))), keep_cursor=False)

    @property
    def hit(self) -> HitView | None:
        """The hit under the cursor."""
        return self.hits[self.cursor] if self.cursor < len(self.hits) else None

    def mark_of(self, index: int) -> int:
        """Marks go to videos."""
        return self.hits[index].video_id

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """The name, the place in the video, and the text around the match."""
        hit = self.hits[index]
        name = max(12, min(28, width // 4))
        where = tr(hit.field) if hit.scene is None else clock(hit.scene.start)
        return [
            (column(shown(hit.title), name) + " ", "row--dim"),
            (column(where, 7, right=True) + "  ", "row--good"),
            *highlighted(hit),
        ]


def highlighted(hit: HitView) -> list[Piece]:
    """The text of a hit in pieces. A long text begins a little before its first match."""
    text = shown(hit.text)
    start = max(0, hit.highlights[0][0] - CONTEXT) if hit.highlights else 0
    pieces: list[Piece] = [("...", "row--dim")] if start else []
    for first, end in hit.highlights:
        pieces += [(text[start:first], ""), (text[first:end], "row--match")]
        start = end
    return [*pieces, (text[start:], "")]
