"""What words of a query stand for, by the lexicon that some sentences left."""

from collections.abc import Iterator
from typing import Any

import pytest

from catalog.captions import Draft, add_revision
from catalog.database import Catalog, open_catalog
from catalog.home import find_home
from catalog.library import FileSeen, place_file
from catalog.schema import Origin
from catalog.search.index.indexing import index_pending
from catalog.search.lexicon import Lexicon
from catalog.search.query import synonyms
from catalog.search.query.concepts import How
from catalog.search.query.interpreter import Interpreter
from catalog.search.query.resolve import compound, mixed, resolve, segments, stems_of

TEXTS = (
    "강아지가 공원에서 걸어간다. 강아지와 할머니가 천천히 걷는다.",
    "소방관이 사다리를 타고 올라가서 사람을 구한다.",
    "할머니가 횡단보도를 건넌다. 차가 멈춘다.",
    "아이가 양말을 신고 말을 탄다.",
    "친구를 도와서 쓰레기를 줍는다. 무거운 상자를 든다.",
    "빨간 우산을 쓴 사람이 노래를 부른다.",
    "공원에서 산책하는 사람들이 운동을 한다.",
    "BMW가 지하 주차장에 서 있다. K-POP 춤을 춘다.",
    "산에 올라 산을 본다. 과일을 산 손님이 웃는다.",
    "무단투기를 단속한다. 전기차를 충전한다.",
    "학교 운동장에서 아이들이 축구를 한다.",
)
SYNONYMS = synonyms.parse("강아지, 멍멍이\n", "synonyms.txt")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    catalog: Catalog = open_catalog(find_home(tmp_path_factory.mktemp("words") / "home"))
    with catalog.write() as session:
        for number, text in enumerate(TEXTS):
            seen = FileSeen(f"/videos/{number}.mp4".encode(), 100, number, "8")
            video_id, _ = place_file(session, seen, f"{number:032x}")
            add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
    index_pending(catalog)
    with catalog.read() as opened:
        yield opened
    catalog.close()


@pytest.fixture
def lexicon(connection: Any) -> Lexicon:
    return Lexicon(connection)


@pytest.fixture
def interpreter(lexicon: Lexicon) -> Interpreter:
    return Interpreter(lexicon, SYNONYMS)


@pytest.mark.parametrize(
    ("word", "token"),
    [
        ("강아지", "강아지"),
        ("강아지가", "강아지"),
        ("강아지에게서도", "강아지"),  # in no text
        ("할머니께서는", "할머니"),
        ("할머니들이", "할머니"),
        ("소방관님", "소방관"),
        ("걷다", "걷다"),
        ("걸었던", "걷다"),
        ("걸으면서", "걷다"),
        ("건너는", "건너다"),
        ("건넜습니다", "건너다"),
        ("도왔다", "돕다"),
        ("도우면", "돕다"),
        ("주워서", "줍다"),
        ("주운", "줍다"),
        ("무거워", "무겁다"),
        ("불러요", "부르다"),
        ("불렀다", "부르다"),
        ("빨개서", "빨갛다"),
        ("써서", "쓰다"),
        ("들어서", "들다"),
        ("구했다", "구하다"),
        ("타고", "타다"),
        ("산책했다", "산책하다"),
        ("웃으며", "웃다"),
        ("말", "말"),
        ("차", "차"),
        ("학교에서만", "학교"),
    ],
)
def test_a_word_stands_for_what_texts_hold(lexicon: Lexicon, word: str, token: str) -> None:
    assert token in resolve(lexicon, word).phrases


@pytest.mark.parametrize("word", ["고래", "두루미가", "헤엄쳤다", "강원도", "말씀"])
def test_a_word_of_no_text_stands_for_nothing(lexicon: Lexicon, word: str) -> None:
    assert resolve(lexicon, word).phrases == ()


def test_a_noun_as_it_stands_is_no_form_of_a_verb(lexicon: Lexicon) -> None:
    assert resolve(lexicon, "산").phrases[0] == "산"


def test_readings_are_ordered_by_how_often_they_occur(lexicon: Lexicon) -> None:
    assert resolve(lexicon, "강아지").n >= 2
    assert resolve(lexicon, "소방관").n == 1


