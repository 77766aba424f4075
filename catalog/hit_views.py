"""What a search gives its readers. `catalog.views` has it too; this module is quick to import."""

from typing import Any, NamedTuple

Json = dict[str, Any]


class PlaceView(NamedTuple):
    """Where in a video a scene lies, in seconds."""

    id: int
    idx: int
    start: float
    end: float


class HitView(NamedTuple):
    """One text that answers a search."""

    video_id: int
    path: str
    title: str
    field: str
    scene: PlaceView | None
    text: str
    highlights: tuple[tuple[int, int], ...]
    """Code-point spans of `text`."""
    score: float
    how: str = "exact"
    """Why it is here, a value of `catalog.search.query.concepts.How`."""

    def json(self) -> Json:
        """The `search` shape."""
        scene = self.scene
        return {
            "video": {"id": self.video_id, "path": self.path, "title": self.title},
            "field": self.field,
            "scene": scene and {"index": scene.idx, "start": scene.start, "end": scene.end},
            "text": self.text,
            "highlights": [list(span) for span in self.highlights],
            "score": self.score,
            "how": self.how,
        }


class HitsView(NamedTuple):
    """The answer to a search."""

    hits: tuple[HitView, ...] = ()
    instead: str = ""
    """The query as it was taken, where a word of it was guessed; empty where none was."""
