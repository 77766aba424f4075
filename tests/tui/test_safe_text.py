"""Text from outside cannot steer the terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from tui.safe_text import shown, typed

ANY_TEXT = st.text(st.characters(), max_size=60)


@given(ANY_TEXT)
def test_nothing_that_steers_is_left(text: str) -> None:
    safe = shown(text)
    assert len(safe) == len(text)
    assert all(unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"} for c in safe)
    assert not any(unicodedata.bidirectional(c) in _STEERING for c in safe)
    safe.encode("utf-8")
    assert shown(safe) == safe


_STEERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(ANY_TEXT)
def test_lines_keep_their_feeds_only(text: str) -> None:
    assert shown(text, lines=True).split("\n") == [shown(line) for line in text.split("\n")]


def test_pictures_of_control_characters() -> None:
    assert shown("a\x1b[31m\x7f\x85\u202e\ud800") == "a␛[31m␡\ufffd\ufffd\ufffd"


def test_markup_is_text() -> None:
    assert Text(shown("[red]영상[/]")).plain == "[red]영상[/]"


@given(ANY_TEXT)
def test_typed_text_is_composed(text: str) -> None:
    assert unicodedata.is_normalized("NFC", typed(text))


def test_loose_jamo_become_syllables() -> None:
    assert typed(unicodedata.normalize("NFD", "강아지\r\n둘")) == "강아지\n둘"
