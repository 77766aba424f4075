"""Numbers in Korean text: 3명, 세 명 and 삼십 명, with what they count.

Numerals are homographs of common words, so each kind counts only where it can hardly be anything else:

1. Digits always do, unless Latin letters touch them (mp3, 4k) that are no unit (3kg), or a decimal point.
2. Native numerals (세, 스물두) do before a counter, or by themselves from 하나 to 아홉 as a whole word.
   They begin a word, but for those that stand right before 마리 or 명 (강아지두마리).
3. Sino-Korean numerals do before a counter if they hold 십, 백, 천 or 만. A single 이 is mostly "this",
   사 "buy", 오 "oh": of these only the pairs that are nothing else do, such as 삼층 and 오 분.

A counter of one syllable after a word must end it or be followed by a particle: 한 병 is one bottle, 한
병원 a hospital.
"""

import re
from typing import NamedTuple

from catalog.search.korean.hangul import is_syllable
from catalog.search.korean.text import PARTICLES

_UNITS = {
    **dict.fromkeys(("하나", "한", "첫"), 1),
    **dict.fromkeys(("둘", "두"), 2),
    **dict.fromkeys(("셋", "세", "석"), 3),
    **dict.fromkeys(("넷", "네", "넉"), 4),
    **{word: 5 + place for place, word in enumerate("다섯 여섯 일곱 여덟 아홉".split())},
}
_TENS = {
    word: 10 * place
    for place, word in enumerate("_ 열 스물 서른 마흔 쉰 예순 일흔 여든 아흔".split())
}
_TENS["스무"] = 20
_BETWEEN: dict[str, tuple[int, ...]] = {
    "두서너": (2, 4),
    "네다섯": (4, 5),
    "대여섯": (5, 6),
    "예닐곱": (6, 7),
    "일고여덟": (7, 8),
    "여덟아홉": (8, 9),
    "한두": (1, 2),
    "두세": (2, 3),
    "서너": (3, 4),
    "너댓": (4, 5),
    "네댓": (4, 5),
}
_SINO_DIGITS = "영일이삼사오육칠팔구"
_SINO = {digit: value for value, digit in enumerate(_SINO_DIGITS)}
_SCALES = {"십": 10, "백": 100, "천": 1000}
_MYRIADS = {"만": 10**4, "억": 10**8}

_BOTH_COUNTERS = frozenset(
    """
    명 개 마리 사람 번 번째 차례 대 장 권 잔 병 컵 그릇 접시 조각
    판 쌍 벌 채 척 편 곡 줄 칸 알 통 팀 배 층 시 시간
    송이 그루 켤레 자루 바퀴 포기 봉지 상자 박스 세트 묶음
    다발 방울 가지 군데 곳 가닥 걸음 모금 분 평 단계 주일
    """.split()
)
_NATIVE_COUNTERS = _BOTH_COUNTERS | frozenset(("살", "달", "모", "입", "끼"))
_SINO_COUNTERS = _BOTH_COUNTERS | frozenset(
    """
    세 월 일 년 년도 회 호 호선 초 원 도 등 급 위
    점 주 주년 주차 인 인분 과 차 차선 쪽 학년 개월 교시 미터 킬로
    센티 톤 퍼센트 프로 반 조 강 박 단 라운드 학기 남매 형제 인승
    """.split()
)
_UNIT_SIGNS = frozenset("kg g mg km m cm mm l ml kb mb gb tb fps % °".split())
_CANONICAL = {
    **dict.fromkeys(("사람", "인"), "명"),
    **dict.fromkeys(("퍼센트", "프로"), "%"),
    **{
        "차례": "번",
        "세": "살",
        "달": "개월",
        "년도": "년",
        "킬로": "km",
        "센티": "cm",
        "미터": "m",
    },
}
_DIGIT_COUNTERS = _SINO_COUNTERS | _NATIVE_COUNTERS
_LONGEST_COUNTER = 3
_LONGEST_TAIL = 8
_MOST_DIGITS = 15
_ALONE = frozenset("하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉".split())
_GLUED_SCALE = frozenset("명 개 원 마리 년 번 대 km m".split())

# Which single digits may stand before a counter, glued to it; 이 ("this") never with a space between.
_SINGLE = {
    **dict.fromkeys(
        ("층", "월", "학년", "교시", "개월", "호선", "인분", "주년", "학기"), "일이삼사오육칠팔구"
    ),
    "년": "일삼사오육칠팔구",
    "회": "일삼오칠팔",
    "번": "일삼오육칠팔구",
    "분": "삼오육칠팔",
    "초": "일삼오육칠팔",
}
_SINGLE_APART = {**_SINGLE, "일": "삼사오육칠팔구"}
_ORDINAL = frozenset("회 호 과 장 차 권 편 막 조 단계 학년 번".split())
"""Counters that 제 goes with: 제삼회."""

