"""The part of a text that shows why it was found: no syllable cut, spans that fit, room kept."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.snippets import CUT, cells, snippet

LONG = (
    "시장 입구에서 사람들이 지나가고 상인이 웃는다. 강아지가 종이 상자를 물고 골목으로 달린다. "
    "그 뒤를 아이가 따라간다. 마지막에 강아지는 다시 시장으로 돌아온다."
)


def spans(text: str, *words: str) -> list[tuple[int, int]]:
    found = []
    for word in words:
        start = text.find(word)
        while start >= 0:
            found.append((start, start + len(word)))
            start = text.find(word, start + 1)
    return sorted(found)


def marked(text: str, highlights: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[start:end] for start, end in highlights]


def test_a_text_that_fits_is_left_alone() -> None:
    part = snippet("강아지가 달린다.", [(0, 3)], 40)
    assert (part.text, part.highlights) == ("강아지가 달린다.", ((0, 3),))


def test_it_goes_where_most_of_the_words_stand() -> None:
    part = snippet(LONG, spans(LONG, "강아지", "상자", "시장"), 40)
    assert marked(part.text, part.highlights) == ["강아지", "상자"]
    assert part.text.startswith(CUT)
    assert part.text.endswith(CUT)
    assert cells(part.text) <= 40


def test_different_words_tell_more_than_one_word_twice() -> None:
    text = "강아지 강아지 강아지 " + "그리고 " * 20 + "강아지와 상자"
    part = snippet(text, spans(text, "강아지", "상자"), 30)
    assert marked(part.text, part.highlights) == ["강아지", "상자"]


def test_words_stay_whole_where_they_can() -> None:
    part = snippet(LONG, spans(LONG, "골목"), 40)
    inner = part.text.removeprefix(CUT).removesuffix(CUT)
    assert f" {inner} " in f" {LONG} "


def test_line_breaks_become_spaces() -> None:
    part = snippet("강아지\n\t고양이", [(5, 8)], 40)
    assert (part.text, part.highlights) == ("강아지  고양이", ((5, 8),))


def test_without_matches_it_is_the_beginning() -> None:
    part = snippet(LONG, [], 30)
    assert part.text.startswith("시장 입구에서")
    assert part.highlights == ()


def test_a_match_wider_than_the_room_is_cut_between_syllables() -> None:
    part = snippet("가" * 50, [(5, 45)], 20)
    assert cells(part.text) <= 20
    assert set(marked(part.text, part.highlights)[0]) == {"가"}


def test_decomposed_syllables_are_never_cut() -> None:
    text = unicodedata.normalize("NFD", LONG)
    word = unicodedata.normalize("NFD", "골목")
    part = snippet(text, spans(text, word), 33)
    assert marked(part.text, part.highlights) == [word]
    inner = part.text.removeprefix(CUT).removesuffix(CUT)
    assert unicodedata.normalize("NFC", inner) in LONG
    assert cells(part.text) <= 33


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("강아지", 6), (unicodedata.normalize("NFD", "강"), 2), ("e\u0301", 1), ("ㄱ", 2)],
)
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width


ANY = st.text(
    st.sampled_from(
        "가강각 낢 \n\tab1。\u1100\u1161\u11a8\u0301\u200d\ufe0f\U0001f468\U0001f3fdＢ\ud800"
    ),
    max_size=120,
)


@given(ANY, st.lists(st.integers(0, 120), max_size=8), st.integers(0, 90))
def test_any_text_with_any_spans(text: str, places: list[int], room: int) -> None:
    ends = sorted({min(place, len(text)) for place in places})
    highlights = list(zip(ends[::2], ends[1::2], strict=False))
    part = snippet(text, highlights, room)
    assert cells(part.text) <= max(room, 12)
    flat = "".join(" " if one in "\n\t" else one for one in text)
    begins, ends_cut = part.text.startswith(CUT), part.text.endswith(CUT)
    inner = part.text[len(CUT) * begins : len(part.text) - len(CUT) * ends_cut]
    assert inner in flat
    position = 0
    for start, end in part.highlights:
        assert position <= start < end <= len(part.text)
        position = end
        assert part.text[start:end] in {
            flat[a:b]
            for first, last in highlights
            for a in range(first, last)
            for b in range(a, last + 1)
        }
