"""What a search found, by video: one text a row, with the matching words marked."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.widgets import Static

from catalog.language import tr
from catalog.search.grouping import WHY, VideoHits, by_video
from catalog.search.snippets import Span, snippet
from catalog.views import HitView
from tui.safe_text import shown
from tui.widgets.row_list import MarkList, Piece
from tui.words import clock, column

_WHERE = 7
_ROOMY = 56
"""The cells from which on there is room to say why a text is here; below, a ~ says that it is not exact."""
_Key = tuple[int, str, int | None]


class Remark(Static):
    """A line above the hits: that they answer to another query than the one typed."""

    DEFAULT_CSS = """
    Remark { height: 1; padding: 0 2; color: $accent; text-overflow: ellipsis; text-wrap: nowrap; }
    """

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id, markup=False)
        self.display = False

    def say(self, text: str) -> None:
        """Shows another text; the line is gone while there is none."""
        self.update(text)
        self.display = bool(text)


@dataclass(frozen=True, slots=True)
class _Row:
    video: VideoHits
    hit: HitView
    first: bool
    """Whether it is the first of its video."""

    @property
    def key(self) -> _Key:
        scene = self.hit.scene
        return self.hit.video_id, self.hit.field, None if scene is None else scene.id


class HitList(MarkList):
    """Hits by video, the best first. Marks are those of the videos, so they outlive the search."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(widget_id)
        self._rows: Sequence[_Row] = ()
        self._moved = False
        self._drawn: dict[tuple[int, int], list[Piece]] = {}
        """Rows by place and width: a long text takes a millisecond to cut."""

    def set_hits(self, hits: Sequence[HitView], *, same_query: bool = False) -> None:
        """Takes hits. The cursor goes to the best one.

        With `same_query` these are a better answer to what was asked: a person who has moved meanwhile
        keeps the hit under the cursor, and it keeps its line on the screen.
        """
        key = self._rows[self.cursor].key if self._stays(same_query) else None
        line = self.cursor - round(self.scroll_y)
        self._rows = list(_rows(hits))
        self._drawn.clear()
        places = (place for place, row in enumerate(self._rows) if row.key == key)
        place = next(places, None)
        if key is not None and place is None:  # a hit of the first answer that the better one lacks
            place = min(self.cursor, max(0, len(self._rows) - 1))
        self._moved = place is not None
        self.cursor = place or 0
        self.set_ids(array("q", range(len(self._rows))))
        if place is not None:
            self.scroll_to(y=max(0, place - line), animate=False, force=True)

    def _stays(self, same_query: bool) -> bool:
        return same_query and self._moved and self.cursor < len(self._rows)

    def move_to(self, index: int) -> None:
        """Puts the cursor on a row; from then on it stays with its hit."""
        super().move_to(index)
        self._moved = True

    @property
    def hits(self) -> Sequence[HitView]:
        """The hit of each row."""
        return [row.hit for row in self._rows]

    @property
    def hit(self) -> HitView | None:
        """The hit under the cursor."""
        return self._rows[self.cursor].hit if self.cursor < len(self._rows) else None

    @property
    def videos(self) -> Sequence[int]:
        """The videos with hits, in their order."""
        return [row.video.video_id for row in self._rows if row.first]

    def mark_of(self, index: int) -> int:
        """Marks go to videos."""
        return self._rows[index].video.video_id

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """The name, the place in the video, the text around the match, and why it is here."""
        if (index, width) not in self._drawn:
            self._drawn[index, width] = self._pieces(self._rows[index], width)
        return self._drawn[index, width]

    def _pieces(self, row: _Row, width: int) -> list[Piece]:
        name = max(12, min(28, width // 4))
        where = tr(row.hit.field) if row.hit.scene is None else clock(row.hit.scene.start)
        reason = tr(WHY[row.hit.how]) if row.hit.how in WHY else ""
        why = f"  {reason} " if reason and width >= _ROOMY else ""
        room = width - name - 1 - _WHERE - 2 - cell_len(why)
        text = _marked(row.hit.text, row.hit.highlights, room)
        return [
            *_name(row, name),
            (column(where, _WHERE, right=True), "row--good"),
            (" ~" if reason and not why else "  ", "row--dim"),
            *_filled(text, room),
            (why, "row--dim"),
        ]


def _rows(hits: Sequence[HitView]) -> Iterator[_Row]:
    for video in by_video(hits):
        texts = video.texts
        if not texts and video.name is not None:
            texts = (video.name._replace(text=video.path, highlights=video.path_marks),)
        for place, hit in enumerate(texts):
            yield _Row(video, hit, place == 0)


def _name(row: _Row, cells: int) -> list[Piece]:
    """The video's name once, with what matched in it; then dimmed."""
    if not row.first:
        return [(column(shown(row.video.title), cells) + " ", "row--dim")]
    return [*_filled(_marked(row.video.title, row.video.title_marks, cells), cells), (" ", "")]


def _marked(text: str, highlights: Sequence[Span], room: int) -> list[Piece]:
    """The part of a text that fits and shows best what matched."""
    part = snippet(text, highlights, room)
    safe = shown(part.text)
    pieces: list[Piece] = []
    position = 0
    for first, end in part.highlights:
        pieces += [(safe[position:first], ""), (safe[first:end], "row--match")]
        position = end
    return [*pieces, (safe[position:], "")]


def _filled(pieces: list[Piece], cells: int) -> list[Piece]:
    """Pieces in exactly so many cells."""
    missing = cells - sum(cell_len(text) for text, _ in pieces)
    while missing < 0:
        text, part = pieces.pop()
        kept = max(0, cell_len(text) + missing)
        missing += cell_len(text) - kept
        if kept:
            pieces.append((column(text, kept), part))
    return [*pieces, (" " * missing, "")]
