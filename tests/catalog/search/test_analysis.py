"""What the analyser makes of a text: tokens for the index, entries for the lexicon."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.search.index.analysis import Analyser, Analysis, analyser_version
from catalog.search.korean.text import SENTENCE
from catalog.search.tokens import COMPOUND, LATIN, NOUN, PREDICATE, WRITTEN


@pytest.fixture(scope="module")
def analyser() -> Analyser:
    return Analyser()


def analysed(analyser: Analyser, text: str) -> Analysis:
    return analyser.analyse([text])[0]


@pytest.mark.parametrize(
    ("text", "lemmas"),
    [
        ("강아지가 걸어요.", ["강아지", "걷다"]),
        ("할머니를 도왔다.", ["할머니", "돕다"]),
        ("노래를 불렀다.", ["노래", "부르다"]),
        ("집을 지어서 산다.", ["집", "짓다", "살다"]),
        ("하늘이 파래졌다.", ["하늘", "파랗다"]),
        ("쓰레기를 주웠다.", ["쓰레기", "줍다"]),
        ("공원에서 운동했다.", ["공원", "운동하다"]),
        ("아이 세 명이 논다.", ["아이", "3", "명ː", "놀다"]),
        ("강아지 3마리", ["강아지", "3", "마리ː"]),
        ("ＢＭＷ를 탄다.", ["bmw", "타다"]),
        (unicodedata.normalize("NFD", "고양이가 존다."), ["고양이", "졸다"]),
    ],
)
def test_lemmas_stand_in_the_order_of_the_text(
    analyser: Analyser, text: str, lemmas: list[str]
) -> None:
    found = analysed(analyser, text).lemmas.split()
    assert [one for one in found if one in lemmas] == lemmas


def test_no_phrase_goes_across_sentences(analyser: Analyser) -> None:
    lemmas = analysed(analyser, "강아지가 잔다. 고양이가 논다.").lemmas.split()
    assert lemmas == ["강아지", "자다", SENTENCE, "고양이", "놀다"]


@pytest.mark.parametrize(
    ("text", "also"),
    [
        ("공원에서 운동했다.", "운동"),
        ("선생님이 웃는다.", "선생님"),
        ("K-POP 춤을 춘다.", "kpop"),
        ("차가 선다.", "차"),
    ],
)
def test_what_a_part_is_besides(analyser: Analyser, text: str, also: str) -> None:
    found = analysed(analyser, text)
    assert also in f"{found.lemmas} {found.also}".split()


def test_a_syllable_of_a_longer_word_is_none_by_itself(analyser: Analyser) -> None:
    assert "차" in analysed(analyser, "차가 선다.").also.split()
    assert "차" not in analysed(analyser, "전기차가 선다.").also.split()
    assert "말" not in analysed(analyser, "양말을 신는다.").lemmas.split()


def test_the_words_as_written(analyser: Analyser) -> None:
    assert analysed(analyser, "강아지가, BMW 공원을 본다!").words == "강아지가 공원을 본다"


def test_entries_teach_what_words_are(analyser: Analyser) -> None:
    entries = set(analysed(analyser, "강아지가 무단투기를 하는 BMW에 걸어간다.").entries)
    assert ("강아지", NOUN, "") in entries
    assert ("bmw", LATIN, "") in entries
    assert any(kind == PREDICATE and word.startswith("걸") for word, kind, _ in entries)
    assert ("강아지가", WRITTEN, "강아지") in entries
    kinds = {kind for word, kind, _ in entries if word == "무단투기"}
    assert kinds & {COMPOUND, NOUN}


def test_a_text_gives_the_same_whatever_is_beside_it(analyser: Analyser) -> None:
    texts = [
        "강아지가 걸어간다.",
        "",
        "BMW",
        "해녀가 전복을 딴다. " * 50,
        "ㅋㅋㅋ",
        "강아지가 걸어간다.",
    ]
    together = analyser.analyse(texts)
    assert together == [analysed(analyser, text) for text in texts]
    assert together[0] == together[-1]
    assert analyser.analyse([]) == []


def test_composed_or_not_it_is_one_text(analyser: Analyser) -> None:
    text = "할머니가 횡단보도를 건넌다. 아이 세 명이 웃는다."
    composed = unicodedata.normalize("NFC", text)
    decomposed = unicodedata.normalize("NFD", text)
    assert analysed(analyser, composed) == analysed(analyser, decomposed)


def test_a_sentence_without_spaces_teaches_no_long_words(analyser: Analyser) -> None:
    found = analysed(analyser, "소방관이사다리를타고올라가서사람을구한다")
    assert {"소방관", "사다리", "사람"} <= set(found.lemmas.split())
    assert all(len(entry.word) <= 12 for entry in found.entries)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0",
        "...",
        "\u200b",
        "ㄱ" * 500,
        "강" * 3_000,
        "a" * 3_000,
        "1" * 3_000,
        "가 " * 2_000,
        "👨‍👩‍👧‍👦 가족 🎉",
        "中文 日本語 ქართული العربية",
        "http://example.com/영상?id=3&x=강아지",
        "#강아지 @user 3:45 1,234.5km² ½",
        "첫 줄\n둘째 줄\r\n\t셋째",
        "e\u0301" * 100,
    ],
)
def test_any_text_can_be_read(analyser: Analyser, text: str) -> None:
    found = analysed(analyser, text)
    for column in (found.lemmas, found.also, found.words):
        assert column == " ".join(column.split())
    assert all(entry.word for entry in found.entries)


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.one_of(
            st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3),
            st.sampled_from(" .,강아지가걷는다세명3개K-popːㄱㅏ\u1112\u1161\u11ab\n\u200b"),
            st.characters(exclude_categories=["Cs"]),
        ),
        max_size=80,
    )
)
def test_any_text_gives_entries_that_its_row_bears_out(analyser: Analyser, text: str) -> None:
    found, again = analyser.analyse([text, text])
    assert found == again
    tokens = {*found.lemmas.split(), *found.also.split()}
    for word, kind, reading in found.entries:
        if kind in (NOUN, PREDICATE):
            assert word in tokens
        assert word == word.strip()
        assert "\0" not in word + reading


def test_the_version_names_the_analyser_and_the_rules() -> None:
    assert analyser_version().startswith("kiwi ")
    assert "rules" in analyser_version()
