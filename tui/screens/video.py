"""One video: its caption and its scenes, each with picture and text."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer

from catalog.database import Catalog
from catalog.language import tr
from tui import keymap
from tui.keymap import Action
from tui.reader import Look, read_look
from tui.safe_text import shown
from tui.screens.place import Place
from tui.widgets.bars import HintBar
from tui.widgets.preview import Preview
from tui.widgets.row_list import RowList
from tui.widgets.scene_list import SceneList, Subject
from tui.words import clock

PREVIEW_SECONDS = 0.06


class VideoScreen(Place):
    """The texts of one video, and the way to its neighbours in the list."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings(keymap.VIDEO)]

    class LookRead(Message):
        """The video, or the picture of another scene."""

        def __init__(self, look: Look) -> None:
            super().__init__()
            self.look = look

    def __init__(
        self, catalog: Catalog, video_id: int, scene_id: int | None, neighbours: Sequence[int]
    ) -> None:
        super().__init__()
        self._catalog = catalog
        self._scenes = SceneList("scenes")
        self._preview = Preview("preview")
        self._video_id = video_id
        self._wanted_scene = scene_id
        self._neighbours = neighbours
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Title, scenes and preview, keys."""
        yield self.title_bar
        with Horizontal(id="body"):
            yield self._scenes
            yield self._preview
        yield HintBar(keymap.VIDEO)

    def on_mount(self) -> None:
        """Reads the video."""
        self._scenes.focus()
        self._read(self._wanted_scene)

    def place(self) -> Sequence[str]:
        """The video."""
        view = self._scenes.view
        return (tr("haeseol"), tr("list"), shown(view.title) if view else "")

    def facts(self) -> Iterator[str]:
        """Scenes and length."""
        scenes = self._scenes
        if scenes.view is not None:
            yield tr("scenes {count}", count=len(scenes.view.scenes))
            yield clock(scenes.view.duration)

    def help_sections(self) -> Sequence[tuple[str, Sequence[Action]]]:
        """What can be done with a video."""
        return ((tr("Scenes"), (*keymap.VIDEO, *keymap.MOVES)),)

    def subject(self) -> Subject | None:
        """The caption or the scene note under the cursor."""
        return self._scenes.subject

    def chosen_videos(self) -> Sequence[int]:
        """This video."""
        return [self._video_id]

    def catalog_changed(self) -> None:
        """Reads the video anew."""
        self._read(self._scene_id())

    def _scene_id(self) -> int | None:
        subject = self.subject()
        return None if subject is None else subject.scene_id

    def _read(self, scene_id: int | None) -> None:
        video_id = self._video_id
        self.run_worker(
            lambda: self.post_message(self.LookRead(read_look(self._catalog, video_id, scene_id))),
            thread=True,
            group="look",
            exclusive=True,
            exit_on_error=False,
        )

    @on(LookRead)
    def _show(self, message: LookRead) -> None:
        look, scenes = message.look, self._scenes
        if look.video_id != self._video_id:
            return
        if look.view is None:
            if self.is_current:
                self.haeseol.tell(tr("This video is not in the catalog any more."))
                self.dismiss()
            return
        if look.view != scenes.view:
            scenes.set_view(look.view, self._wanted_scene)
            self._wanted_scene = None
            self.show_title()
        subject = scenes.subject
        if subject is not None and subject.scene_id == look.scene_id:
            self._preview.show_subject(look.view, subject, look.picture)

    @on(RowList.Moved)
    def _follow_cursor(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PREVIEW_SECONDS, lambda: self._read(self._scene_id()))

    def action_neighbour(self, step: int) -> None:
        """Goes to the previous or the next video of the list one came from."""
        if self._video_id not in self._neighbours:
            return
        place = self._neighbours.index(self._video_id) + step
        if 0 <= place < len(self._neighbours):
            self._video_id = self._neighbours[place]
            self._read(None)

    def action_scroll_preview(self, lines: int) -> None:
        """Scrolls the preview while the cursor stays."""
        self._preview.scroll_lines(lines)

    def action_queue(self) -> None:
        """Shows the queue."""
        from tui.screens.queue import QueueScreen

        self.app.push_screen(QueueScreen(self._catalog))

    def action_back(self) -> None:
        """Goes back."""
        self.dismiss()
