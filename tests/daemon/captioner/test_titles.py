"""Titles and tags out of what a model says."""

import pytest

from daemon.captioner.titles import LONGEST_TITLE, MOST_TAGS, parse_tags, parse_title


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("바닷가의 강아지", "바닷가의 강아지"),
        ('제목: "바닷가의 강아지"', "바닷가의 강아지"),
        ("**봄날의 공원**\n봄날에 공원을 찍은 영상입니다.", "봄날의 공원"),
        ("1. 한강 야경\n2. 서울의 밤", "한강 야경"),
        ("\n\n「눈 오는 마을」.", "눈 오는 마을"),
        ("KTX", "KTX"),
        ("바다", "바다"),
        ("제목:\n여름 바다", "여름 바다"),
        ("가을 산행</s>", "가을 산행"),
    ],
)
def test_a_title_is_the_bare_first_line(said: str, title: str) -> None:
    assert parse_title(said) == title


@pytest.mark.parametrize(
    "said",
    [
        "",
        "...",
        "A dog runs on the beach",
        "海邊的狗",
        "강아지 강아지 강아지 강아지",
        "죄송하지만 영상을 볼 수 없습니다.",
    ],
)
def test_an_unusable_title_is_none(said: str) -> None:
    assert parse_title(said) is None


def test_a_long_title_is_none() -> None:
    assert parse_title("강아지와 고양이 " * LONGEST_TITLE) is None


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ("강아지, 바닷가, 파도, 강아지", ["강아지", "바닷가", "파도"]),
        ("#강아지 #바다 #KTX #여름_휴가", ["강아지", "바다", "KTX", "여름 휴가"]),
        ("1. 강아지\n2. 바다", ["강아지", "바다"]),
        ("- 강아지\n- 바다", ["강아지", "바다"]),
        ("태그: 강아지, 공원.", ["강아지", "공원"]),
        ("dog, 바다, 狗, the sea", ["바다"]),
        ("강아지가 뛰어다니는 영상입니다.", []),
        ("죄송합니다. 볼 수 없습니다.", []),
        ("", []),
        ("iPhone, KTX, ktx", ["iPhone", "KTX"]),
    ],
)
def test_tags_are_few_good_and_different(said: str, tags: list[str]) -> None:
    assert parse_tags(said) == tags


def test_tags_are_at_most_ten_and_composed() -> None:
    import unicodedata

    said = ", ".join(unicodedata.normalize("NFD", f"낱말{number}") for number in range(30))
    tags = parse_tags(said)
    assert len(tags) == MOST_TAGS
    assert tags[0] == "낱말0"
