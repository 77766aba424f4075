"""What a search found, in lines for people."""

from collections.abc import Iterable

from catalog.hit_views import HitView
from catalog.language import tr
from catalog.search.grouping import WHY, by_video
from catalog.search.snippets import cells, snippet
from catalog.terminal import clock_time, colourful, columns, faint, marked, padded, say

_INDENT = " " * 8
_WHERE = 7
"""The cells of a place in a video; `1:02:33` fills them."""
_LEAST_TEXT = 30


def say_videos(hits: Iterable[HitView]) -> None:
    """Prints hits by video: its path, and below it where and what, with the matches marked."""
    room = columns()
    for video in by_video(hits):
        name = marked(video.path, video.path_marks)
        say(f"{video.video_id:>6}  {name}{_why(video.name)}")
        for hit in video.texts:
            say(_text_line(hit, room))


def _text_line(hit: HitView, room: int) -> str:
    """Where, the text around what matched in the cells that are left, and why if it needs to be said."""
    where = padded(clock_time(hit.scene.start) if hit.scene else tr(hit.field), _WHERE)
    why = _why(hit)
    brackets = 0 if colourful() else 2 * min(len(hit.highlights), 4)
    left = room - len(_INDENT) - _WHERE - 2 - brackets - (cells(tr(WHY[hit.how])) + 4 if why else 0)
    part = snippet(hit.text, hit.highlights, max(left, _LEAST_TEXT))
    return f"{_INDENT}{where}  {marked(part.text, part.highlights)}{why}"


def _why(hit: HitView | None) -> str:
    return f"  {faint(f'({tr(WHY[hit.how])})')}" if hit and hit.how in WHY else ""
