"""Words typed on the wrong keyboard layout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.korean.keyboard import hangul_candidates, hangul_from_latin, latin_from_hangul

SYLLABLES = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), max_size=8)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ("rkddkwl", "강아지"),
        ("rhdiddl", "고양이"),
        ("Rkcl", "까치"),
        ("ektlek", "다시다"),
        ("ghldeksqheh 2", "횡단보도 2"),
        ("EJrqhRDL", "떡볶이"),
        ("qwl", "ㅂ지"),
    ],
)
def test_hangul_from_latin(keys: str, word: str) -> None:
    assert hangul_from_latin(keys) == word


@pytest.mark.parametrize(
    ("typed", "latin"),
    [("ㅊㅊㅅㅍ", "cctv"), ("ㅠㅡㅈ", "bmw"), ("ㅕㄴㅠ", "usb"), ("4ㅏ", "4k")],
)
def test_latin_from_hangul(typed: str, latin: str) -> None:
    assert latin_from_hangul(typed) == latin


@pytest.mark.parametrize(
    ("keys", "word"),
    [("rkcl", "까치"), ("rkddkwl", "강아지"), ("ejrqhrdl", "떡볶이"), ("rhc", "꽃"), ("qkd", "빵")],
)
def test_lost_capitals_are_tried(keys: str, word: str) -> None:
    candidates = hangul_candidates(keys)
    assert word in candidates
    assert len(candidates) <= 12
    assert candidates[0] == hangul_from_latin(keys)


def test_what_types_no_syllables_has_no_candidates() -> None:
    assert hangul_candidates("bmw") == ()
    assert hangul_candidates("cctv") == ()
    assert hangul_candidates("2026") == ()
    assert hangul_candidates("") == ()


@given(SYLLABLES)
def test_a_word_survives_both_layouts_but_for_shift(word: str) -> None:
    latin = latin_from_hangul(word)
    assert latin == latin.lower()
    assert latin.isascii()
    assert latin_from_hangul(hangul_from_latin(latin)) == latin


@given(st.text(max_size=300))
def test_any_text_has_few_candidates(text: str) -> None:
    assert len(hangul_candidates(text)) <= 12
