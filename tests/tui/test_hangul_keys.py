"""Letters typed in Hangul mode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.hangul_keys import latin_keys, latin_letters


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("ㅓ", ("j",)),
        ("ㅏ", ("k",)),
        ("ㅂ", ("q",)),
        ("허", ("g", "j")),
        ("ㄲ", ("R",)),
        ("값", ("r", "k", "q", "t")),
        ("왜", ("d", "h", "o")),
        ("ㅄ", ("q", "t")),
        ("ctrl+ㅊ", ("ctrl+c",)),
        ("j", ()),
        ("enter", ()),
        ("漢", ()),
    ],
)
def test_the_keys_under_hangul(typed: str, keys: tuple[str, ...]) -> None:
    assert latin_keys(typed, typing=False) == keys


def test_text_stays_text_in_a_box() -> None:
    assert latin_keys("ㅓ", typing=True) == ()
    assert latin_keys("ctrl+ㅊ", typing=True) == ("ctrl+c",)


@given(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")))
def test_every_syllable_has_two_to_five_keys(syllable: str) -> None:
    letters = latin_letters(syllable)
    assert 2 <= len(letters) <= 5
    assert letters.isascii()
    assert letters.isalpha()
