"""How fast videos were captioned lately, and so how long the rest may take."""

from collections.abc import Iterable

from catalog.browse import Connection

_LATELY = 50
"""Jobs that are looked at. Lengths of videos differ, so few would say little."""
_LEAST = 3


def seconds_a_job(connection: Connection) -> float | None:
    """Seconds of work a video took on average lately; None before a few have been done.

    Jobs run beside each other, so what counts is the time in which any of them ran.
    """
    rows = connection.execute(
        "SELECT started_at, finished_at FROM job WHERE state = 'done' AND started_at IS NOT NULL"
        " ORDER BY finished_at DESC LIMIT ?",
        (_LATELY,),
    ).fetchall()
    if len(rows) < _LEAST:
        return None
    return covered((row["started_at"], row["finished_at"]) for row in rows) / len(rows)


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of the union of spans."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def backlog_seconds(connection: Connection, jobs: int) -> float | None:
    """How long so many jobs may take, by the pace of late; None where nothing is known of it."""
    pace = seconds_a_job(connection)
    return None if pace is None else jobs * pace
