"""The texts of one video: its caption first, then the note of each scene."""

from array import array
from dataclasses import dataclass

from rich.cells import cell_len

from catalog.language import tr
from catalog.views import CaptionView, SceneView, VideoView
from tui.safe_text import shown
from tui.widgets.row_list import Piece, RowList
from tui.words import clock, column

ROOMY = 50
"""The cells from which on there is room for the lengths of scenes."""
WHOLE = 0
"""The row id of the caption; scenes have their own."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What has a text that a person can edit: a video, or one of its scenes."""

    video_id: int
    title: str
    scene: SceneView | None
    text: CaptionView | None

    @property
    def scene_id(self) -> int | None:
        """The scene's id; None for the whole video."""
        return None if self.scene is None else self.scene.id


def subject_of(view: VideoView, scene: SceneView | None = None) -> Subject:
    """The caption of a video, or the note of one of its scenes."""
    return Subject(view.id, view.title, scene, view.caption if scene is None else scene.note)


class SceneList(RowList):
    """The caption and the scene notes of one video."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(widget_id)
        self.view: VideoView | None = None

    def set_view(self, view: VideoView, scene_id: int | None = None) -> None:
        """Shows a video, with the cursor on a scene if one is named."""
        other = self.view is None or self.view.id != view.id
        self.view = view
        ids = array("q", (WHOLE, *(scene.id for scene in view.scenes)))
        self.set_ids(ids, keep_cursor=not other)
        if scene_id is not None and scene_id in ids:
            self.move_to(ids.index(scene_id))

    @property
    def subject(self) -> Subject | None:
        """What the cursor is on."""
        if self.view is None:
            return None
        return subject_of(self.view, self._scene(self.cursor))

    def _scene(self, index: int) -> SceneView | None:
        scenes = self.view.scenes if self.view else ()
        return scenes[index - 1] if 0 < index <= len(scenes) else None

    def _text(self, scene: SceneView | None) -> CaptionView | None:
        if scene is not None:
            return scene.note
        return None if self.view is None else self.view.caption

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """When, how long, and what."""
        scene = self._scene(index)
        text = self._text(scene)
        human = text is not None and text.origin == "human"
        when = tr("whole") if scene is None else clock(scene.start)
        length = (
            "" if scene is None else tr("{seconds} s", seconds=f"{scene.end - scene.start:.1f}")
        )
        line = "-" if text is None else " ".join(text.text.split())
        return [
            (column(when, 7, right=True), "row--good" if scene is None else "row--dim"),
            (column(length, 8, right=True) if width >= ROOMY else "", "row--dim"),
            (f"  {column(tr('edited') if human else '', cell_len(tr('edited')))}  ", "row--human"),
            (shown(line), "row--dim" if text is None else ""),
        ]
