"""The user's file of synonyms."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.query.synonyms import Synonyms, parse, read

FILE = """\ufeff# 우리 집
강아지, 개 ,멍멍이，댕댕이   # the dog
탈것 => 자동차, 버스
ＢＭＷ, 비엠더블유

개, 반려견
"""


def test_groups_hold_both_ways_and_arrows_one_way(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_text(FILE, encoding="utf-8")
    synonyms = read(file)
    assert synonyms.complaints == ()
    assert synonyms.of("강아지") == ("개", "멍멍이", "댕댕이")
    assert synonyms.of("개") == ("강아지", "멍멍이", "댕댕이", "반려견")
    assert synonyms.of("반려견") == ("개",)
    assert synonyms.of("탈것") == ("자동차", "버스")
    assert synonyms.of("자동차") == ()
    assert synonyms.of("bmw") == ("비엠더블유",)
    assert synonyms.of("고양이") == ()


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "synonyms.txt") == Synonyms()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("강아지", "two words or more"),
        ("강아지, 강아지", "two words or more"),
        ("강아지 =>", "on both sides"),
        ("=> 개", "on both sides"),
        ("개 => 개", "stand for itself"),
        (", ,", "two words or more"),
        (",".join(f"단어{number}" for number in range(65)), "64 words"),
    ],
)
def test_bad_lines_are_passed_over_and_named(line: str, problem: str) -> None:
    synonyms = parse(f"# 첫 줄\n{line}\n차, 승용차\n", "synonyms.txt")
    assert len(synonyms.complaints) == 1
    assert synonyms.complaints[0].startswith("synonyms.txt, line 2: ")
    assert problem in synonyms.complaints[0]
    assert synonyms.of("차") == ("승용차",)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    file = tmp_path / "synonyms.txt"
    file.write_bytes("강아지, 개".encode("cp949"))
    synonyms = read(file)
    assert synonyms.words == {}
    assert str(file) in synonyms.complaints[0]
    assert read(tmp_path).complaints


@given(st.text(max_size=200))
def test_any_text_is_a_file(text: str) -> None:
    synonyms = parse(text, "synonyms.txt")
    assert all(word not in synonyms.of(word) for word in synonyms.words)
