"""Words typed on the wrong keyboard layout: Hangul on Latin keys (rkddkwl is 강아지), and the reverse."""

from itertools import combinations, islice

from catalog.search.korean.hangul import compose, is_hangul_word, keystrokes

_KEY = dict(
    zip(
        "qwertyuiopasdfghjklzxcvbnm",
        "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ",
        strict=True,
    )
)
_SHIFTED = dict(zip("QWERTOP", "ㅃㅉㄸㄲㅆㅒㅖ", strict=True))
_HANGUL = {ord(key): jamo for key, jamo in _KEY.items()}
_HANGUL |= {ord(key.upper()): jamo for key, jamo in _KEY.items()}
_HANGUL |= {ord(key): jamo for key, jamo in _SHIFTED.items()}
_LATIN = {ord(jamo): key.lower() for key, jamo in (_KEY | _SHIFTED).items()}
_MOST_CANDIDATES = 12
_MOST_SHIFTS = 2
_LONGEST = 24  # keys; nobody types a longer word by mistake, and a long text must not cost more


def hangul_from_latin(text: str) -> str:
    """What the keys type on the Hangul layout: capitals are typed with Shift, digits and signs stay."""
    return compose(text.translate(_HANGUL))


def latin_from_hangul(text: str) -> str:
    """What the keys type on the Latin layout, in lower case: ㅊㅊㅅㅍ is cctv."""
    return keystrokes(text).translate(_LATIN)


def hangul_candidates(text: str) -> tuple[str, ...]:
    """Words that may have been meant by keys whose case is lost: rkcl may be 가치 or 까치.

    The word without Shift comes first, then those with one key and with two keys shifted; only such as
    are whole syllables, twelve at most.
    """
    lower = text.lower()
    shiftable = [i for i, key in enumerate(lower) if key.upper() in _SHIFTED]
    most_shifts = _MOST_SHIFTS if len(text) <= _LONGEST else 0
    places = (
        chosen for shifts in range(most_shifts + 1) for chosen in combinations(shiftable, shifts)
    )
    words = (hangul_from_latin(_shift(lower, chosen)) for chosen in places)
    whole = dict.fromkeys(word for word in words if is_hangul_word(word))
    return tuple(islice(whole, _MOST_CANDIDATES))


def _shift(text: str, places: tuple[int, ...]) -> str:
    return "".join(key.upper() if i in places else key for i, key in enumerate(text))
