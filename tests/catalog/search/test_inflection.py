"""Inflected predicates and their dictionary forms, without an analyser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.korean.hangul import letters as split
from catalog.search.korean.hangul import syllable as join
from catalog.search.korean.inflection import (
    dictionary_forms,
    forms_before_auxiliary,
    forms_in_a,
)

# Dictionary form: forms of it, as captions and queries have them.
REGULAR = {
    "먹다": "먹는다 먹고 먹어 먹어요 먹었다 먹으면 먹으면서 먹는 먹은 먹을 먹습니다 먹었습니다 먹자 먹기",
    "가다": "간다 가고 가서 갔다 가면 가는 갈 갑니다 가니까 갔어요 가던",
    "보다": "본다 보고 봐 봐요 봤다 보면 보는 볼 봅니다 보았다 보았던",
    "주다": "준다 줘 줬다 주었다 주는 줄",
    "배우다": "배운다 배워 배웠다 배우는 배워서",
    "마시다": "마신다 마셔 마셨다 마시는 마시며 마십니다",
    "기다리다": "기다린다 기다려 기다렸다 기다리는 기다려요",
    "되다": "된다 돼 됐다 되어 되는",
    "앉다": "앉는다 앉아 앉았다 앉은 앉아서",
    "읽다": "읽는다 읽어 읽었다 읽는 읽으며",
    "웃다": "웃는다 웃어 웃었다 웃으며 웃는",
    "씻다": "씻는다 씻어 씻었다 씻으면",
    "입다": "입는다 입어 입었다 입은",
    "잡다": "잡는다 잡아 잡았다 잡은",
    "닫다": "닫는다 닫아 닫았다 닫은 닫으면",
    "얻다": "얻는다 얻어 얻은",
    "좋다": "좋아 좋은 좋았다 좋고",
    "놓다": "놓는다 놓아 놓은 놓았다",
    "켜다": "켠다 켜 켰다 켜는",
    "세다": "센다 세어 셌다",
}
IRREGULAR = {
    # ㅂ
    "돕다": "돕는다 도와 도왔다 도우면 도운 도울 도와서",
    "줍다": "줍는다 주워 주웠다 주우면 주운 주울",
    "눕다": "눕는다 누워 누웠다 누우면 누운",
    "굽다": "굽는다 구워 구웠다 구운",
    "춥다": "춥다 추워 추웠다 추우면 추운 추워요",
    "곱다": "고와 고운 고왔다",
    "아름답다": "아름다워 아름다운 아름다웠다 아름답게",
    "가볍다": "가벼워 가벼운 가벼웠다",
    # ㄷ
    "걷다": "걷는다 걸어 걸었다 걸으면 걸은 걸으며",
    "듣다": "듣는다 들어 들었다 들으면 들은 들을",
    "묻다": "묻는다 물어 물었다 물은",
    "싣다": "싣는다 실어 실었다 실은",
    "깨닫다": "깨달아 깨달은 깨달았다",
    # 르
    "부르다": "부른다 불러 불렀다 부르며 부르는",
    "흐르다": "흐른다 흘러 흘렀다 흐르는",
    "오르다": "오른다 올라 올랐다 오르는 올라서",
    "자르다": "자른다 잘라 잘랐다 자르고",
    "모르다": "모른다 몰라 몰랐다",
    "빠르다": "빨라 빨랐다 빠른 빠르게",
    # 러
    "이르다": "이르러 이르렀다 이른",
    "푸르다": "푸르러 푸른 푸르렀다",
    # ㅅ
    "짓다": "짓는다 지어 지었다 지으면 지은 지을",
    "젓다": "젓는다 저어 저었다 저은",
    "긋다": "긋는다 그어 그었다 그은",
    "낫다": "나아 나았다 나은",
    "잇다": "이어 이었다 이은",
    # ㅎ
    "빨갛다": "빨간 빨개 빨갰다 빨가면 빨갛게",
    "파랗다": "파란 파래 파랬다 파라면",
    "하얗다": "하얀 하얘 하얬다",
    "노랗다": "노란 노래 노랬다",
    "까맣다": "까만 까매 까맣게",
    "커다랗다": "커다란 커다래",
    "그렇다": "그런 그래 그랬다",
    # ㄹ
    "놀다": "논다 노는 놀아 놀았다 놉니다 노니 놀면",
    "만들다": "만든다 만드는 만들어 만들었다 만듭니다 만들면 만든",
    "날다": "난다 나는 날아 날았다",
    "열다": "연다 여는 열어 열었다 엽니다",
    "흔들다": "흔든다 흔드는 흔들어 흔드니",
    "길다": "긴 길어 길었다",
    # 으
    "쓰다": "쓴다 써 썼다 쓰는 쓰면",
    "끄다": "끈다 꺼 껐다",
    "크다": "큰 커 컸다 크게",
    "모으다": "모은다 모아 모았다",
    "기쁘다": "기쁜 기뻐 기뻤다",
    "바쁘다": "바쁜 바빠 바빴다",
    "담그다": "담가 담갔다",
    # 우
    "푸다": "푼다 퍼 펐다",
    # 하다, 여
    "하다": "한다 해 했다 하여 하는 하였다 합니다",
    "운동하다": "운동한다 운동해 운동했다 운동하는 운동하면서",
    "산책하다": "산책하는 산책했다 산책해요 산책합니다",
}  # fmt: skip
POLITE = {
    "하다": "하신다 하세요 하셨다",
    "가다": "가신다 가세요 가셨습니다",
    "읽다": "읽으신다 읽으세요",
    "앉다": "앉으세요 앉으셨다",
    "걷다": "걸으신다 걸으셨다",
    "돕다": "도우신다 도우셨다",
    "짓다": "지으신다 지으셨다",
    "만들다": "만드신다 만드셨다",
}
BEFORE_AUXILIARY = {
    "돕다": "도와주는 도와준다 도와줬다",
    "걷다": "걸어가는 걸어간다 걸어왔다",
    "뛰다": "뛰어간다 뛰어오는",
    "안다": "안아주는 안아준다",
    "열다": "열어보는 열어본다",
    "먹다": "먹어버렸다 먹어본다",
    "찢다": "찢어진 찢어졌다",
}


def pairs(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(form, lemma) for lemma, forms in table.items() for form in forms.split()]


ALL = [*pairs(REGULAR), *pairs(IRREGULAR), *pairs(POLITE)]


def test_there_are_enough_pairs_to_mean_something() -> None:
    assert len(set(ALL)) >= 250


@pytest.mark.parametrize(("form", "lemma"), ALL)
def test_a_form_leads_to_its_dictionary_form(form: str, lemma: str) -> None:
    assert lemma in dictionary_forms(form)


@pytest.mark.parametrize(("form", "lemma"), pairs(BEFORE_AUXILIARY))
def test_what_stands_before_an_auxiliary_is_found(form: str, lemma: str) -> None:
    assert lemma in forms_before_auxiliary(form)


@pytest.mark.parametrize("lemma", [*REGULAR, *IRREGULAR])
def test_a_dictionary_form_is_one_of_itself(lemma: str) -> None:
    assert lemma in dictionary_forms(lemma)


@pytest.mark.parametrize(
    ("form", "others"),
    [
        ("걸어", {"걷다", "걸다"}),
        ("물어", {"묻다", "물다"}),
        ("이른", {"이르다"}),
        ("나는", {"나다", "날다"}),
        ("지은", {"짓다"}),
        ("구운", {"굽다"}),
        ("실은", {"싣다"}),
        ("타서", {"타다", "트다"}),
    ],
)
def test_a_form_of_several_leads_to_all(form: str, others: set[str]) -> None:
    assert others <= dictionary_forms(form)


@pytest.mark.parametrize("noun", ["강아지", "횡단보도", "주차장", "양말", "자전거", "텔레비전"])
def test_a_noun_leads_to_few_proposals(noun: str) -> None:
    assert len(dictionary_forms(noun)) <= 12


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=40))
def test_any_syllables_give_predicates_only(word: str) -> None:
    for form in dictionary_forms(word) | forms_before_auxiliary(word):
        assert form.endswith("다")
        assert len(form) >= 2
        assert all("가" <= syllable <= "힣" for syllable in form)


@given(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
def test_syllables_come_apart_and_together(syllable: str) -> None:
    assert join(*split(syllable)) == syllable


@pytest.mark.parametrize("text", ["", "path:", "강아지path", "abc", "ㄱ", "강아지:", "a다"])
def test_what_is_no_run_of_syllables_has_no_forms(text: str) -> None:
    assert dictionary_forms(text) == frozenset()
    assert forms_before_auxiliary(text) == frozenset()
    assert forms_in_a(text) == set()
