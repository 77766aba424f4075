"""Any text at all is a query: it never raises, and it never takes long."""

import time
from collections.abc import Iterator
from heapq import heappush, heappushpop
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.captions import Draft, add_revision
from catalog.database import Catalog, open_catalog
from catalog.hits import find
from catalog.home import find_home
from catalog.library import FileSeen, VideoFacts, place_file, record_facts, set_tags
from catalog.schema import Origin
from catalog.search.index.indexing import index_pending
from catalog.search.query import synonyms
from catalog.search.query.asking import Answer, glance, search

EXAMPLES = 10_000
SLOWEST_SHOWN = 10
LONGEST_SECONDS = 0.5
"""Of processor time, for a query of any length; ten times what the slowest takes, as machines differ."""
TEXTS = (
    "시장에서 강아지가 상자를 문다. 상인이 손님에게 과일을 판다.",
    "공원에서 고양이와 강아지를 산책시킨다.",
    "아이가 양말을 신고 말을 탄다.",
    "BMW가 주차장 CCTV 영상에 보인다. 세 명이 k-pop에 맞춰 춤을 춘다.",
    "검은 배경에서 빨간 원이 왼쪽에서 오른쪽으로 움직인다.",
    "전기차가 지나가고 차가 멈춘다. 케이크를 3개 먹는다.",
    "비가 오는 횡단보도를 우산을 쓴 사람들이 건넌다.",
    "해녀가 바다에서 전복을 따 온다. 물 위로 숨비소리가 들린다.",
)
SYNONYMS = synonyms.parse("강아지, 개, 멍멍이\n탈것 => 전기차, 자동차\n", "synonyms.txt")
OPERATORS = (
    'AND OR NOT NEAR NEAR( ( ) { } [ ] * ^ : + - " "" \' , ; | ｜ \\ % _ rank rowid lemmas also words'
    " “ ” ＂ 「 」 『 』 － ： NEAR(강아지,5) lemmas:강아지 {lemmas also}: -{words} ^강아지 강아지*"
).split(" ")
FILTERS = (
    "path: folder: status: model: tag: after: before: len:>60 len: has:edit has: is: is:needs_review"
    " 경로: 폴더: 상태:완료 태그: 이후:2026-11 길이:1분30초 after:2026-11-20 before:어제 tag:# folder:~"
    " folder:~root -status: -tag:% path:\\ path:_ len:1..2 len:>=999999h after:0000-00-00"
).split(" ")
WORDS = (
    "강아지 강아지가 고양ㅇ 고야 ㄱㅇㅇ ㄱㅇㅈ rkddkwl 횡당보도 세 명이 3명 스무살 제3회 bmw ＢＭＷ k-pop"
    " 케잌 비엠더블유 전기차가지나간다 차 말 춤추는 빨개 시장에서강아지가상자를 멍멍이 탈것 찾아줘 영상"
).split(" ")

hangul = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=12)
jamo = st.text(
    st.one_of(
        st.characters(min_codepoint=0x3131, max_codepoint=0x318E),
        st.characters(min_codepoint=0x1100, max_codepoint=0x11FF),
    ),
    min_size=1,
    max_size=8,
)
signs = st.text(
    st.sampled_from('\0\x01\t\n\x1b\x7f\x85\u200b\u200d\u2028\ufeff\ufffe\U000e0001\ud800\udcff"'),
    min_size=1,
    max_size=4,
)
latin = st.text(st.sampled_from("abcdzKPQRT0123456789.-_/'&+%°"), min_size=1, max_size=10)
known = st.sampled_from((*WORDS, *OPERATORS, *FILTERS))
anything = st.text(st.characters(), max_size=10)  # surrogates are among them
piece = st.one_of(known, known, hangul, jamo, signs, latin, anything)
queries = st.builds(
    lambda pieces, joint: joint.join(pieces),
    st.lists(piece, max_size=5),
    st.sampled_from((" ", " ", "", '"', " OR ", " -", ":")),
)

