"""The time of day as the catalog stores it: whole seconds since 1970, UTC."""

import time
from datetime import UTC, datetime


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())


def iso(seconds: int) -> str:
    """ISO 8601 in UTC, such as `2026-11-20T14:03:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> int:
    """Reads what `iso` wrote, or any ISO 8601 time with a zone. Raises `ValueError`."""
    return int(datetime.fromisoformat(text).timestamp())
