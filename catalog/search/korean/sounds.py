"""Words by their sound: one key for the spellings of a loan-word, and Latin words as they are read.

A key is an equivalence: whatever folds together in two steps folds together altogether, so `sound_key`
folds only what seldom tells native words apart. Respellings that would (메시지 and 메세지, but 사진 and
사전) are tried one or two at a time by `sound_keys`. The index stores `sound_key`; a query looks up all
of its `sound_keys`.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from catalog.search.korean.hangul import is_hangul_word, keystrokes, letters
from catalog.search.korean.letter_names import letter_readings

Sound = tuple[str, str, str]
"""A syllable as it sounds: initial, medial, final ("" without one)."""

_INITIAL = dict(zip("ㄲㄸㅃㅉㅆ", "ㅋㅌㅍㅊㅅ", strict=True))
_MEDIAL = dict(zip("ㅐㅒㅙㅚ", "ㅔㅖㅞㅞ", strict=True))
_FINAL = dict(zip("ㅅㅆㅈㅊㅌㄲㅋㅍ", "ㄷㄷㄷㄷㄷㄱㄱㅂ", strict=True))
_FLAT = dict(zip("ㅑㅕㅛㅠㅖ", "ㅏㅓㅗㅜㅔ", strict=True))
_STOP = {"ㅋ": "ㄱ", "ㅌ": "ㄷ", "ㅍ": "ㅂ", "ㅊ": "ㄷ"}
_SLACK_STOP = {"ㄱ": "ㄱ", "ㄷ": "ㄷ", "ㅂ": "ㅂ", "ㅅ": "ㄷ", "ㄹ": "ㄹ"}

_VOWELS = {
    "ㅔ": "ㅣㅏㅡㅓㅑ",  # 메시지 메세지, 액세서리 악세사리, 커튼 커텐, 재킷 자켓, 캐러멜 캬라멜
    "ㅣ": "ㅔㅡㅟ",  # 소시지 소세지, 크리스털 크리스탈
    "ㅏ": "ㅔㅓㅗㅡㅑ",  # 랍스터 로브스터, 샌들 샌달
    "ㅓ": "ㅏㅗㅡㅜㅔ",  # 센터 센타, 콘텐츠 컨텐츠, 심포지엄 심포지움
    "ㅗ": "ㅓㅏㅝ",  # 워크숍 워크샵, 타월 타올
    "ㅜ": "ㅡㅟㅠㅓ",  # 뷔페 부페
    "ㅠ": "ㅡㅜ",  # 앰뷸런스 앰블란스
    "ㅡ": "ㅜㅣㅓㅏㅔㅠ",
    "ㅟ": "ㅣㅜ",
    "ㅑ": "ㅏㅔ",
    "ㅖ": "ㅔ",
    "ㅞ": "ㅔ",
    "ㅝ": "ㅓㅗ",
}
_LAX = dict(zip("ㄱㄷㅂㅈㅋㅌㅍㅊ", "ㅋㅌㅍㅊㄱㄷㅂㅈ", strict=True))  # 가스 까스, 배터리 밧데리
_F = {
    "ㅘ": "ㅏ",
    "ㅞ": "ㅔ",
    "ㅟ": "ㅣ",
    "ㅗ": "ㅗ",
    "ㅜ": "ㅡ",
    "ㅠ": "ㅠ",
}  # 화이팅 파이팅, 후라이 프라이
_H = {vowel: w for w, vowel in _F.items()}
_DOUBLED = {
    "ㄹ": "ㄹ",  # 초콜릿 초코렛
    "ㅋ": "ㅇㄴ",  # 플래카드 플랭카드 플랜카드
    "ㄴ": "ㄴ",  # 러닝 런닝
    "ㅁ": "ㅁ",  # 해머 햄머
    **dict.fromkeys("ㅅㅈㅊㄷㅌ", "ㄷ"),  # 마사지 맛사지, 배지 뱃지
}
_FOREIGN_INITIALS = frozenset("ㅋㅌㅍ")
_MOST_KEYS = 160
_LONGEST = 12  # syllables; a longer one is no word


def sound_key(word: str) -> str:
    """The key that the usual spellings of a word share; of a Latin word, that of its reading.

    A word of one syllable keeps its spelling: too many native words differ in nothing but a fold.
    """
    if not is_hangul_word(word):
        readings = letter_readings(word)
        if not readings:
            return keystrokes(word)
        word = readings[0]
    return keystrokes(word) if len(word) == 1 else _key(_sounds(word))


def sound_keys(word: str) -> tuple[str, ...]:
    """The key of a word, then the keys of its usual respellings, the likeliest first; 160 at most.

    Words of two syllables are respelt only if something about them is foreign.
    """
    if not is_hangul_word(word):
        return tuple(dict.fromkeys(map(sound_key, (letter_readings(word) or (word,)))))
    return _respelt(word) if 1 < len(word) <= _LONGEST else (sound_key(word),)


def _key(sounds: list[Sound]) -> str:
    return "".join(map("".join, sounds))


def _sounds(word: str) -> list[Sound]:
    """The syllables of a word, folded by the rules that hold for every word of two syllables or more."""
    sounds: list[Sound] = []
    for character in word:
        initial, medial, final = letters(character)
        if medial == "ㅡ" and not final and initial in _STOP and sounds:
            before = sounds[-1]
            if before[2] == _STOP[initial]:  # 셋트 is 세트
                before = sounds[-1] = (before[0], before[1], "")
            if not before[2] and len(word) > 2:  # 로보트 is 로봇, 케이크 is 케익; 마크 is not 막
                sounds[-1] = (before[0], before[1], _STOP[initial])
                continue
        if initial == "ㅇ" and sounds and (vowel := _merged(sounds, medial, final)):
            sounds[-1] = (sounds[-1][0], vowel, _FINAL.get(final, final))
            continue
        if initial == "ㄹ" and len(word) > 3 and sounds and sounds[-1][2] == "ㄹ":
            sounds[-1] = (*sounds[-1][:2], "")  # 에스컬레이터 is 에스커레이터
        sounds.append(_folded(initial, medial, final))
    initial, medial, final = sounds[-1]
    if initial in _FOREIGN_INITIALS and medial == "ㅓ" and not final:  # 센터 is 센타
        sounds[-1] = (initial, "ㅏ", "")
    return sounds


def _merged(sounds: list[Sound], medial: str, final: str) -> str:
    """The vowel left when a syllable without initial is drawn into the one before it; "" when it is not.

    브이 is 비, 알코올 is 알콜, 스노우보드 is 스노보드; but 도우미 is not 도미.
    """
    initial, vowel, end = sounds[-1]
    if not end and (initial, vowel, medial) == ("ㅂ", "ㅡ", "ㅣ"):
        return medial
    same = vowel == medial and initial in _FOREIGN_INITIALS
    glide = vowel + medial + final == "ㅗㅜ"
    return vowel if not end and len(sounds) > 1 and (same or glide) else ""


def _folded(initial: str, medial: str, final: str) -> Sound:
    initial, medial = _INITIAL.get(initial, initial), _MEDIAL.get(medial, medial)
    if initial in "ㅅㅈㅊ":
        medial = _FLAT.get(medial, medial)
    if initial == "ㅅ" and medial == "ㅟ":  # 리더쉽 is 리더십
        medial = "ㅣ"
    return initial, medial, _FINAL.get(final, final)


@lru_cache(maxsize=256)
def _respelt(word: str) -> tuple[str, ...]:
    sounds = _sounds(word)
    foreign = _is_foreign(word)
    if len(word) > 2 or foreign:
        once = list(_respellings(sounds))
    else:
        once = list(_doubled(sounds, 1, "ㄷ")) if sounds[-1][0] in "ㅅㅈㅊㄷㅌ" else []
    keys = dict.fromkeys([_key(sounds), *map(_key, once)])
    if len(word) > 3 or (len(word) > 2 and foreign):
        for respelt in once:
            keys |= dict.fromkeys(map(_key, _respellings(respelt)))
            if len(keys) >= _MOST_KEYS:
                break
    return tuple(islice(keys, _MOST_KEYS))


def _is_foreign(word: str) -> bool:
    """Whether a word has what native and Sino-Korean words seldom have."""
    syllables = [letters(character) for character in word]
    return (
        syllables[0][0] == "ㄹ"
        or syllables[-1][2] == "ㅅ"
        or syllables[0][:2] == ("ㅂ", "ㅡ")
        or any(initial in _FOREIGN_INITIALS for initial, _, _ in syllables)
        or any(medial == "ㅡ" and not final for _, medial, final in syllables[1:])
        or any(medial == "ㅟ" and final for _, medial, final in syllables[1:])
    )


def _respellings(sounds: list[Sound]) -> Iterator[list[Sound]]:
    """The words that one usual respelling makes of a word."""
    for place, sound in enumerate(sounds):
        for other in _likenesses(sound):
            yield [*sounds[:place], other, *sounds[place + 1 :]]
        if place:
            yield from _doubled(sounds, place, _DOUBLED.get(sound[0], ""))
        if len(sounds) > 2 or place == len(sounds) - 1:
            yield from _with_slack_stop(sounds, place)


def _likenesses(sound: Sound) -> Iterator[Sound]:
    """The syllables that are written for a syllable."""
    initial, medial, final = sound
    for vowel in _VOWELS.get(medial, ""):
        if not (initial in "ㅅㅈㅊ" and vowel in _FLAT):
            yield initial, vowel, final
    if initial in _LAX:
        yield _LAX[initial], medial, final
    if initial == "ㅎ" and medial in _F:
        yield "ㅍ", _F[medial], final
    if initial == "ㅍ" and medial in _H:
        yield "ㅎ", _H[medial], final


def _doubled(sounds: list[Sound], place: int, ends: str) -> Iterator[list[Sound]]:
    """A consonant at the end of the syllable before `place`, put there or taken away."""
    initial, medial, final = sounds[place - 1]
    if final and final not in ends:
        return
    for end in [""] if final else ends:
        yield [*sounds[: place - 1], (initial, medial, end), *sounds[place:]]


def _with_slack_stop(sounds: list[Sound], place: int) -> Iterator[list[Sound]]:
    """ㅡ after a stop, put there or taken away: 로브스터 랍스터, 앙코르 앙콜."""
    initial, medial, final = sounds[place]
    if final in _SLACK_STOP:
        open_, stop = (initial, medial, ""), (final, "ㅡ", "")
        yield [*sounds[:place], open_, stop, *sounds[place + 1 :]]
    if place and medial == "ㅡ" and not final and initial in _SLACK_STOP:
        before = sounds[place - 1]
        if not before[2]:
            closed = (before[0], before[1], _SLACK_STOP[initial])
            yield [*sounds[: place - 1], closed, *sounds[place + 1 :]]
