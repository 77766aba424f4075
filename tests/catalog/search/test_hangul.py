"""Hangul letter by letter: keystrokes, syllables, initials, typing errors."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.korean.hangul import (
    compose,
    has_final,
    initials,
    is_hangul_word,
    is_initials,
    keystrokes,
    spelt_initials,
    split_partial,
    typo_distance,
)

SYLLABLES = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), max_size=8)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("강아지", "ㄱㅏㅇㅇㅏㅈㅣ"),
        ("과일", "ㄱㅗㅏㅇㅣㄹ"),
        ("닭값", "ㄷㅏㄹㄱㄱㅏㅂㅅ"),
        ("까치 얘", "ㄲㅏㅊㅣ ㅇㅒ"),
        ("ㄳㅘ", "ㄱㅅㅗㅏ"),
        ("cctv 3대", "cctv 3ㄷㅐ"),
        ("", ""),
    ],
)
def test_keystrokes(text: str, keys: str) -> None:
    assert keystrokes(text) == keys
    assert keystrokes(keys) == keys


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ("ㄱ 고 공 고야 고양 고양ㅇ 고양이", "고양이"),
        ("ㅊ 처 청 청ㅅ 청서 청설 청설ㅁ 청설모", "청설모"),
        ("ㄷ 다 달 닭 달기", "달기"),
        ("ㄱ 고 과 광 과이 과일", "과일"),
        ("ㄱ 가 갑 값 갑시", "갑시"),
    ],
)
def test_whatever_the_input_method_shows_begins_the_words_keystrokes(
    states: str, word: str
) -> None:
    for state in states.split():
        assert keystrokes(word).startswith(keystrokes(state))


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("ㄱㅏㄴㅏ", "가나"),
        ("ㄷㅏㄹㄱㅏ", "달가"),
        ("ㄷㅏㄹㄱㄷㅏ", "닭다"),
        ("ㄲㅏㄸㅏ", "까따"),
        ("ㅇㅗㅏㅣ", "와ㅣ"),
        ("ㄱㄱㅏ", "ㄱ가"),
        ("ㅗㅏ", "ㅘ"),
        ("ㅋㅋㅋ", "ㅋㅋㅋ"),
        ("가ㄴㅏ", "가나"),
        ("ㄱㅏ1ㅏ", "가1ㅏ"),
    ],
)
def test_compose(keys: str, text: str) -> None:
    assert compose(keys) == text


@given(SYLLABLES)
def test_words_come_back_from_their_keystrokes(word: str) -> None:
    assert compose(keystrokes(word)) == word


@given(st.text(alphabet="ㄱㄲㄳㄸㅏㅐㅘㅢㅣ가값뷁 a1", max_size=12))
def test_composing_loses_no_key(text: str) -> None:
    assert keystrokes(compose(text)) == keystrokes(text)


def test_initials() -> None:
    assert initials("강아지 3마리") == "ㄱㅇㅈ 3ㅁㄹ"
    assert initials("까치") == "ㄲㅊ"
    assert is_initials("ㄱㅇㅇ")
    assert is_initials("ㄳ")
    assert not is_initials("")
    assert not is_initials("ㄱㅏ")
    assert not is_initials("고ㅇ")
    assert spelt_initials("ㄳㅎ") == "ㄱㅅㅎ"


def test_kinds_of_words() -> None:
    assert is_hangul_word("강아지")
    assert not is_hangul_word("")
    assert not is_hangul_word("강아ㅈ")
    assert not is_hangul_word("k팝")
    assert has_final("강")
    assert not has_final("가")
    assert not has_final("ㄱ")


@pytest.mark.parametrize(
    ("word", "whole", "partial"),
    [
        ("고양ㅇ", "고양", "ㅇ"),
        ("고양잉", "고양이", "ㅇ"),
        ("두쫀쿨", "두쫀쿠", "ㄹ"),
        ("두쫀ㅋㅋ", "두쫀", "ㅋㅋ"),
        ("닭", "달", "ㄱ"),
        ("갂", "가", "ㄲ"),
        ("고양이", "고양이", ""),
        ("ㄳ", "", "ㄱㅅ"),
        ("cctv", "cctv", ""),
        ("", "", ""),
    ],
)
def test_a_word_under_way_splits(word: str, whole: str, partial: str) -> None:
    assert split_partial(word) == (whole, partial)
    assert keystrokes(whole) + partial == keystrokes(word)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("강아지", "강아지", 0),
        ("강아지", "갈아지", 0.8),  # ㅇ and ㄹ lie side by side
        ("강아지", "강야지", 0.8),
        ("고양이", "고얌이", 1),
        ("횡단보도", "횡단보드", 1),
        ("횡단보도", "힁단보도", 1),
        ("강아지", "가아지", 1),
        ("강아지", "강아지지", 2),
        ("고양이", "고야잉", 1),  # two keys swapped
        ("베개", "배게", 1.4),
        ("괴물", "궤물", 0.7),
        ("왜가리", "웨가리", 0.7),
        ("까치", "가치", 0.7),
        ("카페", "까페", 0.7),
        ("강아지", "강지아", inf),
        ("바다", "", inf),
    ],
)
def test_typing_errors_have_a_distance(a: str, b: str, distance: float) -> None:
    assert typo_distance(a, b, 2) == pytest.approx(distance)
    assert typo_distance(b, a, 2) == pytest.approx(distance)


@given(SYLLABLES, SYLLABLES, st.sampled_from([0.5, 1.0, 1.6, 2.0]))
def test_the_limit_only_hides_distances_above_it(a: str, b: str, limit: float) -> None:
    full = typo_distance(a, b, 100)
    assert typo_distance(a, b, limit) == (pytest.approx(full) if full <= limit else inf)


@given(SYLLABLES, st.integers(0, 30))
def test_a_missing_key_costs_at_most_one(word: str, place: int) -> None:
    keys = keystrokes(word)
    assert typo_distance(keys, keys[:place] + keys[place + 1 :], 1) <= 1
