"""How sentences end: whether the last one does, and in which speech level."""

import re
from enum import Enum

from daemon.captioner.gate.sentences import any_of, bare, sentences, without_quotations, words


class SpeechLevel(Enum):
    """How a sentence addresses its reader."""

    FORMAL = "합쇼체"
    POLITE = "해요체"
    PLAIN = "해라체"
    INTIMATE = "해체"


_LEVELS = (
    (SpeechLevel.FORMAL, re.compile(r"(?:니다|니까|십시오|읍시다)$")),
    (SpeechLevel.POLITE, re.compile(r"[가-힣](?:요|죠)$")),
    (SpeechLevel.PLAIN, re.compile(r"[가-힣]다$")),
    (SpeechLevel.INTIMATE, re.compile(r"(?:있어|했어|됐어|이야|거야|같아|보여|잖아)$")),
)
_NOUNS = re.compile(
    any_of(
        "[가-힣]{0,2}바다 사이다 캐나다 판다 소다 베란다 르완다 우간다 혼다 마쓰다"
        " 고요 필요 중요 동요 민요 담요"
    )
)
"""Nouns that a nominal sentence may end in, and that look like a predicate."""


def speech_level(sentence: str) -> SpeechLevel | None:
    """The speech level of a sentence; None for a nominal one, and for a question, which has its own."""
    spoken = words(sentence)
    if not spoken or "?" in sentence or _NOUNS.fullmatch(spoken[-1]):
        return None
    return next((level for level, ending in _LEVELS if ending.search(spoken[-1])), None)


def mixes_speech_levels(text: str) -> bool:
    """Whether sentences of one text end in different speech levels. Quotations have their own."""
    levels = {speech_level(sentence) for sentence in sentences(without_quotations(text))}
    return len(levels - {None}) > 1


_FULL_STOP = re.compile(r"[.!?。][\"'”’)\]」』]*$")
_TRAILING_OFF = re.compile(r"(?:…|\.\.)[\"'”’)\]」』]*$")
_PREDICATE = re.compile(r"(?:다|요|죠|까|시오|네|군)$")
_NOMINAL = re.compile(
    any_of(
        "함 됨 임 음 짐 옴 감 남 봄 림 김 킴 춤 침 냄"
        " 모습 장면 풍경 광경 영상 중 것 듯 순간 상태 상황 화면"
    )
    + "$"
)
_HANGING = re.compile(
    any_of(
        "[가-힣]를 [가-힣]는 [가-힣]은 [가-힣]에서 [가-힣]에게 [가-힣]에 [가-힣]으로 까지 부터"
        " 으며 하며 이며 면서 지만 는데 어서 아서 여서 해서 도록"
        " 이나 거나 위해 통해 향해 대해 의해 따라 및 또는 그리고 그러나 하지만 또한"
        " [가-힣]습니 [가-힣]합니 [가-힣]됩니 [가-힣]입니 있 없 였 았 었 했 보입 나타"
    )
    + "$"
)
_PARTICLE_OR_NOUN = re.compile(r"[가-힣](?:이|가|을|의|와|과|고)$")
_NOUNS_LIKE_PARTICLES = re.compile(
    any_of(
        "^이 아이 어린이 고양이 호랑이 원숭이 거북이 달팽이 놀이 종이 나이 차이 길이 높이 깊이 사이"
        " 떡볶이 볶음이 구이 걸이 꽂이 맞이 돌이 쟁이 덩이 송이"
        " 휴가 상가 평가 국가 작가 화가 무용가 사진가 전문가 요가 노을 가을 마을 고을"
        " 강의 회의 주의 정의 논의 상의 하의 사과 효과 결과 학과 통과 교과 다과 기와"
        " 창고 차고 금고 냉장고 광고 사고 경고 보고 최고 재고"
    )
    + "$"
)


def is_cut_off(text: str) -> bool:
    """Whether the last sentence breaks off. A nominal ending (`…하는 모습`) is an end."""
    if _TRAILING_OFF.search(text):
        return not _PREDICATE.search(_last_word(text))
    if _FULL_STOP.search(text):
        return False
    last = _last_word(text)
    if not last or text.rstrip()[-1] in ",:;-(":
        return True
    if _PREDICATE.search(last) or _NOMINAL.search(last):
        return False
    if _PREDICATE.search(_last_word_of_first(text)):
        return True
    if _HANGING.search(last):
        return True
    return bool(_PARTICLE_OR_NOUN.search(last)) and not _NOUNS_LIKE_PARTICLES.search(last)


def _last_word(text: str) -> str:
    spoken = text.split()
    return bare(spoken[-1]) if spoken else ""


def _last_word_of_first(text: str) -> str:
    """Where a text has several sentences, how the first one ends tells how the last one should."""
    parts = sentences(text)
    return _last_word(parts[0]) if len(parts) > 1 else ""
