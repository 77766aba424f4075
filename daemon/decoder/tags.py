"""Reads what a file says of itself: tags, place, time, chapters, streams; none of it to be trusted.

Whoever made the file wrote these, so what comes out is plain, finite and bounded: strings without
control characters, coordinates on the Earth, chapters within the video.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

import av.error
from av.stream import Disposition

from daemon.decoder.facts import Chapter, Place, Tags, Track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from av.container import InputContainer
    from av.container.core import Chapter as RawChapter
    from av.stream import Stream

MAX_NAME = 200
"""Characters kept of a title, a name or a codec."""

MAX_TEXT = 2000
"""Characters kept of a description."""

MAX_CHAPTERS = 500

NOT_MOVING = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
"""Marks of a video stream that holds a cover or thumbnails."""

_TITLE = ("title", "com.apple.quicktime.title", "com.apple.quicktime.displayname")
_ARTIST = ("artist", "author", "album_artist", "com.apple.quicktime.author", "composer")
_DESCRIPTION = ("description", "comment", "synopsis", "com.apple.quicktime.description")
_MAKE = ("make", "com.apple.quicktime.make", "com.android.manufacturer", "manufacturer")
_MODEL = ("model", "com.apple.quicktime.model", "com.android.model", "product_name")
_LOCATION = ("com.apple.quicktime.location.iso6709", "location", "location-eng")
# The phone's own key knows the local zone; the others are UTC.
_CREATED = ("com.apple.quicktime.creationdate", "creation_time")

_JOINERS = "\u200c\u200d"
"""What joins letters and emoji: format characters too, but they are part of the text."""

_POINT = re.compile(
    r"""(?P<latitude>[+-]\d{2,6}(?:\.\d{1,12})?)
        (?P<longitude>[+-]\d{3,7}(?:\.\d{1,12})?)
        (?P<altitude>[+-]\d{1,6}(?:\.\d{1,12})?)?""",
    re.VERBOSE | re.ASCII,
)
"""ISO 6709, annex H: `+37.5665+126.9780+038.0/`."""

_ALTITUDES = (-12_000.0, 100_000.0)
"""Metres, from the deepest sea to space."""


def known_tags(container: InputContainer, stream: Stream) -> dict[str, str]:
    """Returns the tags of a file and of one stream by key in lower case; the file's come first."""
    tags: dict[str, str] = {}
    for source in (container.metadata, stream.metadata):
        for key, value in source.items():
            tags.setdefault(key.lower(), value)
    return tags


def tags_from(known: Mapping[str, str]) -> Tags:
    """Picks the tags that a person may want to see."""
    return Tags(
        title=_first(known, _TITLE, MAX_NAME),
        artist=_first(known, _ARTIST, MAX_NAME),
        description=_first(known, _DESCRIPTION, MAX_TEXT),
        make=_first(known, _MAKE, MAX_NAME),
        model=_first(known, _MODEL, MAX_NAME),
    )


def created_from(known: Mapping[str, str]) -> str | None:
    """Returns when it was filmed, ISO 8601 with its zone, if the file says so."""
    for key in _CREATED:
        try:
            moment = datetime.fromisoformat(known.get(key, "").strip()[:40])
        except ValueError:
            continue
        # Cameras without a set clock write the zero of their epoch: 1904 or 1970.
        if moment.tzinfo is not None and moment.year > 1970:
            return moment.isoformat()
    return None


def place_from(known: Mapping[str, str]) -> Place | None:
    """Returns where it was filmed, if the file says so."""
    for key in _LOCATION:
        place = parse_place(known.get(key, ""))
        if place is not None:
            return place
    return None


def parse_place(text: str) -> Place | None:
    """Reads a point of ISO 6709, annex H; None of what is none, or lies outside of the Earth."""
    found = _POINT.match(text.strip()[:100])
    if found is None:
        return None
    latitude = _degrees(found["latitude"], 2)
    longitude = _degrees(found["longitude"], 3)
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    # A camera that has not found its place yet writes zeros.
    if latitude == 0 and longitude == 0:
        return None
    altitude = float(found["altitude"]) if found["altitude"] else None
    if altitude is not None and not _ALTITUDES[0] <= altitude <= _ALTITUDES[1]:
        altitude = None
    return Place(latitude, longitude, altitude)


def chapters_of(container: InputContainer, start: float, duration: float) -> tuple[Chapter, ...]:
    """Returns the chapters that lie within a video, by time; `start` is its first frame's time."""
    chapters = []
    for raw in container.chapters()[:MAX_CHAPTERS]:
        begin, end = _span(raw, start)
        begin, end = max(begin, 0.0), min(end, duration)
        if begin < end:
            chapters.append(Chapter(begin, end, clean(raw["metadata"].get("title", ""), MAX_NAME)))
    return tuple(sorted(chapters, key=lambda chapter: (chapter.start, chapter.end)))


def tracks_of(container: InputContainer) -> tuple[Track, ...]:
    """Returns the streams of a file in their order; opening has bounded their number."""
    return tuple(
        Track(
            kind="picture" if stream.disposition & NOT_MOVING else stream.type,
            codec=_codec(stream),
            language=_language(stream),
            title=clean(stream.metadata.get("title", ""), MAX_NAME),
            default=bool(stream.disposition & Disposition.default),
        )
        for stream in container.streams
    )


def clean(text: str, length: int) -> str:
    """Returns a text in one line, without what a terminal or a browser could act upon."""
    # Bounded before as well, so that a tag of many megabytes costs nothing.
    composed = unicodedata.normalize("NFC", text[: 4 * length])
    plain = "".join(
        " " if letter.isspace() else letter
        for letter in composed
        if letter.isspace()
        or letter in _JOINERS
        or not unicodedata.category(letter).startswith("C")
    )
    return " ".join(plain.split())[:length].rstrip()


def _first(known: Mapping[str, str], keys: tuple[str, ...], length: int) -> str:
    texts = (clean(known.get(key, ""), length) for key in keys)
    return next((text for text in texts if text), "")


def _degrees(text: str, whole: int) -> float | None:
    """Reads degrees of `whole` digits, perhaps followed by two of minutes and two of seconds."""
    digits = len(text.partition(".")[0]) - 1
    if digits not in (whole, whole + 2, whole + 4):
        return None
    value = abs(float(text))
    if digits == whole + 4:
        value = value // 10_000 + value // 100 % 100 / 60 + value % 100 / 3600
    elif digits == whole + 2:
        value = value // 100 + value % 100 / 60
    return math.copysign(value, float(text))


def _language(stream: Stream) -> str:
    name = clean(stream.metadata.get("language", ""), MAX_NAME)
    return "" if name == "und" else name


def _span(raw: RawChapter, start: float) -> tuple[float, float]:
    base = raw["time_base"] or 0
    return float(raw["start"] * base) - start, float(raw["end"] * base) - start


def _codec(stream: Stream) -> str:
    try:
        # A stream whose codec libav does not know comes without a context.
        context = stream.codec_context
        name = context.codec.canonical_name if context is not None else stream.name
    except (AttributeError, av.error.FFmpegError):
        return ""
    return clean(name or "", MAX_NAME)
