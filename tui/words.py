"""Words and columns: how states, times and lengths read, and how a text fits a number of cells."""

import time

from rich.cells import cell_len, set_cell_size

from catalog.errors import ADVICE, ErrorCode
from catalog.language import tr
from catalog.terminal import STATUS_WORDS, clock_time

ERROR_WORDS = {
    "unreadable": "not a readable video",
    "no_video_stream": "no moving picture",
    "truncated": "a part is missing",
    "decode_timeout": "decoding took too long",
    "decoder_crashed": "the decoder crashed",
    "out_of_memory": "out of memory",
    "gpu_out_of_memory": "out of GPU memory",
    "model_unavailable": "the model is missing",
    "engine_unreachable": "the engine does not answer",
    "disk_full": "the disk is full",
    "vanished": "the file is gone",
    "changed_while_reading": "the file changed",
}
"""What a list shows for an error code, as message ids."""


def status_width() -> int:
    """The cells that the widest status word takes."""
    return max(cell_len(tr(word)) for word in STATUS_WORDS.values())


def error_word(code: str) -> str:
    """A few words for an error code, in the chosen language."""
    return tr(ERROR_WORDS.get(code, code))


def advice(code: str) -> str:
    """What a person can do about an error code; empty for one that a newer program wrote."""
    known = code in ErrorCode.__members__.values()
    return tr(ADVICE[ErrorCode(code)]) if known else ""


def clock(seconds: float | None) -> str:
    """A position or a length, such as `4:25` or `1:02:33`."""
    return "-" if seconds is None else clock_time(seconds)


def local_time(instant: int) -> str:
    """An instant in the person's own time zone, such as `2026-11-20 14:03`."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(instant))


def column(text: str, cells: int, *, right: bool = False) -> str:
    """A text in exactly so many cells: cut between syllables, or filled with spaces."""
    missing = cells - cell_len(text)
    if missing >= 0:
        return " " * missing + text if right else text + " " * missing
    return set_cell_size(text, cells)


def progress_bar(part: float, cells: int = 16) -> str:
    """A bar with its number, such as `[####----]  50%`. ASCII, so that no font widens it."""
    inside = cells - 2
    filled = min(inside, max(0, round(part * inside)))
    return f"[{'#' * filled}{'-' * (inside - filled)}] {part:4.0%}"
