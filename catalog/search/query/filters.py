"""Filters of a query as SQL about the alias `v` (a video), every value a bound parameter."""

import os.path
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from catalog.search.query.days import start_of
from catalog.search.query.syntax import Filter

if TYPE_CHECKING:
    from catalog.sqlite import sqlite3

Values = dict[str, str | float]
"""Bound values by the names of their parameters."""

_RECORDED = "coalesce(unixepoch(v.recorded_at), v.added_at)"
_LENGTH_SLACK_SECONDS = 0.5  # a player shows 59.6 seconds as 1:00

# The table that holds a text of a video, and the test of its rows. LIKE folds the case of ASCII letters.
_TEXTS = {
    "path": ("location", "x.path_key LIKE :value ESCAPE '\\'"),
    "folder": ("location", "x.path_key LIKE :value ESCAPE '\\'"),
    "tag": ("tag", "x.name LIKE :value ESCAPE '\\'"),
}
_MODEL = (
    "EXISTS (SELECT 1 FROM caption c WHERE c.id = v.caption_id AND c.model LIKE :value ESCAPE '\\')"
)
_FACTS = {
    "caption": "v.caption_id IS NOT NULL",
    "photo": "v.duration IS 0",
    "tag": "EXISTS (SELECT 1 FROM tag t WHERE t.video_id = v.id)",
    "note": "EXISTS (SELECT 1 FROM scene s WHERE s.video_id = v.id AND s.caption_id IS NOT NULL)",
    "edit": "EXISTS (SELECT 1 FROM caption c WHERE c.video_id = v.id AND c.origin = 'human')",
    "proposal": "EXISTS (SELECT 1 FROM caption c WHERE c.video_id = v.id AND c.proposed = 1)",
    "edited": (
        "EXISTS (SELECT 1 FROM caption c WHERE c.video_id = v.id AND c.origin = 'human'"
        " AND (c.id = v.caption_id OR EXISTS (SELECT 1 FROM scene s WHERE s.caption_id = c.id"
        " AND s.video_id = v.id)))"
    ),
}
_COSTLY = frozenset("tag note edit proposal edited".split())
"""Facts that take a look-up for every video."""


def condition(
    filters: Iterable[Filter], now: int, *, all_videos: bool = False
) -> tuple[str, Values]:
    """The SQL condition that the filters make together, and its values; `1` if there are none.

    `now` is an instant. The condition is made to be asked of a few videos; with `all_videos` of all of
    them, when reading the paths or tags once is cheaper than looking them up for each.
    """
    conditions: list[str] = []
    values: Values = {}
    for number, wanted in enumerate(filters):
        sql, bound = _condition(wanted, now, all_videos)
        for name, value in bound.items():
            sql = sql.replace(f":{name}", f":filter_{number}_{name}")
            values[f"filter_{number}_{name}"] = value
        # A video whose length is unknown is not "not longer than a minute", so NULL fails either way.
        conditions.append(f"NOT ({sql})" if wanted.excluded else f"({sql})")
    return " AND ".join(conditions) or "1", values


def selective(
    connection: "sqlite3.Connection", filters: Sequence[Filter], most: int, now: int
) -> list[int] | None:
    """The videos that satisfy the filters, newest first; None if there are more than `most`.

    None too without filters, and where each video would have to be looked up in another table.
    """
    narrowed = any(wanted.name == "status" and not wanted.excluded for wanted in filters)
    costly = any(wanted.name == "model" or wanted.value in _COSTLY for wanted in filters)
    if not filters or (costly and not narrowed):
        return None
    sql, values = condition(filters, now, all_videos=True)
    rows = connection.execute(
        f"SELECT v.id FROM video v WHERE {sql} ORDER BY v.id DESC LIMIT :most_and_one",
        {**values, "most_and_one": most + 1},
    ).fetchall()
    return [row[0] for row in rows] if len(rows) <= most else None


def _condition(wanted: Filter, now: int, all_videos: bool) -> tuple[str, Values]:
    """One filter, its parameters still named for itself alone."""
    if isinstance(wanted.value, str):
        return _of_text(wanted.name, wanted.value, now, all_videos)
    if isinstance(wanted.value, tuple):
        low, high = wanted.value
        return "v.duration BETWEEN :low AND :high", {"low": low, "high": high}
    if wanted.operator not in ("<", "<=", ">", ">="):
        slack = _LENGTH_SLACK_SECONDS
        return "v.duration >= :low AND v.duration < :high", {
            "low": wanted.value - slack,
            "high": wanted.value + slack,
        }
    return f"v.duration {wanted.operator} :value", {"value": wanted.value}


def _of_text(name: str, value: str, now: int, all_videos: bool) -> tuple[str, Values]:
    if name in ("has", "is") and value in _FACTS:
        return _FACTS[value], {}
    if name in ("status", "is"):
        return "v.status = :value", {"value": value}
    if name in ("after", "before"):
        return f"{_RECORDED} {'>=' if name == 'after' else '<'} :value", {
            "value": start_of(value, now)
        }
    pattern: Values = {"value": _pattern(name, value)}
    if name == "model":
        return _MODEL, pattern
    table, test = _TEXTS[name]
    if all_videos:
        return f"v.id IN (SELECT x.video_id FROM {table} x WHERE {test})", pattern
    return f"EXISTS (SELECT 1 FROM {table} x WHERE x.video_id = v.id AND {test})", pattern


def _pattern(name: str, value: str) -> str:
    """What LIKE looks for: a whole tag, a folder by its path or by its name on the way, else a part."""
    if name == "tag":
        return _escaped(value.removeprefix("#"))
    if name != "folder":
        return f"%{_escaped(value)}%"
    folder = _escaped(os.path.expanduser(value).rstrip("/"))
    return f"{folder}/%" if value.startswith(("/", "~")) else f"%/{folder.lstrip('/')}/%"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
