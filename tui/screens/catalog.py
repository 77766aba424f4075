"""The first screen: the list, the preview, and search as one types."""

import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from catalog.database import Catalog
from catalog.language import tr
from tui import keymap, no_hits
from tui.keymap import Action
from tui.reader import HITS, Found, Look, Reader, Searcher, read_ids, read_look
from tui.safe_text import shown
from tui.screens.place import Place
from tui.widgets.bars import Heading, HintBar
from tui.widgets.hit_list import HitList, Remark
from tui.widgets.preview import Preview
from tui.widgets.row_list import MarkList, RowList
from tui.widgets.scene_list import Subject, subject_of
from tui.widgets.text_boxes import SearchBox
from tui.widgets.video_list import VideoList, heading

FIRST_ROWS = 100
PREVIEW_SECONDS = 0.06
"""The cursor must rest so long before the preview follows, so that a held key stays fast."""
SEARCH_SECONDS = 0.035
"""Keys that come faster than this make one search."""
MANY_ROWS = 20_000
ORDER_SECONDS = 2.0
"""A list of many rows reads its order no more often than this."""


class CatalogScreen(Place):
    """Videos, or what a search found, beside a preview."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.CATALOG)]

    class IdsRead(Message):
        """The order of the list, read anew."""

        def __init__(self, ids: "array[int]") -> None:
            super().__init__()
            self.ids = ids

    class LookRead(Message):
        """What the preview asked for."""

        def __init__(self, look: Look) -> None:
            super().__init__()
            self.look = look

    class HitsRead(Message):
        """What a search found."""

        def __init__(self, found: Found) -> None:
            super().__init__()
            self.found = found

    def __init__(self, catalog: Catalog, reader: Reader) -> None:
        super().__init__()
        self._catalog = catalog
        self._reader = reader
        self._searcher = Searcher(catalog)
        self._box = SearchBox(placeholder=tr("search captions and scene notes"), compact=True)
        self._videos = VideoList(reader.rows, "videos")
        self._hits = HitList("hits")
        self._remark = Remark("remark")
        self._preview = Preview("preview")
        self._hint_bar = HintBar(keymap.CATALOG)
        self._look: Look | None = None
        self._found: Found | None = None
        self._preview_timer: Timer | None = None
        self._search_timer: Timer | None = None
        self._typed_at = 0.0
        self._wanted = ""
        self._trouble = ""
        self._order_timer: Timer | None = None
        self._order_read_at = 0.0

    def compose(self) -> ComposeResult:
        """Title, search line, list and preview, keys."""
        yield self.title_bar
        with Horizontal(id="search-line"):
            yield Static("/", id="slash", markup=False)
            yield self._box
        yield self._remark
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield Heading(heading)
                yield self._videos
                yield self._hits
            yield self._preview
        yield self._hint_bar

    def on_mount(self) -> None:
        """Shows the head of the list at once; the whole order follows from a thread."""
        self._videos.empty_text = self._empty_catalog()
        self._hits.marks = self._videos.marks
        self._hits.display = False
        self._videos.set_ids(self._reader.newest_ids(FIRST_ROWS))
        self._videos.focus()
        self._read_order()
        self.show_title()

    def _empty_catalog(self) -> tuple[str, ...]:
        home = self._catalog.home
        return (
            tr("There are no videos yet."),
            "",
            tr("Add a folder:"),
            f"    {shown(home.command('add ~/Videos --watch'))}",
            tr("Let it work:"),
            f"    {shown(home.command('run'))}",
            tr("Look around with sample videos:"),
            f"    {shown(home.command('demo'))}",
        )

    # Title and help -------------------------------------------------------------------------------

    def place(self) -> Sequence[str]:
        """The list, or the search."""
        return (tr("haeseol"), tr("search") if self.searching else tr("list"))

    def facts(self) -> Iterator[str]:
        """Place in the list and marks."""
        rows = self.active_list
        if self.searching:
            more = "+" if self._found and len(self._found.hits) >= HITS else ""
            counts = {"count": f"{len(rows.ids)}{more}", "videos": len(self._hits.videos)}
            yield tr("hits {count} (videos: {videos})", **counts)
        elif rows.ids:
            yield f"{rows.cursor + 1:,}/{len(rows.ids):,}"
        else:
            yield tr("videos {count}", count=0)
        if rows.marks:
            yield tr("marked {count}", count=len(rows.marks))

    def help_sections(self) -> Sequence[tuple[str, Sequence[Action]]]:
        """What the list and the search box can do."""
        keys = (tr("List"), (*keymap.CATALOG, *keymap.MOVES))
        search = (
            (tr("Search box"), keymap.SEARCH_BOX),
            (tr("What a search can ask for"), keymap.SEARCH_SYNTAX),
        )
        typing = self.searching or isinstance(self.focused, SearchBox)
        return (*search, keys) if typing else (keys, *search)

    # What is active -------------------------------------------------------------------------------

    @property
    def searching(self) -> bool:
        """Whether hits are shown in place of the list."""
        return self.has_class("searching")

    @property
    def active_list(self) -> MarkList:
        """The list that is shown."""
        return self._hits if self.searching else self._videos

    def _target(self) -> tuple[int, int | None] | None:
        """The video under the cursor, and the scene if it is a hit in one."""
        if not self.searching:
            video_id = self._videos.current
            return None if video_id is None else (video_id, None)
        hit = self._hits.hit
        if hit is None:
            return None
        return hit.video_id, None if hit.scene is None else hit.scene.id

    def subject(self) -> Subject | None:
        """The text under the cursor, as it is now."""
        target = self._target()
        if target is None:
            return None
        view = read_look(self._catalog, *target).view
        if view is None:
            return None
        scene = next((scene for scene in view.scenes if scene.id == target[1]), None)
        return subject_of(view, scene)

    def chosen_videos(self) -> Sequence[int]:
        """The marked videos, else the one under the cursor."""
        return self.active_list.chosen()

    def queued(self, count: int) -> None:
        """The marks have done their work."""
        super().queued(count)
        self._set_marks(set())

    # Live refresh ---------------------------------------------------------------------------------

    def catalog_changed(self) -> None:
        """Reads what is in sight anew, and the order of the list when it is due."""
        self._videos.reload_rows()
        self._show_preview_soon()
        if self._order_timer is None:
            due = self._order_read_at + ORDER_SECONDS - time.monotonic()
            if due <= 0 or len(self._videos.ids) < MANY_ROWS:
                self._read_order()
            else:
                self._order_timer = self.set_timer(due, self._read_order)

    def _read_order(self) -> None:
        self._order_timer, self._order_read_at = None, time.monotonic()
        self._on_thread("order", lambda: self.post_message(self.IdsRead(read_ids(self._catalog))))

    @on(IdsRead)
    def _take_order(self, message: IdsRead) -> None:
        self.set_class(not message.ids, "empty")
        if message.ids != self._videos.ids:
            self._videos.set_ids(message.ids)
            self.show_title()

    def _on_thread(self, group: str, work: Callable[[], object]) -> None:
        self.run_worker(
            work,
            thread=True,
            group=group,
            exclusive=True,
            exit_on_error=False,
        )

    # Preview --------------------------------------------------------------------------------------

    @on(RowList.Moved)
    def _follow_cursor(self) -> None:
        self.show_title()
        self._show_preview_soon()

    def _show_preview_soon(self) -> None:
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(PREVIEW_SECONDS, self._read_look)

    def _read_look(self) -> None:
        target = self._target()
        if target is None:
            self._look = None
            self._preview.show_nothing()
            return

        def read() -> None:
            self.post_message(self.LookRead(read_look(self._catalog, *target)))

        self._on_thread("look", read)

    @on(LookRead)
    def _show_look(self, message: LookRead) -> None:
        look = message.look
        if (look.video_id, look.scene_id) != self._target():
            return  # the cursor has gone on; another look is under way
        same = self._look is not None and self._look.video_id == look.video_id
        self._look = look
        if look.view is None:
            self._preview.show_nothing()
        else:
            self._preview.show_video(look.view, look.picture, look.scene_id, top=not same)

    def action_scroll_preview(self, lines: int) -> None:
        """Scrolls the preview while the cursor stays."""
        self._preview.scroll_lines(lines)

    # Search ---------------------------------------------------------------------------------------

    def action_search(self) -> None:
        """Goes to the search box."""
        self.set_focus(self._box)

    @on(events.DescendantFocus)
    def _show_hints(self) -> None:
        typing = isinstance(self.focused, SearchBox)
        self._hint_bar.show(keymap.SEARCH_BOX if typing else keymap.CATALOG)

    @on(Input.Changed)
    def _search_soon(self) -> None:
        """Searches at once after a pause, so that one syllable is answered within a frame."""
        self._searcher.interrupt()
        if self._search_timer is not None:
            self._search_timer.stop()
        before, self._typed_at = self._typed_at, time.monotonic()
        if self._typed_at - before > SEARCH_SECONDS:
            self._search()
        else:
            self._search_timer = self.set_timer(SEARCH_SECONDS, self._search)

    def _query(self) -> str:
        return self._box.value.strip()

    def _search(self) -> None:
        query = self._wanted = self._query()
        if not query:
            self._end_search()
            return

        def find() -> None:
            for found in self._searcher.answers(query):
                self.post_message(self.HitsRead(found))
                if self._wanted != query:
                    return

        self._on_thread("search", find)

    @on(HitsRead)
    def _show_hits(self, message: HitsRead) -> None:
        found = message.found
        if found.query != self._query():
            return
        same = self._found is not None and self._found.query == found.query
        self._found = found
        self._hits.empty_text = no_hits.advice(found)
        self._hits.set_hits(found.hits, same_query=same)
        guess = tr("Nothing holds that as it is written. Shown for: {query}", query=found.instead)
        self._remark.say(shown(guess) if found.instead else "")
        self._show_list(searching=True)
        if found.trouble and found.trouble != self._trouble:
            self.notify(shown(found.trouble), markup=False)
        self._trouble = found.trouble or self._trouble

    def on_unmount(self) -> None:
        """Ends what a search keeps open."""
        self._searcher.close()

    def _end_search(self) -> None:
        self._found = None
        self._remark.say("")
        self._show_list(searching=False)
        self._follow_cursor()

    def _show_list(self, *, searching: bool) -> None:
        """Shows the hits or the videos. The focus goes along if it was in the other list.

        The list that comes is shown before the other one is hidden: a hidden widget's focus would
        go to the search box.
        """
        lists = [self._videos, self._hits]
        coming = lists[int(searching)]
        self.set_class(searching, "searching")
        coming.display = True
        if self.focused in lists:
            self.set_focus(coming)
        lists[int(not searching)].display = False
        self.show_title()

    def action_to_results(self) -> None:
        """Goes on to the list that is shown."""
        self.set_focus(self.active_list)

    def action_leave_search(self) -> None:
        """Goes to the list; the results stay until Esc is pressed there."""
        self.action_to_results()

    # One step back, marks, other screens ----------------------------------------------------------

    def action_back(self) -> None:
        """Ends the search, else forgets the marks. Never leaves the program."""
        if self.searching or self._query():
            self._box.value = ""
            self._end_search()
        elif self.active_list.marks:
            self._set_marks(set())

    @on(MarkList.MarksChanged)
    def _share_marks(self, message: MarkList.MarksChanged) -> None:
        self._set_marks(message.row_list.marks)

    def _set_marks(self, marks: set[int]) -> None:
        for rows in (self._videos, self._hits):
            rows.marks = marks
            rows.refresh()
        self.show_title()

    @on(RowList.Opened)
    def action_open(self) -> None:
        """Shows the scenes of the video under the cursor."""
        from tui.screens.video import VideoScreen

        target = self._target()
        if target is not None:
            self.app.push_screen(VideoScreen(self._catalog, *target, self._neighbours()))

    def _neighbours(self) -> Sequence[int]:
        if not self.searching:
            return self._videos.ids
        return array("q", self._hits.videos)

    def action_queue(self) -> None:
        """Shows the queue."""
        from tui.screens.queue import QueueScreen

        self.app.push_screen(QueueScreen(self._catalog))