@pytest.mark.parametrize("word", ["있다", "한다", "하는"])
def test_words_without_content_say_nothing(lexicon: Lexicon, word: str) -> None:
    found = resolve(lexicon, word)
    assert found.silent or not found.phrases


@pytest.mark.parametrize(
    ("word", "stems"),
    [
        ("강아지가", ["강아지"]),
        ("강아지에게서는", ["강아지"]),
        ("사람들이", ["사람들", "사람"]),
        ("선생님께서", ["선생님", "선생"]),
        ("강", []),
    ],
)
def test_stems_are_without_particles(word: str, stems: list[str]) -> None:
    found = stems_of(word)
    assert set(stems) <= set(found)
    assert word not in found
    assert all(found)


def test_a_compound_is_known_by_its_parts(lexicon: Lexicon) -> None:
    assert segments(lexicon, "강아지산책") == ["강아지", "산책"]
    assert compound(lexicon, "강아지산책").phrases == ("강아지 산책",)
    assert compound(lexicon, "강아지산책을").phrases == ("강아지 산책",)
    assert compound(lexicon, "두루미둥지").phrases == ()


def test_a_sentence_without_spaces_comes_apart(lexicon: Lexicon) -> None:
    parts = compound(lexicon, "소방관이사다리를타고올라가서").parts
    assert "".join(parts) == "소방관이사다리를타고올라가서"
    assert len(parts) >= 4


@pytest.mark.parametrize("word", ["bmw", "bmw가", "bmw에서는", "k-pop", "kpop", "주차장bmw"])
def test_words_of_two_scripts(lexicon: Lexicon, word: str) -> None:
    assert mixed(lexicon, word).phrases


def test_words_of_another_script_that_no_text_holds(lexicon: Lexicon) -> None:
    assert mixed(lexicon, "audi").phrases == ()
    assert mixed(lexicon, "bmw고래").phrases == ()


@pytest.mark.parametrize(
    ("word", "how", "phrase"),
    [
        ("강아지", How.EXACT, "강아지"),
        ("멍멍이", How.VARIANT, "강아지"),
        ("멍멍이가", How.VARIANT, "강아지"),
        ("ㄱㅇㅈ", How.INITIALS, "강아지"),
        ("강아ㅈ", How.COMPLETION, "강아지"),
        ("강앚", How.COMPLETION, "강아지"),
        ("횡당보도", How.TYPO, "횡단보도"),
        ("rkddkwl", How.LAYOUT, "강아지"),
        ("ㅠㅡㅈ", How.LAYOUT, "bmw"),
    ],
)
def test_why_a_word_stands_for_something(
    interpreter: Interpreter, word: str, how: How, phrase: str
) -> None:
    concept = interpreter.of_word(word)
    assert (concept.how, phrase in [one.replace(" ", "") for one in concept.exact]) == (how, True)
    assert concept.unknown == (how is not How.EXACT)
    assert bool(concept.instead) == (how in (How.TYPO, How.LAYOUT))


def test_words_torn_apart_are_taken_together(interpreter: Interpreter) -> None:
    (concept,) = interpreter.concepts(["강아", "지"])
    assert concept.exact == ["강아지"]
    assert [one.text for one in interpreter.concepts(["강아지", "공원"])] == ["강아지", "공원"]


def test_numerals_take_their_counters(interpreter: Interpreter) -> None:
    one, other = interpreter.concepts(["세", "명이", "강아지"])
    assert one.number
    assert one.exact == ["3 명ː"]
    assert other.exact == ["강아지"]
    assert interpreter.concepts(["3명"])[0].exact == ["3 명ː"]


def test_requests_are_silent(interpreter: Interpreter) -> None:
    found = interpreter.concepts(["강아지", "영상", "찾아줘"])
    assert [one.text for one in found if not one.silent and not one.generic] == ["강아지"]


def test_answers_are_remembered(lexicon: Lexicon) -> None:
    first = lexicon.entries(["강아지", "고래"])
    assert first == lexicon.entries(["고래", "강아지"])
    assert first["고래"] == []
    assert lexicon.frequency("강아지") >= 2
    assert lexicon.frequency("강아지 고래") == 0
