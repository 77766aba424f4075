"""Days as people write them in a query: 2026, 2026-11, 2026-11-20, 어제, 지난달, 7d, 3주."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

# Compiled when a date is asked for, as most queries have none.
_WRITTEN = r"([0-9]{4})(?:([-./])([0-9]{1,2})(?:\2([0-9]{1,2}))?)?[-./]?"
_SOLID = r"([0-9]{4})([0-9]{2})([0-9]{2})"
_KOREAN = r"([0-9]{4})년(?:([0-9]{1,2})월(?:([0-9]{1,2})일)?)?"
_AGO = r"([0-9]{1,4})(d|w|m|y|일|주|개월|달|년)전?"
_DAYS_AGO = {"오늘": 0, "today": 0, "어제": 1, "yesterday": 1, "그제": 2, "그저께": 2}
_MONTHS_AGO = {
    "이번달": 0,
    "지난달": 1,
    "저번달": 1,
    "올해": 0,
    "작년": 12,
    "지난해": 12,
    "재작년": 24,
}
_MONTHS = {"m": 1, "개월": 1, "달": 1, "y": 12, "년": 12}
_DAYS = {"d": 1, "일": 1, "w": 7, "주": 7}


def is_day(text: str) -> bool:
    """Whether a text in normal form names a day, a month, a year or a time ago."""
    return _start(text, 1_767_225_600) is not None


def start_of(text: str, now: int) -> int:
    """The instant that a day, month or year begins, at midnight here, in seconds since 1970.

    `now` is an instant too. Raises `ValueError` for a text of which `is_day` is False.
    """
    instant = _start(text, now)
    if instant is None:
        raise ValueError(f"{text!r} is no day")
    return instant


@lru_cache(maxsize=64)
def _start(text: str, now: int) -> int | None:
    # Imported here for the same reason: a command must start fast.
    from datetime import datetime, timedelta

    today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if text in _DAYS_AGO:
            day = today - timedelta(days=_DAYS_AGO[text])
        elif text in ("이번주", "지난주"):
            day = today - timedelta(days=today.weekday() + (7 if text == "지난주" else 0))
        elif text in _MONTHS_AGO:
            first = _months_before(today.replace(day=1), _MONTHS_AGO[text])
            day = first if text.endswith("달") else first.replace(month=1)
        elif ago := re.fullmatch(_AGO, text):
            count, unit = int(ago[1]), ago[2]
            if unit in _DAYS:
                day = today - timedelta(days=count * _DAYS[unit])
            else:
                day = _months_before(today, count * _MONTHS[unit])
        else:
            year, month, number = _numbers(text)
            day = datetime(year, month, number)
        return int(day.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _numbers(text: str) -> tuple[int, int, int]:
    if solid := re.fullmatch(_SOLID, text):
        return int(solid[1]), int(solid[2]), int(solid[3])
    if written := re.fullmatch(_WRITTEN, text):
        return int(written[1]), int(written[3] or 1), int(written[4] or 1)
    if korean := re.fullmatch(_KOREAN, text):
        return int(korean[1]), int(korean[2] or 1), int(korean[3] or 1)
    raise ValueError(text)


def _months_before(day: "datetime", months: int) -> "datetime":
    """The same day so many months before, or the last one that the month has."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return day.replace(year=year, month=month + 1, day=min(day.day, last))
        except ValueError:
            if year < 1 or last == 28:
                raise
    raise AssertionError("every month has 28 days")
