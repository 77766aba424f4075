"""What matched, as code points of the original text: composed or not, inflected or not."""

import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.captions import Draft, add_revision
from catalog.database import Catalog, open_catalog
from catalog.home import find_home
from catalog.library import FileSeen, place_file
from catalog.schema import Origin
from catalog.search.index.documents import put_document
from catalog.search.index.indexing import index_pending
from catalog.search.lexicon import Lexicon
from catalog.search.query import synonyms
from catalog.search.query.asking import search
from catalog.search.query.highlight import Highlighter

TEXTS = (
    "강아지가 공원에서 걸어간다.",
    "할머니를 도와드리는 소방관이 걸었다.",
    "빨간 우산을 쓴 아이가 웃는다.",
    "하늘이 파래서 눈이 부시다.",
    "아이 세 명이 모래성을 쌓는다.",
    "선수 13명이 K-POP 춤을 춘다.",
    "BMW가 지하 주차장에 선다.",
    "까페에서 케잌을 먹는다.",
    "아이가 양말을 신고 말을 탄다.",
    "기차와 차가 나란히 선다.",
    "소방관이사다리를타고올라간다.",
    "회원들이 무단투기를 단속한다.",
)
SYNONYMS = synonyms.parse("강아지, 멍멍이\n", "synonyms.txt")

Marks = Callable[..., list[str]]


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def wide(text: str) -> str:
    """Latin letters and digits at full width, as a Korean keyboard can type them."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """Each text three times: composed, decomposed (as file names of a Mac are), at full width."""
    opened = open_catalog(find_home(tmp_path_factory.mktemp("marks") / "home"))
    with opened.write() as session:
        for number, text in enumerate(TEXTS):
            seen = FileSeen(f"/videos/{number}.mp4".encode(), 100, number, "8")
            video_id, _ = place_file(session, seen, f"{number:032x}")
            add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
            put_document(session, video_id, "title", nfd(text))
            put_document(session, video_id, "tag", wide(text))
    index_pending(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def marks(catalog: Catalog) -> Iterator[Marks]:
    """What is marked in a text for a query, as the text has it."""
    with catalog.read() as connection:

        def marked(query: str, number: int, form: Callable[[str], str] = str) -> list[str]:
            original = form(TEXTS[number])
            found = search(connection, query, limit=100, synonyms=SYNONYMS).matches
            match = next(one for one in found if one.text == original)
            return [original[start:end] for start, end in match.highlights]

        yield marked


CASES = [
    ("강아지", 0, ["강아지"]),
    ("강아지는", 0, ["강아지"]),
    ("멍멍이", 0, ["강아지"]),
    ("공원", 0, ["공원"]),
    ("강아지 공원", 0, ["강아지", "공원"]),
    ("걷다", 1, ["걸었다"]),
    ("걷는", 1, ["걸었다"]),
    ("도와주는", 1, ["도와드리는"]),
    ("빨개", 2, ["빨간"]),
    ("빨간 우산", 2, ["빨간", "우산"]),
    ('"빨간 우산"', 2, ["빨간", "우산"]),
    ("웃으면", 2, ["웃는다"]),
    ("파란", 3, ["파래서"]),
    ("3명", 4, ["세 명"]),
    ("세 명", 4, ["세 명"]),
    ("13명", 5, ["13명"]),
    ("kpop", 5, ["K-POP"]),
    ("k-pop", 5, ["K-POP"]),
    ("bmw", 6, ["BMW"]),
    ("비엠더블유", 6, ["BMW"]),
    ("주차 장", 6, ["주차장"]),
    ("카페", 7, ["까페"]),
    ("케이크", 7, ["케잌"]),
    ("말", 8, ["말"]),
    ("차", 9, ["차"]),
    ("사다리", 10, ["사다리"]),
    ("소방관 사다리", 10, ["소방관", "사다리"]),
    ("무단 투기", 11, ["무단투기"]),
    ("ㄱㅇㅈ", 0, ["강아지"]),
    ("강아ㅈ", 0, ["강아지"]),
    ("rkddkwl", 0, ["강아지"]),
    ("할머닌", 1, ["할머니"]),
]


def plain(text: str) -> str:
    """Composed and at half width."""
    return unicodedata.normalize("NFKC", text).replace("\u3000", " ")


def joined(words: list[str]) -> str:
    return " ".join(words).replace(" ", "")


@pytest.mark.parametrize("form", [str, nfd, wide], ids=["composed", "decomposed", "wide"])
@pytest.mark.parametrize(("query", "number", "expected"), CASES)
def test_the_words_that_matched_are_marked(
    marks: Marks, query: str, number: int, expected: list[str], form: Callable[[str], str]
) -> None:
    found = marks(query, number, form)
    assert joined([plain(one) for one in found]) == joined(expected)
    # Whole characters of the original: a syllable is never cut.
    assert joined(found) == joined([form(one) for one in expected])


def test_only_the_word_of_one_syllable_is_marked(catalog: Catalog) -> None:
    with catalog.read() as connection:
        for query, number in (("말", 8), ("차", 9)):
            match = next(
                one for one in search(connection, query).matches if one.text == TEXTS[number]
            )
            start = TEXTS[number].index(f" {query}") + 1
            assert match.highlights == ((start, start + 1),)


def test_marks_are_in_order_and_apart(catalog: Catalog) -> None:
    with catalog.read() as connection:
        for query, _, _ in CASES:
            for match in search(connection, query, limit=100).matches:
                ends = [place for span in match.highlights for place in span]
                assert all(one < other for one, other in pairwise(ends))
                assert not ends or (ends[0] >= 0 and ends[-1] <= len(match.text))


def test_every_hit_of_the_words_asked_for_has_marks(catalog: Catalog) -> None:
    with catalog.read() as connection:
        for query, _, _ in CASES:
            for match in search(connection, query, limit=100, synonyms=SYNONYMS).matches:
                assert match.highlights, (query, match.text)


any_text = st.text(
    st.one_of(
        st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
        st.characters(min_codepoint=0x1100, max_codepoint=0x11FF),
        st.sampled_from("강아지걷다말차세명3개bmwＢＭＷ -_.\u200b\u0301\u3000\n"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=300)
@given(any_text, any_text.filter(lambda word: any(map(str.isalnum, word))))
def test_any_text_can_be_marked(catalog: Catalog, text: str, word: str) -> None:
    with catalog.read() as connection:
        phrases = [
            one for one in ("강아지", "걷다", "말", "3 명ː", "bmw", " ".join(word.split())) if one
        ]
        (spans,) = Highlighter(Lexicon(connection), phrases, [word]).spans([text])
    ends = [place for span in spans for place in span]
    assert ends == sorted(set(ends))
    assert all(0 <= place <= len(text) for place in ends)