# Whole words that only look like a numeral with its counter.
_HOMOGRAPHS = frozenset(
    """
    한편 한배 한시 한층 한곳 한분 한가지 두통 세대 세배 세통
    네모 열대 열병 열통 열판 열채 열장 열줄 열알 석모 석장
    만개 만장 만판 만세 만점 만회 만도 만족 만물 만년 천장
    천일 천대 천도 천주 천막 천반 백대 백병 백반 백도 백조
    백주 백점 백일 만원 십분 십자 만일 만반 만인 천인 백인 백호 천점 만대 천세 백세
    """.split()
)
_NOT_A_NUMERAL = ("모두", "만세", "자세", "동네", "하네")
_TAILS = frozenset(PARTICLES) | frozenset(
    """
    씩 쯤 정도 째 이서 들 들이 들은 짜리 동안 간 전 뒤 후 이상 이하 미만 께 여 반 용 중
    이다 입니다 이었다
    """.split()
)
_GLUED_ANYWHERE = frozenset("명 마리 송이 켤레 그루".split())


class Number(NamedTuple):
    """A number at `[start, end)` of a text in normal form, counter included."""

    start: int
    end: int
    value: int
    counter: str
    """What it counts, in one form for those that count the same: 사람 and 인 are 명, 세 is 살, 달 is 개월.

    Empty for bare digits and for 하나 to 아홉 alone.
    """


_NUMERAL = re.compile(
    r"(?P<decimal>(?<![0-9.])[0-9]+\.[0-9]+(?!\.?[0-9]))"
    r"|(?P<digits>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)"
    r"(?P<scale>[십백천만억]{1,3}(?:[0-9]{1,4}[십백천만억]{1,3}){0,4})?"
    rf"|(?P<between>{'|'.join(_BETWEEN)})"
    rf"|(?P<tens>{'|'.join(_TENS)})(?: ?(?P<more>{'|'.join(_UNITS)}))?"
    rf"|(?P<unit>{'|'.join(_UNITS)})"
    r"|(?P<month>[유시]월)"
    r"|(?P<sino>[일이삼사오육칠팔구십백천만억]{1,16})"
)
_SIGN = re.compile(r"[a-z]+|[%°]")
_PIECE = re.compile(r"[0-9]+|.")


def numbers(text: str) -> tuple[Number, ...]:
    """The numbers of a text in normal form, in order; 두세 명 is two, over the same span."""
    found: list[Number] = []
    position = 0
    while match := _NUMERAL.search(text, position):
        here = _read(text, match)
        found += here
        if here:
            position = here[-1].end
        else:  # no numeral here: digits are passed over as a whole, words by syllable
            position = match.end() if match["digits"] or match["decimal"] else match.start() + 1
    return tuple(found)


def _read(text: str, match: "re.Match[str]") -> list[Number]:
    if match["decimal"]:
        return []
    if match["digits"]:
        return _of_digits(text, match)
    if match["sino"]:
        return _of_sino(text, match)
    if match["month"]:
        value = 6 if match["month"] == "유월" else 10
        alone = _begins_word(text, match.start()) and _is_tail(_rest(text, match.end()))
        return [Number(*match.span(), value, "월")] if alone else []
    return _of_native(text, match)


def _of_digits(text: str, match: "re.Match[str]") -> list[Number]:
    start, end = match.start(), match.end("digits")
    if len(match["digits"]) > _MOST_DIGITS or (start and _is_latin(text[start - 1])):
        return []
    value = int(match["digits"].replace(",", ""))
    if end < len(text) and (_is_latin(text[end]) or text[end] in "%°"):
        sign = _SIGN.match(text, end)
        unit = sign[0] if sign else ""
        return [Number(start, end + len(unit), value, unit)] if unit in _UNIT_SIGNS else []
    if match["scale"] and (scaled := sino_value(match["digits"].replace(",", "") + match["scale"])):
        counter, after = _counter(text, match.end(), _DIGIT_COUNTERS)
        if counter or not _rest(text, match.end()):
            return [Number(start, after, scaled, counter)]
    counter, after = _counter(text, end, _DIGIT_COUNTERS)
    return [Number(_with_ordinal(text, start), after, value, counter)]


def _of_native(text: str, match: "re.Match[str]") -> list[Number]:
    start, end = match.span()
    unit = _UNITS.get(match["more"] or match["unit"] or "", 0)
    values = _BETWEEN.get(match["between"] or "") or (_TENS.get(match["tens"] or "", 0) + unit,)
    begins = _begins_word(text, start)
    counter, after = _counter(text, end, _NATIVE_COUNTERS)
    if counter and (begins or _stands_glued(text, start, end)):
        written = text[start:after]
        if written not in _HOMOGRAPHS and (match["unit"] != "첫" or counter == "번째"):
            counter = "명" if counter == "분" else counter
            return [Number(start, after, value, counter) for value in values]
    if begins and _counts_alone(match) and _is_tail(_rest(text, end)):
        return [Number(start, end, value, "") for value in values]
    return []


