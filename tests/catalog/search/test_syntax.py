"""The language of queries, and days as people write them."""

from datetime import datetime
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.search.query.days import is_day, start_of
from catalog.search.query.syntax import Filter, Phrase, Query, parse

NOON = int(datetime(2026, 11, 20, 12).timestamp())  # a Friday


def shown(query: str) -> str:
    """Groups as text: phrases in quotes, alternatives joined by /, exclusions with a minus."""
    return " ".join(
        ("-" if group.excluded else "")
        + "/".join(f"'{a.text}'" if isinstance(a, Phrase) else a.text for a in group.alternatives)
        for group in parse(query).groups
    )


@pytest.mark.parametrize(
    ("query", "groups"),
    [
        ("강아지 공원", "강아지 공원"),
        ('"빨간  우산" 아이', "'빨간 우산' 아이"),
        ("“빨간 우산” 아이", "'빨간 우산' 아이"),
        ("「빨간 우산」 아이", "'빨간 우산' 아이"),
        ('아이 "빨간 우산', "아이 '빨간 우산'"),
        ('27" 모니터', "27 모니터"),
        ("강아지 -고양이", "강아지 -고양이"),
        ("강아지 －고양이", "강아지 -고양이"),
        ('-"흰 눈"', "-'흰 눈'"),
        ("k-pop", "k-pop"),
        ("ＢＭＷ", "bmw"),
        ("강아지 OR 고양이 공원", "강아지/고양이 공원"),
        ("강아지 ＯＲ 고양이", "강아지/고양이"),
        ("강아지|고양이", "강아지/고양이"),
        ('a OR b OR "c d" e', "a/b/'c d' e"),
        ("강아지 or 고양이", "강아지 or 고양이"),
        ("OR 강아지", "or 강아지"),
        ("강아지 OR", "강아지 or"),
        ("| 강아지 |", "강아지"),
        ("강아지 OR -고양이", "강아지 or -고양이"),
        ("10:30", "10:30"),
        ("https://example.org/a", "https://example.org/a"),
        ("제목:여행", "제목:여행"),
        ("after:banana", "after:banana"),
        ("len:길게", "len:길게"),
        ("has:gps", "has:gps"),
        ("path:", "path:"),
        ("- a", "a"),
        ('"" - * ()', ""),
        ("", ""),
    ],
)
def test_words_phrases_exclusions_and_or(query: str, groups: str) -> None:
    assert shown(query) == groups
    assert parse(query).filters == ()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("path:여행", Filter("path", ":", "여행")),
        ("경로：여행", Filter("path", ":", "여행")),
        ('폴더:"제주 여행"', Filter("folder", ":", "제주 여행")),
        ("폴더:「제주 여행」", Filter("folder", ":", "제주 여행")),
        ("-tag:겨울", Filter("tag", ":", "겨울", excluded=True)),
        ("status:needs_review", Filter("status", ":", "needs_review")),
        ("상태:실패", Filter("status", ":", "failed")),
        ("model:LLaVA", Filter("model", ":", "llava")),
        ("after:2026-11", Filter("after", ":", "2026-11")),
        ("이전:어제", Filter("before", ":", "어제")),
        ("len:>60", Filter("len", ">", 60)),
        ("len:<=1m30s", Filter("len", "<=", 90)),
        ("길이:2분", Filter("len", "=", 120)),
        ("len:1:30..2:00", Filter("len", "..", (90, 120))),
        ("len:2:00..1:30", Filter("len", "..", (90, 120))),
        ("has:edit", Filter("has", ":", "edit")),
        ("있음:메모", Filter("has", ":", "note")),
        ("is:needs_review", Filter("is", ":", "needs_review")),
        ("is:edited", Filter("is", ":", "edited")),
    ],
)
def test_filters(query: str, expected: Filter) -> None:
    assert parse(query) == Query(filters=(expected,))
    assert parse(f"강아지 {query} 공원").filters == (expected,)
    assert shown(f"강아지 {query} 공원") == "강아지 공원"


def test_an_or_beside_a_filter_is_no_word() -> None:
    assert shown("강아지 OR tag:겨울") == "강아지"
    assert shown("tag:겨울 OR 강아지") == "강아지"


def test_the_plain_words() -> None:
    query = parse('강아지 OR 고양이 -새 "빨간 우산" tag:겨울')
    assert query.text_words == ("강아지", "고양이", "빨간", "우산")


@settings(max_examples=2000)
@given(st.text(max_size=60))
def test_any_text_is_a_query(text: str) -> None:
    parse(text)


@settings(max_examples=2000)
@given(
    st.lists(
        st.sampled_from(
            [
                *"|-\"“”「」>：－*'\\ aㄱ",
                *"강아지/ OR /path:/after:/len:/7d/1:/2026-/../NEAR(/  ".split("/"),
            ]
        ),
        max_size=16,
    )
)
def test_any_mixture_of_syntax_is_a_query(pieces: list[str]) -> None:
    query = parse("".join(pieces))
    for group in query.groups:
        assert group.alternatives
        assert all(any(map(str.isalnum, a.text)) for a in group.alternatives)
        assert len(group.alternatives) == 1 or not group.excluded


@pytest.mark.parametrize(
    "piece", ['"', "-", "a:", "path:", "a|", "OR ", "「", "가", 'tag:"', "::", "7"]
)
def test_long_queries_take_linear_time(piece: str) -> None:
    # Quadratic time would be minutes here, linear time is a few tenths of a second.
    began = process_time()
    parse(piece * 20_000)
    assert process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026", (2026, 1, 1)),
        ("2026-11", (2026, 11, 1)),
        ("2026-11-3", (2026, 11, 3)),
        ("2026.11.03.", (2026, 11, 3)),
        ("2026/11/03", (2026, 11, 3)),
        ("20261103", (2026, 11, 3)),
        ("2026년11월", (2026, 11, 1)),
        ("오늘", (2026, 11, 20)),
        ("yesterday", (2026, 11, 19)),
        ("그저께", (2026, 11, 18)),
        ("7d", (2026, 11, 13)),
        ("2주", (2026, 11, 6)),
        ("3개월전", (2026, 8, 20)),
        ("1y", (2025, 11, 20)),
        ("이번주", (2026, 11, 16)),
        ("지난주", (2026, 11, 9)),
        ("지난달", (2026, 10, 1)),
        ("올해", (2026, 1, 1)),
        ("작년", (2025, 1, 1)),
    ],
)
def test_days(text: str, day: tuple[int, int, int]) -> None:
    assert is_day(text)
    assert datetime.fromtimestamp(start_of(text, NOON)) == datetime(*day)


def test_a_month_before_a_long_month_ends_with_it() -> None:
    march = int(datetime(2026, 3, 31, 12).timestamp())
    assert datetime.fromtimestamp(start_of("1m", march)) == datetime(2026, 2, 28)


@pytest.mark.parametrize(
    "text", ["", "banana", "2026-13", "2026-2-30", "0000", "9999y", "99", "2026-1.2"]
)
def test_what_is_no_day(text: str) -> None:
    assert not is_day(text)
    with pytest.raises(ValueError, match="no day"):
        start_of(text, NOON)
