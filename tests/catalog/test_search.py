"""Search: Korean words with particles attached, syntax, spans of the original."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import browse
from catalog.captions import Draft, add_revision, edit, undo
from catalog.database import Catalog
from catalog.library import FileSeen, place_file
from catalog.schema import Origin, Video
from catalog.search.query import parse, search
from catalog.search.text import index_tokens, normalise

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
    return found


def names(catalog: Catalog, query: str, field: str = "caption") -> set[str]:
    with catalog.read() as connection:
        hits = browse.find(connection, query, limit=100)
    return {f"{hit.title}{hit.path[hit.path.rfind('.') :]}" for hit in hits if hit.field == field}


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
    assert names(catalog, "양말 고양이") == {"말.mp4", "공원.mkv"}


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


def test_the_index_holds_the_documents_and_nothing_else(
    catalog: Catalog, ids: dict[str, int]
) -> None:
    with catalog.write() as session:
        edit(session, ids["차.mp4"], "고친 글")
        session.delete(session.get_one(Video, ids["말.mp4"]))
    with catalog.read() as connection:
        indexed = connection.execute("SELECT rowid, grams FROM search_index ORDER BY rowid")
        documents = connection.execute("SELECT id, text FROM document ORDER BY id")
        assert [tuple(row) for row in indexed] == [
            (d["id"], index_tokens(d["text"])) for d in documents
        ]


def test_highlights_are_spans_of_the_original(catalog: Catalog) -> None:
    original = unicodedata.normalize("NFD", "공원의 강아지가") + " ＢＭＷ"
    with catalog.write() as session:
        seen = FileSeen(b"/videos/x.mp4", 100, 1, "8")
        place_file(session, seen, "x")
        from catalog.search.index import put_document

        put_document(session, 1, "caption", original)
    with catalog.read() as connection:
        for query, expected in (("강아지", "강아지"), ("bmw", "ＢＭＷ")):
            match = next(hit for hit in search(connection, query) if hit.field == "caption")
            marked = "".join(original[start:end] for start, end in match.highlights)
            assert unicodedata.normalize("NFC", marked) == expected


@given(st.text(max_size=40))
def test_any_text_is_a_query_and_never_an_error(query: str) -> None:
    from catalog.sqlite import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.executescript(
        """
        CREATE TABLE document(id INTEGER PRIMARY KEY, video_id, scene_id, field, text);
        CREATE TABLE video(id INTEGER PRIMARY KEY, recorded_at, added_at);
        CREATE TABLE location(video_id, path);
        CREATE VIRTUAL TABLE search_index USING fts5(grams, tokenize = "unicode61 remove_diacritics 0");
        INSERT INTO video VALUES (1, NULL, 0);
        """
    )
    connection.execute("INSERT INTO document VALUES (1, 1, NULL, 'caption', ?)", (query,))
    connection.execute("INSERT INTO search_index VALUES (?)", (index_tokens(query),))
    found = search(connection, query)
    wanted = [term for term in parse(query) if not term.excluded]
    if wanted and len(wanted) == len(parse(query)):
        assert found, "a text answers to itself"
    for match in found:
        assert all(0 <= start < end <= len(query) for start, end in match.highlights)
    connection.close()


@given(st.text(max_size=60))
def test_the_normal_form_keeps_the_way_back(text: str) -> None:
    normal = normalise(text)
    assert len(normal.text) == len(normal.spans)
    assert all(0 <= start < end <= len(text) for start, end in normal.spans)
    assert normal.spans == tuple(sorted(normal.spans))


@given(st.text(alphabet="가나다강아지말 abcＡ１\u1112\u1161\u11ab", max_size=30))
def test_composed_and_decomposed_texts_have_the_same_tokens(text: str) -> None:
    assert index_tokens(unicodedata.normalize("NFD", text)) == index_tokens(
        unicodedata.normalize("NFC", text)
    )
