"""Latin words as Koreans read them: letter by letter (bmw is 비엠더블유), or as a word they all know."""

import re
from itertools import product

from catalog.search.korean.numerals import sino_reading

_LETTERS = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        """
        에이 비 씨 디 이 에프 지 에이치 아이 제이 케이 엘 엠
        엔 오 피 큐 알 에스 티 유 브이 더블유 엑스 와이 제트
        """.split(),
        strict=True,
    )
)
_ENGLISH_DIGITS = dict(
    zip("0123456789", "제로 원 투 쓰리 포 파이브 식스 세븐 에이트 나인".split(), strict=True)
)
_MOST_LETTERS = 6
"""A longer word is hardly ever spelt out."""

# How an English word is said cannot be computed from its letters, and what is wanted is the spelling
# that Koreans chose. These are the ones that captions of homes, streets, lectures and studios hold;
# the user's synonym file takes any other.
WORDS = dict(
    pair.split("=")
    for pair in """
    iphone=아이폰 ipad=아이패드 macbook=맥북 galaxy=갤럭시 android=안드로이드 apple=애플 samsung=삼성
    google=구글 youtube=유튜브 instagram=인스타그램 facebook=페이스북 twitter=트위터 netflix=넷플릭스
    kpop=케이팝 pop=팝 rock=록 jazz=재즈 hiphop=힙합 rap=랩 dance=댄스 live=라이브 concert=콘서트
    drone=드론 vlog=브이로그 blog=블로그 camera=카메라 gopro=고프로 video=비디오 movie=무비 studio=스튜디오
    wifi=와이파이 bluetooth=블루투스 online=온라인 zoom=줌 web=웹 app=앱 game=게임 computer=컴퓨터
    laptop=랩톱 mouse=마우스 keyboard=키보드 monitor=모니터 robot=로봇 python=파이썬 java=자바
    bus=버스 taxi=택시 truck=트럭 tesla=테슬라 benz=벤츠 audi=아우디 hyundai=현대 kia=기아 suv=에스유브이
    cafe=카페 coffee=커피 pizza=피자 cake=케이크 party=파티 birthday=버스데이 christmas=크리스마스
    golf=골프 yoga=요가 tennis=테니스 hotel=호텔 resort=리조트 led=엘이디 ok=오케이 test=테스트
    """.split()
)
"""The spelling of common Latin words in Hangul."""


def letter_names(latin: str) -> str:
    """The names of the letters and of the digits one by one (Sino-Korean): u2 is 유이."""
    return "".join(
        sino_reading(int(c)) if c in _ENGLISH_DIGITS else _LETTERS.get(c, "") for c in latin
    )


def letter_readings(latin: str) -> tuple[str, ...]:
    """The ways to read a Latin word in Hangul, the commonest first; none for what is not read so.

    1. A word of the table in that spelling, and nothing else.
    2. Up to six letters by their names; digits in Korean and, one digit alone, in English: 4k is 포케이 and
       사케이, 1080p is 천팔십피 and 일공팔공피.
    """
    joined = latin.replace("-", "").replace(" ", "").replace(".", "")
    if joined in WORDS:
        return (WORDS[joined],)
    pieces = re.findall(r"[a-z]+|[0-9]+", joined)
    letters = sum(len(piece) for piece in pieces if not piece.isdigit())
    if "".join(pieces) != joined or not 0 < letters <= _MOST_LETTERS or len(joined) > 12:
        return ()
    return tuple(dict.fromkeys(map("".join, product(*map(_readings_of, pieces)))))[:8]


def _readings_of(piece: str) -> tuple[str, ...]:
    if not piece.isdigit():
        return (WORDS.get(piece) or letter_names(piece),)
    whole = sino_reading(int(piece))
    if len(piece) == 1:
        return _ENGLISH_DIGITS[piece], whole
    return whole, "".join("공" if c == "0" else sino_reading(int(c)) for c in piece)
