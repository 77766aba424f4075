"""Finds a model that talks about itself, its task or the video as such, in place of what is in it."""

import re

from daemon.captioner.gate.sentences import any_of, sentences, without_quotations

_RECORDING = any_of("동영상 영상 비디오 이미지 클립")
_PICTURE = any_of("동영상 영상 비디오 이미지 사진")
_MEDIUM = any_of("동영상 영상 비디오 이미지 클립 사진 장면 화면 그림 프레임")
_THIS = any_of("이 본 해당 위 위의 제공된 주어진 첨부된 업로드된 제시된 입력된") + r"\s?"
_ABOUT = any_of(
    r"은 는 에서 에는 에서는 에선 의 속에서는 속에서 속에는 속에 속의 속 상에서"
    r" [을를]\s보면 [을를]\s통해 [이가]\s시작"
)
_PART = any_of("시작 처음 첫 초반 중반 후반 마지막 끝 주인공 주요 내용 배경 전체")
_NOD = any_of(
    "네 예 아니요 물론 물론입니다 물론이죠 물론이에요 알겠습니다 좋습니다 그럼요 당연하죠 당연합니다"
    " 안녕하세요 감사합니다"
)
_TEXT = any_of("설명 묘사 캡션 답변 답 제목 요약 번역 내용 한국어")

_OPENERS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"^{_THIS}(?:짧은\s)?{_MEDIUM}(?:\s?{_MEDIUM})?\s?{_ABOUT}",
        rf"^{_RECORDING}(?:\s?클립)?\s?{_ABOUT}(?<!의)(?=[\s,됩됐])",
        rf"^{_RECORDING}의\s{_PART}",
        rf"^{_MEDIUM}[을를]\s.{{0,10}}{_TEXT}.{{0,8}}(?:겠습니다|게요)",
        r"^(?:사진|장면|프레임)[은는]\s",
        r"^(?:사진|프레임)(?:에는|에서는)\s",
        rf"^(?:다음|아래|여기)[은는에]?\s.{{0,30}}{_TEXT}",
        rf"^(?:{_MEDIUM}\s?)?{_TEXT}\s?:",
        rf"^{_MEDIUM}에 대한\s.{{0,12}}{_TEXT}",
        rf"^{_NOD}\s?[,.!]",
        r"^(?:저는|제가|저희는|나는)\s",
        rf"^우리는\s(?:이\s)?{_MEDIUM}",
        r"(?i)^(?:sure|of course|certainly|here is|here's)\b",
        r"(?i)^(?:the|this|in this|in the) (?:video|image)\b",
    )
)
_LATER = (
    re.compile(rf"^(?:이|본|해당)\s?{_RECORDING}[은는]\s"),
    re.compile(rf"^(?:전반적으로|전체적으로|요약하면),?\s(?:이|본|해당)?\s?{_RECORDING}[은는]"),
    re.compile(
        r"궁금한 점이|필요하신|도움이 되(?:셨|었|기를|길)|문의해 주|말씀해 주세요|알려\s?주세요"
    ),
)

_CANNOT = any_of(
    "볼 확인할 분석할 묘사할 설명할 제공할 인식할 처리할 도와드릴 해석할 답변할 판단할 시청할"
    " 파악할 접근할 재생할"
)
_REFUSALS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^(?:정말\s)?(?:죄송|미안)(?:하지만|합니다)",
        r"^(?:유감스럽지만|유감이지만|안타깝지만)",
        rf"(?:{_PICTURE}|내용|요청)(?:[을를은는이가]|에 대해|에 대한)?\s[^.]{{0,24}}"
        rf"{_CANNOT}\s?수(?:가|는)?\s?없",
        r"(?:설명|묘사|답변|도움)(?:해|[을를])?\s?(?:드릴|드리기|제공할)\s?(?:수(?:가|는)?\s?없|어렵)",
        r"(?:AI|인공\s?지능|언어)\s?(?:언어\s)?(?:모델|어시스턴트|비서)"
        r"(?:로서|로써|이라|이므로|이기|입니다|인 저)",
        r"^저는\s.{0,20}(?:AI|인공\s?지능|모델)",
        rf"{_PICTURE}[이가]\s(?:제공|첨부|업로드)되지",
        rf"{_PICTURE}[을를]\s(?:다시\s)?(?:제공|첨부|업로드|공유)해\s?주(?:시|세)",
        r"(?:정보|맥락|내용)[가이]\s(?:부족|충분하지)",
        r"(?i)\b(?:as an ai|i(?:'m| am) (?:sorry|unable)|i can(?:not|'t)|unable to (?:see|view|watch))\b",
    )
)


def talks_about_itself(text: str) -> bool:
    """Whether a text begins with the video as such or with a nod to the task, or ends in an offer."""
    own = without_quotations(text)
    if any(opener.search(own) for opener in _OPENERS):
        return True
    return any(later.search(part) for part in sentences(own)[1:] for later in _LATER)


def declines(text: str) -> bool:
    """Whether the model says that it cannot, may not, or has nothing to look at."""
    return any(
        refusal.search(part)
        for part in sentences(without_quotations(text))
        for refusal in _REFUSALS
    )
