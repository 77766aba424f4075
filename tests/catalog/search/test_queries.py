"""Search: Korean words with particles attached, syntax, spans of the original."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.captions import Draft, add_revision, edit, undo
from catalog.database import Catalog
from catalog.hits import find
from catalog.library import FileSeen, place_file
from catalog.schema import Origin
from catalog.search.index.indexing import index_pending
from catalog.search.korean.text import normalise
from catalog.search.query.asking import search

TEXTS = {
    "시장.mp4": "시장에서 강아지가 상자를 문다.",
    "공원.mkv": "공원에서 고양이와 강아지를 산책시킨다.",
    "말.mp4": "아이가 양말을 신는다.",
    "차.mp4": "BMW가 주차장 CCTV 영상에 보인다.",
    "빨간 원.mp4": "검은 배경에서 빨간 원이 왼쪽에서 오른쪽으로 움직인다.",
}


@pytest.fixture
def ids(catalog: Catalog) -> dict[str, int]:
    """Captioned videos by file name."""
    found = {}
    with catalog.write() as session:
        for name, text in TEXTS.items():
            seen = FileSeen(f"/videos/{name}".encode(), 100, 1, "8")
            video_id, _ = place_file(session, seen, name)
            add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
            found[name] = video_id
    index_pending(catalog)
    return found


def names(catalog: Catalog, query: str, field: str = "caption", fewer: bool = False) -> set[str]:
    """The videos found, without those that hold some of the words only unless these are asked for."""
    with catalog.read() as connection:
        hits = find(connection, query, limit=100).hits
    return {
        f"{hit.title}{hit.path[hit.path.rfind('.') :]}"
        for hit in hits
        if hit.field == field and (hit.how == "fewer") == fewer
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("강아지", {"시장.mp4", "공원.mkv"}),
        ("강아지가", {"시장.mp4", "공원.mkv"}),  # in the text: 강아지가, 강아지를
        ("강아지는", {"시장.mp4", "공원.mkv"}),  # as in no text at all
        ("강", {"시장.mp4", "공원.mkv"}),
        ("상자 강아지", {"시장.mp4"}),
        ("강아지 -고양이", {"시장.mp4"}),
        ('"빨간 원"', {"빨간 원.mp4"}),
        ('"원 빨간"', set()),
        ("bmw", {"차.mp4"}),
        ("ＢＭＷ", {"차.mp4"}),
        ("주차장", {"차.mp4"}),
        ("오른쪽", {"빨간 원.mp4"}),
        ("오른쪽에서는", {"빨간 원.mp4"}),
        ("산책하는", {"공원.mkv"}),
        ("움직였다", {"빨간 원.mp4"}),
        ("빨개", {"빨간 원.mp4"}),
        ("주차 장", {"차.mp4"}),
        ("말", set()),  # 양말 is no 말
        ("없는말", set()),
        ("", set()),
        ("-강아지", set()),
    ],
)
def test_queries(catalog: Catalog, ids: dict[str, int], query: str, expected: set[str]) -> None:
    assert names(catalog, query) == expected


def test_when_no_text_has_every_word_those_with_any_are_found(
    catalog: Catalog, ids: dict[str, int]
) -> None:
    assert names(catalog, "양말 고양이") == set()
    assert names(catalog, "양말 고양이", fewer=True) == {"말.mp4", "공원.mkv"}


def test_titles_and_paths_are_found_too(catalog: Catalog, ids: dict[str, int]) -> None:
    assert names(catalog, "공원", "title") == {"공원.mkv"}
    assert names(catalog, "videos 공원", "path") == {"공원.mkv"}


def test_the_index_follows_edits_and_undo(catalog: Catalog, ids: dict[str, int]) -> None:
    with catalog.write() as session:
        edit(session, ids["시장.mp4"], "시장에서 송아지가 운다.")
    assert names(catalog, "송아지") == {"시장.mp4"}
    assert names(catalog, "상자") == set()
    with catalog.write() as session:
        undo(session, ids["시장.mp4"])
    assert names(catalog, "상자") == {"시장.mp4"}
    assert names(catalog, "송아지") == set()


def test_highlights_are_spans_of_the_original(catalog: Catalog) -> None:
    original = unicodedata.normalize("NFD", "공원의 강아지가") + " ＢＭＷ"
    with catalog.write() as session:
        seen = FileSeen(b"/videos/x.mp4", 100, 1, "8")
        place_file(session, seen, "x")
        from catalog.search.index.documents import put_document

        put_document(session, 1, "caption", original)
    with catalog.read() as connection:
        for query, expected in (("강아지", "강아지"), ("bmw", "ＢＭＷ")):
            match = next(hit for hit in search(connection, query).matches if hit.field == "caption")
            marked = "".join(original[start:end] for start, end in match.highlights)
            assert unicodedata.normalize("NFC", marked) == expected


@given(st.text(max_size=60))
def test_the_normal_form_keeps_the_way_back(text: str) -> None:
    normal = normalise(text)
    assert len(normal.text) == len(normal.spans)
    assert all(0 <= start < end <= len(text) for start, end in normal.spans)
    assert list(normal.spans) == sorted(normal.spans)