LONG = {
    "one word again and again": "강아지 " * 25_000,
    "words that differ": " ".join(
        chr(0xAC00 + i % 11_000) + chr(0xAC00 + i * 7 % 11_000) for i in range(14_000)
    ),
    "words without a space": "강아지가상자를" * 14_000,
    "known words": "강아지 고양이 공원 시장 차 말 " * 6_000,
    "numbers": "1 " * 50_000,
    "numerals": "세명" * 50_000,
    "digits": "1" * 100_000,
    "letters": "a" * 100_000,
    "words in two scripts": "주차장cctv" * 12_000,
    "hyphens": "a-b-c-" * 16_000,
    "consonants": "ㄱ" * 100_000,
    "decomposed": "\u1100\u1161" * 50_000,
    "marks": "a" + "\u0301" * 100_000,
    "spaces": " " * 100_000,
    "minus": "-" * 100_000,
    "exclusions": "-강아지 " * 20_000,
    "quotes": '"' * 100_000,
    "an open quote": '"' + "강아지 고양이 " * 12_000,
    "phrases": '"강아지 고양이" ' * 10_000,
    "bars": "a|" * 50_000,
    "alternatives": " OR ".join(f"강아지{i}" for i in range(9_000)),
    "or": "OR " * 33_000,
    "filters": "tag:a " * 16_000,
    "a long filter": "tag:" + "a" * 100_000,
    "a long length": "len:" + "9" * 100_000,
    "brackets": "(" * 100_000,
}


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A small catalog with one text that the analyser has not read yet."""
    opened = open_catalog(find_home(tmp_path_factory.mktemp("any") / "home"))
    with opened.write() as session:
        for number, text in enumerate(TEXTS):
            seen = FileSeen(f"/videos/{number}.mp4".encode(), 100, number, "8")
            video_id, _ = place_file(session, seen, f"{number:032x}")
            add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
            record_facts(
                session, video_id, VideoFacts(30.0 * number, 64, 48, 10.0, "h264", 0, None)
            )
            set_tags(session, video_id, ["여행", f"a%_{number}"])
    index_pending(opened)
    with opened.write() as session:
        video_id, _ = place_file(session, FileSeen(b"/videos/x.mp4", 100, 1, "8"), "f" * 32)
        add_revision(session, video_id, Draft("두루미가 논에 내린다.", Origin.MODEL, model="demo"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def connection(catalog: Catalog) -> Iterator[Any]:
    with catalog.read() as opened:
        yield opened


@pytest.fixture(scope="module")
def slowest(connection: Any) -> Iterator[list[tuple[float, str]]]:
    """The slowest queries, printed at the end: `pytest -s` shows them."""
    found: list[tuple[float, str]] = []
    yield found
    # Once more, as the first time may have paid for hypothesis's garbage.
    again = [(min(seconds, duration(connection, query)), query) for seconds, query in found]
    for seconds, query in sorted(again, reverse=True):
        print(f"\n{seconds * 1000:7.1f} ms  {query[:100]!a}", end="")


def duration(connection: Any, query: str) -> float:
    """Seconds of processor time."""
    began = time.process_time()
    search(connection, query, synonyms=SYNONYMS)
    return time.process_time() - began


def check(answer: Answer) -> None:
    for match in answer.matches:
        assert all(0 <= start < end <= len(match.text) for start, end in match.highlights)
        assert list(match.highlights) == sorted(match.highlights)
    scores = [match.score for match in answer.matches]
    assert scores == sorted(scores, reverse=True)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@example("강아지\udcff", "plain")  # what Python makes of a byte of a command line that is no UTF-8
@example("tag:\ud800", "plain")
@example("강\0아지", "plain")
@example("folder:~\0x", "glance")
@example("path:" + "%_\\" * 20_000, "plain")
@example("after:9999-99-99 before:99999999999999999999", "plain")
@example('NEAR("강아지 고양이", 5) AND lemmas:* {also} : ^NOT OR "', "plain")
@given(queries, st.sampled_from(("plain", "glance", "folder", "sure")))
def test_no_text_is_an_error(
    connection: Any, slowest: list[tuple[float, str]], query: str, way: str
) -> None:
    began = time.process_time()
    if way == "glance":
        answer = glance(connection, query, synonyms=SYNONYMS)
    elif way == "folder":
        answer = search(connection, query, folder=b"/videos", after=1, synonyms=SYNONYMS)
    elif way == "sure":
        answer = search(connection, query, limit=1, guess=False)
    else:
        answer = search(connection, query, synonyms=SYNONYMS)
    took = (time.process_time() - began, query)
    (heappush if len(slowest) < SLOWEST_SHOWN else heappushpop)(slowest, took)
    check(answer)


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("ask", [search, glance])
def test_a_text_that_was_pasted_ends_soon(connection: Any, name: str, ask: Any) -> None:
    ask(connection, "강아지")  # so that nothing is loaded for the first time
    began = time.process_time()
    check(ask(connection, LONG[name], synonyms=SYNONYMS))
    assert time.process_time() - began < LONGEST_SECONDS


@pytest.mark.parametrize("operator", [*OPERATORS, "\0", "\ud800"])
def test_operators_of_the_index_are_text(connection: Any, operator: str) -> None:
    for form in ("{}", "{} 강아지", "강아지 {}", "강아지{}고양이", '"{}', "-{}", "{}|{}", "tag:{}"):
        check(search(connection, form.replace("{}", operator)))


@pytest.mark.parametrize(
    "beside", ["*", "^", "(", ")", "{}", "+", ";", "\\", "'", "\t", "\x01", "\0"]
)
def test_signs_beside_a_word_do_not_hide_what_it_finds(connection: Any, beside: str) -> None:
    plain = {match.document_id for match in search(connection, "강아지").matches}
    assert plain
    for query in (f"강아지 {beside}", f"{beside} 강아지", f"강아지{beside}", f"{beside}강아지"):
        assert {match.document_id for match in search(connection, query).matches} == plain, query


def test_a_byte_that_is_no_text_does_not_hide_the_rest(connection: Any) -> None:
    assert [hit.video_id for hit in find(connection, "해녀 \udcff").hits][:1] == [len(TEXTS)]


def test_a_pasted_text_finds_what_it_begins_with(connection: Any) -> None:
    pasted = "\n".join(TEXTS) * 200
    assert search(connection, pasted).matches[0].text in TEXTS


def test_queries_of_signs_ask_for_nothing(connection: Any) -> None:
    for query in (
        "",
        " ",
        '"',
        '""',
        "-",
        "*",
        "()",
        "\0",
        "\u200b",
        "....",
        '-"',
        "|",
        "：",
        "ː",
        "_",
    ):
        assert search(connection, query).matches == (), query
        assert glance(connection, query).matches == (), query


def test_the_catalog_is_only_read(catalog: Catalog, connection: Any, tmp_path: Path) -> None:
    before = connection.execute("SELECT count(*) FROM document").fetchone()[0]
    search(connection, "강아지'); DROP TABLE document; --")
    search(connection, 'tag:"a\'); DELETE FROM document; --"')
    assert connection.execute("SELECT count(*) FROM document").fetchone()[0] == before
