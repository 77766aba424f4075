"""What was found, by video: one name each, marked where it matched, and the texts below it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.hit_views import HitView
from catalog.search.spans import Span, merged

WHY = {
    "variant": "similar word",
    "completion": "completed",
    "part": "part of a word",
    "initials": "initials",
    "layout": "other keyboard layout",
    "typo": "typo",
    "fewer": "some of the words",
    "meaning": "related in meaning",
}
"""Why a text is shown that does not hold the words asked for, as English message ids, by `HitView.how`."""


@dataclass(frozen=True, slots=True)
class VideoHits:
    """The hits in one video."""

    video_id: int
    path: str
    title: str
    name: HitView | None
    """The best hit in the title or the path, if it can be shown there."""
    path_marks: tuple[Span, ...]
    """What matched in the path, as code-point spans of `path`."""
    title_marks: tuple[Span, ...]
    """The same of `title`."""
    texts: tuple[HitView, ...]
    """The other hits, the best first."""


def by_video(hits: Iterable[HitView]) -> list[VideoHits]:
    """Hits by video, the video of the best hit first."""
    groups: dict[int, list[HitView]] = {}
    for hit in hits:
        groups.setdefault(hit.video_id, []).append(hit)
    return [_grouped(group) for group in groups.values()]


def _grouped(hits: Sequence[HitView]) -> VideoHits:
    path, title = hits[0].path, hits[0].title
    names: list[HitView] = []
    texts: list[HitView] = []
    marks: list[Span] = []
    for hit in hits:
        in_path = _in_path(hit)
        if in_path is None:
            texts.append(hit)
        else:
            names.append(hit)
            marks += in_path
    place = path.rfind(title)
    return VideoHits(
        video_id=hits[0].video_id,
        path=path,
        title=title,
        name=names[0] if names else None,
        path_marks=merged(marks),
        title_marks=merged(_within(marks, place, len(title))) if title and place >= 0 else (),
        texts=tuple(texts),
    )


def _in_path(hit: HitView) -> list[Span] | None:
    """Where a hit in a title or path matches in the path that is shown; None where it does not."""
    if hit.field == "title":
        place = hit.path.rfind(hit.text) if hit.text else -1
        if place < 0:
            return None
        return [(start + place, end + place) for start, end in hit.highlights]
    if hit.field != "path":
        return None
    begin = 0
    for line in hit.text.split("\n"):  # a line for each copy of the file
        marks = _within(hit.highlights, begin, len(line))
        if line == hit.path and (marks or not hit.highlights):
            return marks
        begin += len(line) + 1
    return None


def _within(spans: Iterable[Span], begin: int, length: int) -> list[Span]:
    """The parts of spans in a stretch, counted from its beginning."""
    parts = ((max(start - begin, 0), min(end - begin, length)) for start, end in spans)
    return [(start, end) for start, end in parts if start < end]
