"""The order of results: what was asked for before what may have been meant."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalog.captions import Draft, add_revision
from catalog.database import Catalog, open_catalog
from catalog.home import find_home
from catalog.library import FileSeen, VideoFacts, place_file, record_facts, set_tags
from catalog.schema import Origin
from catalog.search.index.indexing import index_pending
from catalog.search.query import synonyms
from catalog.search.query.asking import Answer, glance, search
from catalog.search.query.concepts import How

# The older first: where nothing else tells two texts apart, the newer comes first.
TEXTS = {
    "차": "차가 신호등 앞에 멈춘다.",
    "전기차": "전기차가 조용히 지나간다.",
    "기차": "기차가 터널을 빠져나온다.",
    "양말": "아이가 양말을 신는다.",
    "말": "기수가 말을 타고 달린다.",
    "우산": "빨간 우산이 바람에 날아간다.",
    "우산 떨어져": "우산을 접은 여자가 젖은 길을 지나 빨간 지붕 아래에 선다.",
    "거꾸로": "우산 위로 빨간 단풍잎이 떨어진다.",
    "강아지": "강아지가 잔디밭에서 뛴다.",
    "강아지 고양이": "강아지가 고양이를 쫓아간다.",
    "고양이": "고양이가 창가에서 존다.",
    "길고양이": "길고양이가 담장 위를 걷는다.",
    "횡단보도": "할머니가 횡단보도를 건넌다.",
    "카페": "손님이 까페에 앉아 커피를 마신다.",
    "세 명": "아이 세 명이 모래성을 쌓는다.",
    "13명": "선수 13명이 줄을 선다.",
    "송아지": "송아지가 들판에서 운다.",
    "해녀": "해녀가 바다에서 전복을 따 온다.",
    "수박주스": "가게에서 수박주스를 판다.",
    "문장": "소방관이 사다리를 타고 올라가 창문으로 사람을 구한다.",
}
SYNONYMS = synonyms.parse("강아지, 멍멍이\n탈것 => 기차, 전기차\n", "synonyms.txt")


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    opened = open_catalog(find_home(tmp_path_factory.mktemp("order") / "home"))
    with opened.write() as session:
        for number, text in enumerate(TEXTS.values()):
            folder = "여행" if number % 2 else "일상"
            seen = FileSeen(f"/videos/{folder}/v{number:02}.mp4".encode(), 100, number, "8")
            video_id, _ = place_file(session, seen, f"{number:032x}")
            add_revision(session, video_id, Draft(text, Origin.MODEL, model="demo"))
            record_facts(
                session, video_id, VideoFacts(10.0 * number, 64, 48, 10.0, "h264", 0, None)
            )
            set_tags(session, video_id, ["홀수" if number % 2 else "짝수"])
    index_pending(opened)
    yield opened
    opened.close()


Ask = Callable[..., list[str]]


@pytest.fixture
def ask(catalog: Catalog) -> Iterator[Ask]:
    """Names of the texts that answer, in their order."""
    names = {text: name for name, text in TEXTS.items()}
    with catalog.read() as connection:

        def names_of(query: str, **options: Any) -> list[str]:
            matches = search(connection, query, **options).matches
            return [names[one.text] for one in matches if one.field == "caption"]

        yield names_of


@pytest.fixture
def answer(catalog: Catalog) -> Iterator[Callable[..., Answer]]:
    with catalog.read() as connection:
        yield lambda query, **options: search(connection, query, **options)


def how(found: Answer) -> dict[str, How]:
    return {one.text: one.how for one in found.matches}


# One word ----------------------------------------------------------------------------------------


def test_a_noun_by_itself_comes_before_the_end_of_another(ask: Ask) -> None:
    found = ask("차")
    assert found[0] == "차"
    assert "기차" not in found or found.index("차") < found.index("기차")
    assert "전기차" not in found or found.index("차") < found.index("전기차")


def test_a_syllable_is_no_part_of_another_word(ask: Ask) -> None:
    assert ask("말") == ["말"]
    assert "양말" not in ask("말이")


def test_the_word_comes_before_longer_words_that_hold_it(ask: Ask) -> None:
    found = ask("고양이")
    assert set(found[:2]) == {"고양이", "강아지 고양이"}
    assert found[2:] == ["길고양이"]


def test_the_last_part_of_a_longer_word_finds_it(ask: Ask) -> None:
    assert ask("주스") == ["수박주스"]


def test_what_is_exact_comes_before_what_is_guessed(answer: Callable[..., Answer]) -> None:
    order = list(How)
    for query in ("고양이", "강아지", "카페", "차", "횡단보도", "강아지 고양이"):
        found = answer(query).matches
        assert found[0].how in (How.EXACT, How.VARIANT), query
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        exact = [place for place, one in enumerate(found) if one.how is How.EXACT]
        fuzzy = [place for place, one in enumerate(found) if order.index(one.how) > 1]
        assert not fuzzy or not exact or max(exact) < min(fuzzy), query


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("고양이가", "고양이"),
        ("송아지에게서는", "송아지"),
        ("건너는", "횡단보도"),
        ("졸았다", "고양이"),
        ("걸어", "길고양이"),
        ("달렸던", "말"),
        ("구했다", "문장"),
        ("쌓아요", "세 명"),
        ("카페", "카페"),
        ("횡단 보도", "횡단보도"),
        ("수박 주스", "수박주스"),
        ("소방관이사다리를타고올라간다", "문장"),
        ("3명", "세 명"),
        ("세명", "세 명"),
        ("열세 명", "13명"),
        ("ㅎㄴ", "해녀"),
        ("ㅎㄷㅂㄷ", "횡단보도"),
        ("해녀ㅂ", "해녀"),
        ("횡단보ㄷ", "횡단보도"),
        ("횡당보도", "횡단보도"),
        ("gosu", "해녀"),
        ("해녀 전복", "해녀"),
    ],
)
def test_it_is_found_first(ask: Ask, query: str, name: str) -> None:
    assert ask(query)[:1] == [name]


def test_a_number_is_no_part_of_another(ask: Ask) -> None:
    assert ask("3명", guess=False) == ["세 명"]
    assert ask("세 명", guess=False) == ["세 명"]


# Several words -----------------------------------------------------------------------------------


def test_side_by_side_comes_before_apart(ask: Ask) -> None:
    found = ask("빨간 우산")
    assert found[0] == "우산"
    assert set(found) >= {"우산", "우산 떨어져", "거꾸로"}


def test_a_phrase_in_quotes_is_in_order_whatever_the_spaces(ask: Ask) -> None:
    assert ask('"빨간 우산"')[0] == "우산"
    assert ask('"빨간우산"')[0] == "우산"
    assert ask('"빨간 우산"', guess=False) == ["우산"]
    assert "거꾸로" not in ask('"빨간 우산"')


def test_all_words_come_before_some(ask: Ask) -> None:
    found = ask("강아지 고양이")
    assert found[0] == "강아지 고양이"
    assert ask("강아지 고양이", guess=False) == ["강아지 고양이"]


def test_some_words_are_found_where_no_text_has_all(answer: Callable[..., Answer]) -> None:
    found = answer("해녀 횡단보도")
    assert set(how(found).values()) == {How.FEWER}
    assert {TEXTS["해녀"], TEXTS["횡단보도"]} <= set(how(found))
    assert answer("해녀 횡단보도", guess=False).matches == ()


def test_a_request_is_heard_as_what_it_is_about(ask: Ask) -> None:
    assert ask("해녀가 나오는 영상 찾아줘")[0] == "해녀"
    assert ask("할머니가 횡단보도를 건너는 장면 보여줘")[0] == "횡단보도"


# Syntax ------------------------------------------------------------------------------------------


def test_what_is_excluded_is_left_out(ask: Ask) -> None:
    assert "강아지 고양이" not in ask("강아지 -고양이")
    assert ask("강아지 -고양이")[0] == "강아지"
    assert ask('우산 -"빨간 우산"')[0] in ("우산 떨어져", "거꾸로")
    assert "우산" not in ask('우산 -"빨간 우산"')
    assert ask("고양이 -강아지")[0] == "고양이"
    assert ask("-강아지") == []


def test_either_of_two_is_enough(ask: Ask) -> None:
    assert set(ask("해녀 OR 송아지")) == {"해녀", "송아지"}
    assert set(ask("해녀|송아지")) == {"해녀", "송아지"}
    assert set(ask("해녀 OR 없는말입니다")) == {"해녀"}


@pytest.mark.parametrize(
    ("query", "parity"),
    [("폴더:여행", 1), ("folder:일상", 0), ("태그:홀수", 1), ("-태그:홀수", 0), ("path:여행", 1)],
)
def test_filters_choose_among_what_is_found(ask: Ask, query: str, parity: int) -> None:
    names = list(TEXTS)
    for words in ("고양이 OR 강아지 OR 우산", "우산 강아지 고양이", "고양이"):
        unfiltered = ask(words, limit=100)
        found = ask(f"{words} {query}", limit=100)
        assert {names.index(one) % 2 for one in found} <= {parity}
        passing = {one for one in unfiltered if names.index(one) % 2 == parity}
        assert passing <= set(found)


def test_filters_alone_list_the_newest_videos(answer: Callable[..., Answer]) -> None:
    found = answer("태그:홀수", limit=5).matches
    assert [one.field for one in found] == ["title"] * 5
    ids = [one.video_id for one in found]
    assert ids == sorted(ids, reverse=True)
    assert answer("len:>100 len:<=120").matches[0].text == "v12"
    assert answer("태그:없음").matches == ()


def test_the_folder_and_the_date_of_a_command(ask: Ask) -> None:
    assert ask("해녀", folder=b"/videos/\xec\x97\xac\xed\x96\x89") == ["해녀"]
    assert ask("해녀", folder=b"/videos/\xec\x97\xac") == []  # no folder, only how one begins
    assert ask("해녀", folder=b"/elsewhere") == []
    assert ask("해녀", after=0) == ["해녀"]
    assert ask("해녀", after=4_000_000_000) == []


# Limits and guesses ------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_no_more_than_asked_and_the_same_first(ask: Ask, limit: int) -> None:
    with_more = ask("우산", limit=100)
    assert len(ask("우산", limit=limit)) <= limit
    assert ask("우산", limit=1)[0] in with_more


def test_a_guess_is_told(answer: Callable[..., Answer]) -> None:
    assert answer("횡당보도").instead == "횡단보도"
    assert answer("횡당보도 할머니").instead == "횡단보도 할머니"
    assert answer("gosu").instead == "해녀"
    for query in ("횡단보도", "강아지", "카페", "ㅎㄷㅂㄷ", "강아지 고양이", "없는말입니다"):
        assert answer(query).instead == "", query


def test_without_guesses_only_what_is_certain(answer: Callable[..., Answer]) -> None:
    for query in ("횡당보도", "ㅎㄷㅂㄷ", "gosu", "횡단보ㄷ", "해녀 횡단보도"):
        assert answer(query).matches, query
        assert answer(query, guess=False).matches == (), query
    assert how(answer("카페", guess=False)) == {TEXTS["카페"]: How.VARIANT}


def test_the_persons_own_synonyms(answer: Callable[..., Answer]) -> None:
    assert not any(one.how is How.VARIANT for one in answer("멍멍이").matches)
    found = answer("멍멍이", synonyms=SYNONYMS)
    assert {TEXTS["강아지"], TEXTS["강아지 고양이"]} <= set(how(found))
    assert set(how(found).values()) == {How.VARIANT}
    assert TEXTS["기차"] in how(answer("탈것", synonyms=SYNONYMS))
    assert all(
        word not in one.text
        for one in answer("기차", synonyms=SYNONYMS).matches
        for word in ("탈것",)
    )


def test_the_same_question_has_the_same_answer(answer: Callable[..., Answer]) -> None:
    for query in ("우산", "강아지 고양이", "ㄱㅇㅇ", "고양", "해녀 횡단보도 기차"):
        assert answer(query) == answer(query)


# As it is typed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "text"),
    [("고양이", "고양이"), ("횡단보도", "횡단보도"), ("빨간 우산", "우산"), ("해녀 전복", "해녀")],
)
def test_no_keystroke_is_blank(catalog: Catalog, typed: str, text: str) -> None:
    from catalog.search.korean.hangul import compose, keystrokes

    keys = keystrokes(typed)
    with catalog.read() as connection:
        for count in range(2, len(keys) + 1):
            shown = glance(connection, compose(keys[:count])).matches
            assert shown, compose(keys[:count])
        assert TEXTS[text] in {one.text for one in shown}


def test_a_glance_shows_the_newest_first(catalog: Catalog) -> None:
    with catalog.read() as connection:
        found = glance(connection, "강아지", limit=5).matches
    assert {one.text for one in found} == {TEXTS["강아지"], TEXTS["강아지 고양이"]}
