"""Numbers in Korean text, and the words that only look like numbers."""

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.korean.numerals import numbers, sino_reading, sino_value


def read(text: str) -> list[tuple[str, int, str]]:
    return [(text[n.start : n.end], n.value, n.counter) for n in numbers(text)]


@pytest.mark.parametrize(
    ("text", "span", "value", "counter"),
    [
        ("아이 3명이 뛴다", "3명", 3, "명"),
        ("아이 세 명이 뛴다", "세 명", 3, "명"),
        ("아이 세명", "세명", 3, "명"),
        ("세 사람", "세 사람", 3, "명"),
        ("3인용 소파", "3인", 3, "명"),
        ("노인 두 분이 앉는다", "두 분", 2, "명"),
        ("삼 분 동안", "삼 분", 3, "분"),
        ("13명", "13명", 13, "명"),
        ("십삼 명", "십삼 명", 13, "명"),
        ("열세 마리", "열세 마리", 13, "마리"),
        ("강아지두마리가", "두마리", 2, "마리"),
        ("스무 살", "스무 살", 20, "살"),
        ("20세", "20세", 20, "살"),
        ("스물두 살의", "스물두 살", 22, "살"),
        ("사과 1,234개", "1,234개", 1234, "개"),
        ("오백 원짜리", "오백 원", 500, "원"),
        ("두 번째 골", "두 번째", 2, "번째"),
        ("첫 번째", "첫 번째", 1, "번째"),
        ("한번 더", "한번", 1, "번"),
        ("제3회 대회", "제3회", 3, "회"),
        ("제삼회", "제삼회", 3, "회"),
        ("5층에서", "5층", 5, "층"),
        ("오층에서", "오층", 5, "층"),
        ("20대 남자", "20대", 20, "대"),
        ("이십대 남자", "이십대", 20, "대"),
        ("두 달", "두 달", 2, "개월"),
        ("십이월", "십이월", 12, "월"),
        ("유월에", "유월", 6, "월"),
        ("3학년", "3학년", 3, "학년"),
        ("백 명", "백 명", 100, "명"),
        ("3천 명", "3천 명", 3000, "명"),
        ("3만5천원", "3만5천원", 35000, "원"),
        ("이천이십육년", "이천이십육년", 2026, "년"),
        ("3kg", "3kg", 3, "kg"),
        ("50퍼센트", "50퍼센트", 50, "%"),
        ("아이 둘이 논다", "둘", 2, ""),
        ("다섯이서", "다섯", 5, ""),
        ("2026", "2026", 2026, ""),
        ("쉰두 명인 방", "쉰두 명", 52, "명"),
    ],
)
def test_numbers(text: str, span: str, value: int, counter: str) -> None:
    assert read(text) == [(span, value, counter)]


@pytest.mark.parametrize(
    "text",
    """
    만원 버스|이 개가|사 대|구 명|이번 역|사회|공사 현장|한 남자|한 병원|한 개인이|두 대문|열차|열대어
    두통|세대|네모|만개|천장
    사이|오이|구이|한국|모두 명령|만세|하나로마트|둘레길
    mp3|4k|3.5kg|이 층|강아지만 본다|세수|네|세 남자|한편|사장
    """.replace("\n", "|").split("|"),
)
def test_words_that_only_look_like_numbers(text: str) -> None:
    assert read(text.strip()) == []


def test_a_range_is_two_numbers_over_one_span() -> None:
    assert read("두세 명이") == [("두세 명", 2, "명"), ("두세 명", 3, "명")]
    assert read("서너 마리") == [("서너 마리", 3, "마리"), ("서너 마리", 4, "마리")]


def test_dates_and_times_are_bare_numbers() -> None:
    assert [value for _, value, _ in read("2026.11.20 10:30")] == [2026, 11, 20, 10, 30]


def test_several_numbers_in_one_text() -> None:
    assert read("고양이 두 마리와 강아지 3마리, 사람 열두 명") == [
        ("두 마리", 2, "마리"),
        ("3마리", 3, "마리"),
        ("열두 명", 12, "명"),
    ]


@given(st.integers(0, 10**12 - 1))
def test_sino_korean_readings_come_back(value: int) -> None:
    assert sino_value(sino_reading(value)) == value


@given(st.integers(0, 10**6), st.sampled_from("명 개 층 원 번째 마리".split()))
def test_digits_before_a_counter_are_always_read(value: int, counter: str) -> None:
    assert read(f"오늘 {value:,}{counter} 있다") == [(f"{value:,}{counter}", value, counter)]


@pytest.mark.parametrize("numeral", ["십십", "백천", "만만", "일이", "십백"])
def test_numerals_that_are_not_well_formed_have_no_value(numeral: str) -> None:
    assert sino_value(numeral) is None


@given(
    st.text(alphabet="한두세네열스물삼십백천만억이일사오명개번마리대제 019,.kgm%가은", max_size=30)
)
def test_spans_lie_in_order_within_the_text(text: str) -> None:
    found = numbers(text)
    assert all(0 <= n.start < n.end <= len(text) and n.value >= 0 for n in found)
    assert all(a.end <= b.start or (a.start, a.end) == (b.start, b.end) for a, b in pairwise(found))


@pytest.mark.parametrize(
    "piece", ["십", "9십", "1,", "1.", "9", "세명", "세 명", "열", "제삼", "명"]
)
def test_long_texts_take_linear_time(piece: str) -> None:
    # Quadratic time would be a minute here, linear time is a tenth of a second.
    began = process_time()
    numbers(piece * 20_000)
    assert process_time() - began < 5


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    numbers(text)
