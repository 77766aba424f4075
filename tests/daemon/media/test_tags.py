"""What a file says of itself comes out plain and bounded, whatever it says."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace
from typing import cast

import pytest
from av.container import InputContainer
from hypothesis import given
from hypothesis import strategies as st

from daemon.decoder.facts import Place
from daemon.decoder.tags import (
    MAX_CHAPTERS,
    chapters_of,
    clean,
    created_from,
    parse_place,
    place_from,
    tags_from,
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("+37.5665+126.9780+038.500/", Place(37.5665, 126.978, 38.5)),
        ("-33.8688+151.2093/", Place(-33.8688, 151.2093, None)),
        ("+40.20361-075.00417CRSWGS_84/", Place(40.20361, -75.00417, None)),
        ("+4012.22-07500.25/", Place(40 + 12.22 / 60, -(75 + 0.25 / 60), None)),
        ("+401213.1-0750015.1+2.79/", Place(40.20364, -75.00419, 2.79)),
        ("+90+180/", Place(90.0, 180.0, None)),
        ("+37.5665+126.9780+999999/", Place(37.5665, 126.978, None)),
        ("+00.0000+000.0000/", None),
        ("+91.0+100.0/", None),
        ("+10.0+180.1/", None),
        ("+377+1269/", None),
        ("37.5665,126.9780", None),
        ("+٣٧.٥+١٢٦.٩/", None),
        ("+nan+nan/", None),
        ("", None),
    ],
)
def test_a_place_is_read(text: str, place: Place | None) -> None:
    found = parse_place(text)
    if place is None or found is None:
        assert found is place
        return
    assert found.latitude == pytest.approx(place.latitude, abs=1e-4)
    assert found.longitude == pytest.approx(place.longitude, abs=1e-4)
    assert found.altitude == place.altitude


@given(st.one_of(st.text(max_size=60), st.from_regex(r"[+-][0-9.]{1,9}[+-][0-9.]{1,9}/")))
def test_a_place_is_on_the_earth(text: str) -> None:
    found = parse_place(text)
    if found is not None:
        assert math.isfinite(found.latitude)
        assert abs(found.latitude) <= 90
        assert abs(found.longitude) <= 180


def test_the_phone_s_own_place_comes_first() -> None:
    known = {
        "location": "+10+020/",
        "com.apple.quicktime.location.iso6709": "nothing",
        "location-eng": "+30+040/",
    }
    assert place_from(known) == Place(10.0, 20.0, None)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("제주도 여행", "제주도 여행"),
        ("\u1112\u1161\u1102\u1173\u11af", "하늘"),
        ("two\nlines\tand\u2003wide", "two lines and wide"),
        ("\x1b[2J\x00\x9bred\u202e\u2066\ufeff", "[2Jred"),
        ("family \U0001f468\u200d\U0001f469\u200d\U0001f467", "family 👨\u200d👩\u200d👧"),
        ("\ud800lone\ue000", "lone"),
        ("   ", ""),
    ],
)
def test_a_text_is_cleaned(text: str, cleaned: str) -> None:
    assert clean(text, 50) == cleaned


@given(st.text(alphabet=st.characters(), max_size=300))
def test_a_clean_text_is_short_one_line_and_utf8(text: str) -> None:
    cleaned = clean(text, 40)
    assert len(cleaned) <= 40
    assert cleaned.encode() == clean(cleaned, 40).encode()
    assert cleaned.isprintable() or "\u200c" in cleaned or "\u200d" in cleaned


def test_tags_of_phones_and_cameras() -> None:
    known = {
        "com.apple.quicktime.make": "Apple",
        "com.android.model": "SM-S921N",
        "title": "\x00",
        "com.apple.quicktime.title": "여름",
        "synopsis": "바다",
    }
    tags = tags_from(known)
    assert (tags.make, tags.model, tags.title) == ("Apple", "SM-S921N", "여름")
    assert (tags.artist, tags.description) == ("", "바다")


@pytest.mark.parametrize(
    ("known", "created"),
    [
        ({"creation_time": "2024-05-01T12:34:56.000000Z"}, "2024-05-01T12:34:56+00:00"),
        ({"creation_time": "2024-05-01T12:34:56"}, None),
        ({"creation_time": "1904-01-01T00:00:00Z"}, None),
        ({"creation_time": "9" * 5000}, None),
        (
            {
                "creation_time": "2024-05-01T12:34:56Z",
                "com.apple.quicktime.creationdate": "2024-05-01T21:34:56+0900",
            },
            "2024-05-01T21:34:56+09:00",
        ),
    ],
)
def test_when_it_was_filmed(known: dict[str, str], created: str | None) -> None:
    assert created_from(known) == created


def test_chapters_are_bounded_and_lie_within() -> None:
    base = Fraction(1, 1000)
    raw = [
        {"start": -(2**63), "end": 2**63 - 1, "time_base": base, "metadata": {"title": "all"}},
        {"start": 5000, "end": 4000, "time_base": base, "metadata": {}},
        {"start": 2000, "end": 3000, "time_base": None, "metadata": {}},
        *({"start": i, "end": i + 1, "time_base": base, "metadata": {}} for i in range(2000)),
    ]
    container = cast("InputContainer", SimpleNamespace(chapters=lambda: raw))
    chapters = chapters_of(container, 0.0, 1.5)
    assert len(chapters) <= MAX_CHAPTERS
    assert (chapters[0].start, chapters[0].title) in {(0.0, "all"), (0.0, "")}
    assert all(0 <= chapter.start < chapter.end <= 1.5 for chapter in chapters)
