"""What commands share in speaking: data to stdout, narration to stderr, colour only where it is wanted."""

import json
import os
import sys
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catalog.language import tr
from catalog.safe_text import shown

if TYPE_CHECKING:
    from catalog.views import VideoView

_NO_TERMINAL = 160
"""The cells of a line that goes into a file or another program."""

STATUS_WORDS = {
    "queued": "queued",
    "running": "running",
    "captioned": "captioned",
    "needs_review": "needs review",
    "failed": "failed",
    "dead": "given up",
    "offline": "offline",
    "done": "done",
    "cancelled": "cancelled",
}
"""English message ids for the states of videos and jobs."""


def emit_json(document: Any) -> None:
    """One JSON document on stdout, the same in every language."""
    json.dump(document, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def emit_json_list(items: Iterable[Any]) -> int:
    """One JSON array on stdout, written while it is made. Returns how many items it holds."""
    count = 0
    for item in items:
        sys.stdout.write("[\n" if count == 0 else ",\n")
        sys.stdout.write(json.dumps(item, ensure_ascii=False, indent=2))
        count += 1
    sys.stdout.write("\n]\n" if count else "[]\n")
    return count


def say(message: str) -> None:
    """A line of data on stdout."""
    sys.stdout.write(message + "\n")


def narrate(message: str) -> None:
    """A line for the person on stderr."""
    sys.stderr.write(message + "\n")


def colourful() -> bool:
    """Whether stdout wants colour: a terminal, and no `NO_COLOR`."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def marked(text: str, highlights: Iterable[tuple[int, int]]) -> str:
    """A text made safe, with the spans that matched in bold where colour is wanted, else in brackets."""
    before, after = ("\x1b[1;33m", "\x1b[0m") if colourful() else ("[", "]")
    parts, position = [], 0
    for start, end in highlights:
        parts += [shown(text[position:start]), before, shown(text[start:end]), after]
        position = end
    return "".join([*parts, shown(text[position:])])


def faint(text: str) -> str:
    """A remark beside data, dimmed where colour is wanted."""
    return f"\x1b[2m{text}\x1b[0m" if colourful() else text


def columns() -> int:
    """The width of the terminal in cells; of a wide one where stdout is none."""
    import shutil

    return shutil.get_terminal_size((_NO_TERMINAL, 24)).columns


def clock_time(seconds: float) -> str:
    """A position or duration as people read it: `4:25`, `1:02:03`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def status_word(status: str) -> str:
    """A state in the person's language."""
    return tr(STATUS_WORDS.get(status, status))


def padded(text: str, cells: int) -> str:
    """A text filled up to a width in terminal cells, of which a Hangul syllable takes two."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return text + " " * (cells - len(text) - wide)


def video_line(video: "VideoView") -> str:
    """One line for a list: id, status, length, path."""
    length = "-" if video.duration is None else clock_time(video.duration)
    status = padded(status_word(video.status), 12)
    return f"{video.id:>6}  {status}  {length:>7}  {shown(video.path)}"


def error_lines(video: "VideoView") -> list[str]:
    """What went wrong with a video, and what to do about it."""
    from catalog.errors import ADVICE, ErrorCode

    job = video.job
    if job is None or job.state not in ("failed", "dead") or job.error_code is None:
        return []
    advice = tr(ADVICE[ErrorCode(job.error_code)])
    return [f"{job.error_code}: {shown(job.error_message or '')}", advice]
