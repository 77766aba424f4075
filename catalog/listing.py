"""What a list of the whole catalog shows: every id in order, and the few columns of the rows in sight.

A list of a million videos asks for the order once, and for rows by the page.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalog.sqlite import sqlite3

LINE_LENGTH = 400
"""No list shows more code points of a caption than these in one line."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One video as a list shows it. `duration` is seconds."""

    id: int
    status: str
    duration: float | None
    title: str
    line: str
    """The beginning of the caption without line breaks; empty where there is none."""
    by_human: bool
    progress: float
    """Of the newest job, from 0 to 1."""
    error_code: str | None
    """Of the newest job, if it failed."""


def newest_ids(connection: "sqlite3.Connection", limit: int | None = None) -> "array[int]":
    """The ids of all videos, the newest first; or only so many of them."""
    rows = connection.execute(
        "SELECT id FROM video ORDER BY id DESC LIMIT ?", (-1 if limit is None else limit,)
    )
    return array("q", (row[0] for row in rows))


_ROWS = """
    SELECT video.id, video.status, video.duration, video.title, caption.origin,
           substr(caption.text, 1, :length) AS text, job.state, job.progress, job.error_code
    FROM video
    LEFT JOIN caption ON caption.id = video.caption_id
    LEFT JOIN job ON job.id = (SELECT max(id) FROM job WHERE job.video_id = video.id)
    WHERE video.id IN ({ids})
"""


def list_rows(connection: "sqlite3.Connection", ids: Sequence[int]) -> Iterator[ListRow]:
    """The rows of one page, in any order; ids that are gone are left out."""
    query = _ROWS.format(ids=",".join(str(int(video_id)) for video_id in ids))
    for row in connection.execute(query, {"length": LINE_LENGTH}):
        yield ListRow(
            id=row["id"],
            status=row["status"],
            duration=row["duration"],
            title=row["title"],
            line=" ".join((row["text"] or "").split()),
            by_human=row["origin"] == "human",
            progress=row["progress"] or 0.0,
            error_code=row["error_code"] if row["state"] in ("failed", "dead") else None,
        )


def data_version(connection: "sqlite3.Connection") -> int:
    """A number that changes whenever another connection has committed. Costs some microseconds."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def without_caption(connection: "sqlite3.Connection") -> int:
    """How many videos no search by content can find yet."""
    row = connection.execute("SELECT count(*) FROM video WHERE caption_id IS NULL").fetchone()
    return int(row[0])
