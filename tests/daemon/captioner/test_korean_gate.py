"""The Korean gate: every rule with what it must catch and what it must let pass, and the figures."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.review import Reason
from daemon.captioner.demo.prompts import merged
from daemon.captioner.demo.vocabulary import ALL_TRIPLES, BACKGROUNDS, NOTHING, sentence
from daemon.captioner.gate import cleaned, review_reasons
from daemon.captioner.gate.endings import SpeechLevel, is_cut_off, mixes_speech_levels, speech_level
from daemon.captioner.gate.leaks import has_control_tokens, has_markup, is_broken, repeats_prompt
from daemon.captioner.gate.loops import doubles_a_word, goes_in_circles
from daemon.captioner.gate.manner import declines, talks_about_itself
from daemon.captioner.gate.rules import RULES
from daemon.captioner.gate.script import has_foreign_script, is_empty, is_not_korean
from daemon.captioner.gate.spacing import is_spaced_unevenly
from tests.benchmarks.korean_gate import SETS, false_alarms, missed, read

MOST_FALSE_ALARMS = 0.01
FEWEST_CAUGHT = 0.95


@pytest.mark.parametrize("files", SETS.values(), ids=list(SETS))
def test_good_captions_pass_and_broken_ones_do_not(files: tuple[str, str]) -> None:
    good, broken = read(files[0]), read(files[1])
    assert len(false_alarms(good)) <= MOST_FALSE_ALARMS * len(good)
    assert len(missed(broken)) <= (1 - FEWEST_CAUGHT) * len(broken)


def test_the_first_set_is_large_and_has_every_fault() -> None:
    good, broken = (read(name) for name in SETS["first set"])
    assert len({one.text for one in good}) == len(good) >= 300
    kinds = [one.kind for one in broken]
    assert all(kinds.count(reason) >= 8 for reason in Reason)


def test_what_the_demo_model_can_say_is_good() -> None:
    told = [
        sentence(ground, [triple, ALL_TRIPLES[(7 * place + 3) % len(ALL_TRIPLES)]])
        for ground in BACKGROUNDS
        for place, triple in enumerate(ALL_TRIPLES)
    ]
    assert {review_reasons(text, finished=True) for text in [NOTHING, *told]} == {()}
    for start in range(0, 60, 3):
        notes = told[start : start + 6]
        assert review_reasons(merged(notes), finished=True, notes=notes) == ()


def test_a_merge_may_repeat_itself_as_far_as_its_notes_do() -> None:
    notes = ["빈 주차장에 차가 한 대 있다."] * 4
    text = merged(notes)
    assert review_reasons(text, finished=True) == ("repetition",)
    assert review_reasons(text, finished=True, notes=notes) == ()
    looped = "차가 지나간다. 차가 지나간다. 빨간 차가 지나간다. 빨간 차가 지나간다."
    assert "repetition" in review_reasons(looped, finished=True, notes=["차가 온다.", "차가 간다."])


@pytest.mark.parametrize("text", ["", " ", "...", "- - -", "“”", "!?"])
def test_a_text_of_signs_is_empty(text: str) -> None:
    assert is_empty(text)
    assert review_reasons(text, finished=True) == ("empty",)


@pytest.mark.parametrize(
    "text",
    [
        "a red circle moves",
        "A man walks his dog.",
        "남자가 black shirt를 입고 있고 the dog is running.",
        "아이가 walking하고 있다.",
        "그는 happy한 표정을 짓는다.",
        "12 34 56",
        "UN CHIEN COURT DANS LE PARC",
    ],
)
def test_another_language_is_not_korean(text: str) -> None:
    assert is_not_korean(text)


@pytest.mark.parametrize(
    "text",
    [
        "LG OLED TV 옆에 Samsung Galaxy S24 Ultra와 iPhone 15 Pro가 놓여 있다.",
        "시속 80 km/h로 달리는 KTX를 CCTV가 찍는다.",
        "슬라이드 제목은 'An Introduction to the Theory of Algorithms'이다.",
        "남자가 Bank of America 앞을 지난다.",
        "주소창에 www.seoul-museum.go.kr/exhibition/spring이 보인다.",
        "화면에 train_model.py와 data/videos/clip.mp4가 열려 있다.",
    ],
)
def test_names_units_and_quotations_leave_a_text_korean(text: str) -> None:
    assert not is_not_korean(text)


@pytest.mark.parametrize(
    "text",
    [
        "남자가 自行車를 타고 있다.",
        "아이가 公園에서 논다.",
        "고양이가 ソファ에서 잔다.",
        "차가 дорога를 달린다.",
        "하늘이 สวย 맑다.",
        "그는 người를 본다.",
        "이것은 학교 學校이다.",
    ],
)
def test_foreign_letters_are_seen(text: str) -> None:
    assert has_foreign_script(text)


@pytest.mark.parametrize(
    "text",
    [
        "학교(學校)라는 낱말을 쓴다.",
        "현판에 '大雄殿'이라고 적혀 있다.",
        "칠판에 π와 Ω가 적혀 있다.",
        "Café 간판 아래로 ㈜해설의 트럭이 지난다.",
        "기온은 12℃, 넓이는 3㎡이다.",
    ],
)
def test_hanja_in_brackets_signs_and_units_are_no_foreign_letters(text: str) -> None:
    assert not has_foreign_script(text)


@pytest.mark.parametrize(
    "text",
    [
        "빨간 빨간 빨간 차",
        "나무가 있고 나무가 있고 나무가 있고",
        "뛰어놀아아아아아아",
        "파도파도파도파도",
        "그는 웃는다. 새가 높이 날아간다. 새가 높이 날아간다.",
        "개가 뛰고 소가 걷고 개가 뛰고 소가 걷는다 개가 뛰고 소가 걷고 있다.",
        "왼쪽에 큰 나무가 있다. 오른쪽에 큰 나무가 있다. 앞에 큰 나무가 있다. 뒤에 큰 나무가 있다.",
        "웃는다!!!!!!!!!",
    ],
)
def test_a_loop_is_seen(text: str) -> None:
    assert goes_in_circles(text)


@pytest.mark.parametrize(
    "text",
    [
        "별이 반짝반짝 빛난다.",
        "북이 둥 둥 둥 울린다.",
        "한 명 한 명 이름을 부른다.",
        "매우 매우 느리게 기어간다.",
        "관중이 “대한민국! 대한민국! 대한민국! 대한민국!”을 외친다.",
        "점수는 100000점이다.",
        "잠시 뒤...... 문이 열린다.",
    ],
)
def test_what_is_repeated_on_purpose_is_no_loop(text: str) -> None:
    assert not goes_in_circles(text)


@pytest.mark.parametrize(
    "text",
    [
        "죄송하지만 영상을 볼 수 없습니다.",
        "영상이 제공되지 않았습니다.",
        "AI 언어 모델로서 설명할 수 없습니다.",
        "I'm sorry, I cannot see the video.",
        "정보가 부족하여 말씀드리기 어렵습니다.",
    ],
)
def test_a_refusal_is_seen(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "죄송하다는 듯 점원이 고개를 숙인다.",
        "안내문에 '죄송합니다. 내부 수리 중입니다.'라고 적혀 있다.",
        "아이가 문을 열 수 없어 운다.",
        "친구들과 사진을 공유해 보며 웃는다.",
    ],
)
def test_an_apology_in_the_picture_is_no_refusal(text: str) -> None:
    assert not declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "이 영상은 강아지가 뛰는 모습을 보여 줍니다.",
        "비디오는 바다에서 시작된다.",
        "영상의 주인공은 고양이다.",
        "물론입니다! 강아지입니다.",
        "다음은 영상에 대한 설명입니다.",
        "네, 강아지가 보입니다.",
        "영상을 묘사해 드리겠습니다. 개가 짖습니다.",
        "개가 짖습니다. 이 영상은 활기찬 분위기를 보여 줍니다.",
        "개가 짖습니다. 더 궁금한 점이 있으시면 물어보세요.",
        "This video shows 강아지.",
    ],
)
def test_talk_about_the_video_is_seen(text: str) -> None:
    assert talks_about_itself(text)


@pytest.mark.parametrize(
    "text",
    [
        "영상을 편집하는 남자가 모니터를 본다.",
        "영상 통화를 하던 아이가 웃는다.",
        "네 명의 아이가 뛴다.",
        "이 빠진 할아버지가 웃는다.",
        "예복을 입은 신부가 걷는다.",
        "화면 왼쪽에서 차가 들어온다.",
        "사진을 찍던 여자가 넘어진다.",
        "다음 주자가 바통을 기다린다.",
    ],
)
def test_a_video_within_the_video_is_no_opener(text: str) -> None:
    assert not talks_about_itself(text)


@pytest.mark.parametrize(
    "text",
    [
        "남자가 걷\ufffd 있다.",
        "ㅋㅋㅋ 강아지다.",
        "아이가 ᄀ네를 탄다.",
        "<0xEB><0x82>자가 선다.",
        "ìĿ´ ìĺģìĥģ",
        "쨺쀍을 든 남자",
    ],
)
def test_broken_letters_are_seen(text: str) -> None:
    assert is_broken(text)


@pytest.mark.parametrize(
    "text", ["ㄱ자 모양의 집", "ㄷ자형 건물", "채팅창에 'ㅋㅋㅋ'가 뜬다.", "펩시를 마신다."]
)
def test_letters_that_name_a_shape_are_whole(text: str) -> None:
    assert not is_broken(text)


@pytest.mark.parametrize(
    "text",
    [
        "USER: 무엇인가요? ASSISTANT: 개다.",
        "개가 짖는다. <|im_start|>user",
        "<video> 개가 짖는다.",
        "개가 짖는다. [/INST]",
        "질문: 무엇인가? 답변: 개다.",
    ],
)
def test_control_tokens_are_seen(text: str) -> None:
    assert has_control_tokens(text)
    assert not has_control_tokens("강사가 '<video>' 태그를 설명한다.")


@pytest.mark.parametrize(
    "text",
    [
        "**굵게** 쓴 글",
        "# 제목 개가 짖는다.",
        "- 개 - 소",
        "1. 개 2. 소",
        "배경: 바다 인물: 남자",
        "• 개",
    ],
)
def test_markup_is_seen(text: str) -> None:
    assert has_markup(text)
    assert not has_markup("오전 10시 - 오후 6시라는 안내와 #여행 표시가 보인다.")


def test_an_echo_of_the_prompt_is_seen() -> None:
    prompt = "빨간 물건이 나오면 꼭 말해 줄 것을 부탁합니다"
    assert repeats_prompt("이 영상을 한국어로 상세히 묘사해 주세요.")
    assert repeats_prompt(f"{prompt} 개가 짖는다.", prompt)
    assert not repeats_prompt("개가 짖는다.", prompt)
    assert not repeats_prompt("아이가 '설명해 주세요'라고 적힌 카드를 든다.")


def test_notes_in_a_prompt_may_be_quoted() -> None:
    note = "남자가 길을 걷고 있는 모습이 보인다."
    prompt = f"앞 장면:\n{note}\n1. {note}"
    assert review_reasons(note, finished=True, prompt=prompt) == ("prompt_echo",)
    assert review_reasons(note, finished=True, prompt=prompt, notes=[note]) == ()


def test_words_of_the_glossary_are_as_wanted() -> None:
    text = "haeseol을 쓰는 東京의 회사에서 kubernetes를 배우는 사람들이 있다."
    assert review_reasons(text, finished=True) == ("not_korean", "foreign_script")
    assert (
        review_reasons(text, finished=True, glossary="해설=haeseol, 東京, 쿠버네티스(kubernetes)")
        == ()
    )


@pytest.mark.parametrize(
    "text",
    [
        "여자가 앉아 있다. 손에는 커피잔이 들려 있고",
        "남자가 칼을 들고 양파를",
        "넓은 들판에서 소들이 풀을 뜯으며",
        "공을 찬 아이가 골대를 향해",
        "가수가 노래하고 있습니",
        "개가 짖는다. 승객들이...",
        "산과 바다,",
    ],
)
def test_a_cut_sentence_is_seen(text: str) -> None:
    assert is_cut_off(text)
    assert "unfinished" in review_reasons(text, finished=True)


@pytest.mark.parametrize(
    "text",
    [
        "바닷가를 걷는 모습",
        "기도함",
        "붉은 노을",
        "학교 강의",
        "잠든 고양이",
        "개가 짖는다",
        "개가 짖어요",
        "“어서 오세요.”",
        "개가 짖는다…",
    ],
)
def test_nominal_endings_and_whole_sentences_are_finished(text: str) -> None:
    assert not is_cut_off(text)


def test_the_token_limit_leaves_a_text_unfinished() -> None:
    assert review_reasons("남자가 걷는다.", finished=False) == ("unfinished",)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("개가 짖습니다.", SpeechLevel.FORMAL),
        ("개가 짖어요.", SpeechLevel.POLITE),
        ("개가 짖는다.", SpeechLevel.PLAIN),
        ("개가 있어.", SpeechLevel.INTIMATE),
        ("짖는 개.", None),
        ("푸른 바다.", None),
        ("무엇일까요?", None),
    ],
)
def test_speech_levels(text: str, level: SpeechLevel | None) -> None:
    assert speech_level(text) is level


def test_mixed_speech_levels_are_seen() -> None:
    assert mixes_speech_levels("개가 짖습니다. 소가 운다.")
    assert mixes_speech_levels("개가 짖어요. 소가 웁니다.")
    assert not mixes_speech_levels("개가 짖는다. 우는 소의 모습. 하늘이 맑다.")
    assert not mixes_speech_levels('아이가 "안녕하세요."라고 인사한다. 개가 짖는다.')


@pytest.mark.parametrize(
    "text",
    [
        "남자가남자가 온다.",
        "빨간 빨간 차",
        "공을 공을 던진다.",
        "있습니다 있습니다.",
        "자동차 자동차가",
        "큰 큰 개",
    ],
)
def test_a_doubled_word_is_seen(text: str) -> None:
    assert doubles_a_word(text)


@pytest.mark.parametrize(
    "text",
    [
        "반짝 반짝 빛난다",
        "높이 높이 난다",
        "서로 서로 돕는다",
        "하나하나 센다",
        "긴 긴 밤",
        "한 명 한 명",
        "따로따로",
    ],
)
def test_mimetic_words_and_adverbs_may_be_doubled(text: str) -> None:
    assert not doubles_a_word(text)


@pytest.mark.parametrize(
    "text",
    [
        "자전거가 온다. 자전 거는 빨갛다.",
        "남자가거리를걷고있으며옆에는강아지가있습니다.",
        "남 자 가 길 을 걷 고 있 다.",
    ],
)
def test_uneven_spacing_is_seen(text: str) -> None:
    assert is_spaced_unevenly(text)


@pytest.mark.parametrize(
    "text",
    [
        "아이를 바라보고 있다. 개도 바라보고있다.",
        "한 번 뛴다. 다시 한번 뛴다.",
        "큰 소리로 운다. 큰소리가 들린다.",
        "동대문디자인플라자에서는 불이 켜진다.",
    ],
)
def test_what_may_be_written_either_way_is_fine(text: str) -> None:
    assert not is_spaced_unevenly(text)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("개가\n 짖는다.\t\x00", "개가 짖는다."),
        ("개가 짖는다.", "개가 짖는다."),
        ("개가 짖는다.</s>", "개가 짖는다."),
        ("개가 짖는다.<|im_end|>\n<|im_start|>user\n또?", "개가 짖는다."),
        ("ASSISTANT: 개가 짖는다.", "개가 짖는다."),
        ("**개**가 짖는다.", "개가 짖는다."),
        ("- 개가 짖는다.\n- 소가 운다.", "개가 짖는다. 소가 운다."),
        ("개가 짖는다.소가 운다.", "개가 짖는다. 소가 운다."),
        ("영상에서는 강아지가 뛰어간다.", "강아지가 뛰어간다."),
        ("네, 알겠습니다. 강아지가 뛰어간다.", "강아지가 뛰어간다."),
        ("설명: 강아지가 들판을 뛴다.", "강아지가 들판을 뛴다."),
        # What would not be whole without its opener stays for the gate to see.
        (
            "이 영상은 강아지가 뛰는 모습을 보여 줍니다.",
            "이 영상은 강아지가 뛰는 모습을 보여 줍니다.",
        ),
        ("네, 알겠습니다.", "네, 알겠습니다."),
        ("네 명의 아이가 뛰어간다.", "네 명의 아이가 뛰어간다."),
        ("- 개\n- 소", "- 개 - 소"),
    ],
)
def test_cleaning_repairs_only_what_is_safe(said: str, kept: str) -> None:
    assert cleaned(said) == kept


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_looked_at(text: str) -> None:
    once = cleaned(text)
    assert cleaned(once) == once
    assert set(review_reasons(once, finished=True)) <= set(Reason)


@pytest.mark.parametrize(
    "unit", ["가", "가나 ", "'", '"', "가나다라마바사 ", "a ", "- ", "나무가 있고 ", "1. "]
)
def test_a_model_in_a_loop_costs_no_time(unit: str) -> None:
    """256 tokens are some 800 characters; ten times as many take less than a second in every rule."""
    text = (unit * 8000)[:8000]
    began = time.process_time()
    review_reasons(cleaned(text), finished=False, prompt=text)
    assert time.process_time() - began < 1.0


def test_every_reason_has_its_rule() -> None:
    by_other_means = {Reason.EMPTY, Reason.PROMPT_ECHO, Reason.UNFINISHED}
    assert set(RULES) == set(Reason) - by_other_means