def _of_sino(text: str, match: "re.Match[str]") -> list[Number]:
    start = match.start()
    ordinal = _with_ordinal(text, start)
    if ordinal == start and not _begins_word(text, start):
        return []
    for end in range(match.end(), start, -1):
        value = sino_value(text[start:end])
        counter, after = _counter(text, end, _SINO_COUNTERS)
        if value is None or not counter or text[start:after] in _HOMOGRAPHS:
            continue
        apart = text[end] == " "
        if end - start > 1:
            sure = any(scale in text[start:end] for scale in "십백천만억")
        elif ordinal < start:
            sure = counter in _ORDINAL
        elif text[start] in "십백천만억":
            sure = apart or counter in _GLUED_SCALE
        else:
            allowed = (_SINGLE_APART if apart else _SINGLE).get(counter, "")
            sure = text[start] in allowed and not (apart and text[start] == "이")
        if sure:
            return [Number(ordinal, after, value, counter)]
    return []


def _counter(text: str, place: int, counters: frozenset[str]) -> tuple[str, int]:
    """The counter at `place`, or after one space, in its one form, and its end; ("", place) for none."""
    glued_to_digit = text[place - 1].isdigit()
    begin = place + 1 if text[place : place + 1] == " " else place
    for length in range(_LONGEST_COUNTER, 0, -1):
        counter, end = text[begin : begin + length], begin + length
        if len(counter) < length or counter not in counters:
            continue
        if length > 1 or (glued_to_digit and begin == place) or _is_tail(_rest(text, end), counter):
            return _CANONICAL.get(counter, counter), end
    return "", place


def _rest(text: str, place: int) -> str:
    """What is left of the Hangul word at a place, as far as it may matter."""
    end = place
    while end < min(len(text), place + _LONGEST_TAIL) and is_syllable(text[end]):
        end += 1
    return text[place:end]


def _is_tail(rest: str, counter: str = "") -> bool:
    """Whether the rest of a word is particles, two at most; after 명, one in front is enough."""
    if not rest or rest in _TAILS:
        return True
    heads = [rest[:length] for length in range(1, min(len(rest), 4)) if rest[:length] in _TAILS]
    if counter == "명" and (heads or rest[0] == "인"):
        return True
    return any(rest[len(head) :] in _TAILS for head in heads)


def _begins_word(text: str, start: int) -> bool:
    return start == 0 or not is_syllable(text[start - 1])


def _stands_glued(text: str, start: int, end: int) -> bool:
    """Whether a native numeral inside a word is one after all: 강아지두마리."""
    counted = any(text.startswith(counter, end) for counter in _GLUED_ANYWHERE)
    return counted and text[start - 1 : start + 1] not in _NOT_A_NUMERAL


def _counts_alone(match: "re.Match[str]") -> bool:
    word = match["unit"] or ""
    return word in _ALONE or bool(match["tens"] and match["more"])


def _with_ordinal(text: str, start: int) -> int:
    """Where a number begins, the prefix 제 included: 제3회."""
    prefixed = start and text[start - 1] == "제" and _begins_word(text, start - 1)
    return start - 1 if prefixed else start


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def sino_value(numeral: str) -> int | None:
    """What a Sino-Korean numeral says, digits allowed in it (3천); None if it is not well formed."""
    total = section = 0
    below_scale, below_myriad = 10**4, 10**12
    pending: int | None = None
    for piece in _PIECE.findall(numeral):
        if (myriad := _MYRIADS.get(piece)) is not None:
            if myriad >= below_myriad:
                return None
            total += ((section + (pending or 0)) or 1) * myriad
            section, pending, below_scale, below_myriad = 0, None, 10**4, myriad
        elif (scale := _SCALES.get(piece)) is not None:
            if scale >= below_scale:
                return None
            section += (1 if pending is None else pending) * scale
            pending, below_scale = None, scale
        elif pending is not None:
            return None
        else:
            pending = int(piece) if piece.isdigit() else _SINO[piece]
    return total + section + (pending or 0)


def sino_reading(value: int) -> str:
    """A number below 10^12 in Sino-Korean, as it is read: 1080 is 천팔십. Raises `ValueError` beyond."""
    if not 0 <= value < 10**12:
        raise ValueError(f"{value} is not between 0 and 10^12")
    hundred_millions, rest = divmod(value, 10**8)
    myriads, units = divmod(rest, 10**4)
    words = _below_myriad(hundred_millions) + "억" if hundred_millions else ""
    if myriads:
        words += ("" if myriads == 1 else _below_myriad(myriads)) + "만"
    return (words + _below_myriad(units)) or "영"


def _below_myriad(value: int) -> str:
    words = ""
    for scale, name in ((1000, "천"), (100, "백"), (10, "십"), (1, "")):
        digit = value // scale % 10
        if digit:
            words += ("" if digit == 1 and name else _SINO_DIGITS[digit]) + name
    return words
