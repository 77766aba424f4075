"""The list of videos: status, length, name, and one line of the caption."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from catalog.language import tr
from catalog.listing import ListRow
from catalog.terminal import status_word
from tui.safe_text import shown
from tui.widgets.row_list import MarkList, Piece
from tui.words import clock, column, error_word, status_width

PAGE_ROWS = 128
PAGES = 32
TONES = {
    "captioned": "row--good",
    "running": "row--busy",
    "queued": "row--dim",
    "offline": "row--dim",
    "failed": "row--bad",
    "dead": "row--bad",
    "needs_review": "row--busy",
}
"""The colour of a status. The word says the same to those who see no colours."""

FetchRows = Callable[[Sequence[int]], Iterable[ListRow]]


class VideoList(MarkList):
    """Videos of the catalog. Rows are read by the page, when they come into sight."""

    def __init__(self, fetch: FetchRows, widget_id: str) -> None:
        super().__init__(widget_id)
        self._fetch = fetch
        self._pages: OrderedDict[int, dict[int, ListRow]] = OrderedDict()

    def set_ids(self, ids: Sequence[int], *, keep_cursor: bool = True) -> None:
        """Takes a new order, and reads the rows anew."""
        self._pages.clear()
        super().set_ids(ids, keep_cursor=keep_cursor)

    def reload_rows(self) -> None:
        """Reads the rows in sight anew; the order stays."""
        self._pages.clear()
        self.refresh()

    def row(self, index: int) -> ListRow | None:
        """The row at a place; None where its video is gone by now."""
        number = index // PAGE_ROWS
        page = self._pages.get(number)
        if page is None:
            ids = self.ids[number * PAGE_ROWS : (number + 1) * PAGE_ROWS]
            page = {row.id: row for row in self._fetch(ids)}
            self._pages[number] = page
            if len(self._pages) > PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return page.get(self.ids[index])

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """Status, length, name and caption, each in its column."""
        row = self.row(index)
        if row is None:
            return [(tr("(gone)"), "row--dim")]
        status, name = status_width(), max(12, min(32, width * 3 // 10))
        pieces: list[Piece] = [
            (column(status_word(row.status), status), TONES.get(row.status, "")),
            (column(clock(row.duration), 8, right=True) + "  ", "row--dim"),
        ]
        rest = width - status - 10
        if rest < 40:
            return [*pieces, (column(shown(row.title), max(0, rest)), "")]
        text, tone = _summary(row)
        return [
            *pieces,
            (column(shown(row.title), name) + "  ", ""),
            (column(text, rest - name - 2), tone),
        ]


def _summary(row: ListRow) -> Piece:
    if row.status == "running":
        return tr("(captioning, {percent} %)", percent=round(row.progress * 100)), "row--busy"
    if row.error_code is not None and not row.line:
        return f"! {error_word(row.error_code)}", "row--bad"
    if not row.line:
        return "-", "row--dim"
    return shown(row.line), "row--human" if row.by_human else ""


def heading(width: int) -> str:
    """The names of the columns, above a list of so many cells."""
    inside, status = width - 2, status_width()
    name = max(12, min(32, inside * 3 // 10))
    start = "  " + column(tr("status"), status) + column(tr("length"), 8, right=True) + "  "
    if inside - status - 10 < 40:
        return start + tr("name")
    return start + column(tr("name"), name) + "  " + tr("caption")
