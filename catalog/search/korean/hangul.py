"""Hangul letter by letter: keystrokes, syllables, initials, and how far apart two words were typed.

Letters are compatibility jamo (ㄱ, U+3131), never conjoining ones, and the keyboard is the standard
two-set one (두벌식, KS X 5002). Syllables are taken apart by the arithmetic of the Unicode Standard,
section 3.12.
"""

from functools import cache
from math import inf

INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
MEDIALS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
_KEYS = dict(
    zip(
        "ㅘㅙㅚㅝㅞㅟㅢㄳㄵㄶㄺㄻㄼㄽㄾㄿㅀㅄ",
        "ㅗㅏ ㅗㅐ ㅗㅣ ㅜㅓ ㅜㅔ ㅜㅣ ㅡㅣ ㄱㅅ ㄴㅈ ㄴㅎ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅂㅅ".split(),
        strict=True,
    )
)
_LETTER = {keys: letter for letter, keys in _KEYS.items()}
_JAMO = "".join(map(chr, range(0x3131, 0x3164)))
_ROWS = ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "ㅋㅌㅊㅍㅠㅜㅡ")
_SHIFTED = dict(zip("ㅃㅉㄸㄲㅆㅒㅖ", "ㅂㅈㄷㄱㅅㅐㅔ", strict=True))
_ALIKE = ("ㄱㄲㅋ", "ㄷㄸㅌ", "ㅂㅃㅍ", "ㅅㅆ", "ㅈㅉㅊ", "ㅐㅔ", "ㅒㅖ")
_SAME_DIPHTHONG = frozenset({"ㅗㅣ", "ㅗㅐ", "ㅜㅔ"})  # ㅚ ㅙ ㅞ, which sound the same
_ALIKE_COST = 0.7
_NEAR_COST = 0.8


def is_syllable(character: str) -> bool:
    """Whether a character is a whole syllable, 가 to 힣."""
    return "가" <= character <= "힣"


def is_consonant(character: str) -> bool:
    """Whether a character is a lone consonant, ㄱ to ㅎ, compounds such as ㄳ included."""
    return "ㄱ" <= character <= "ㅎ"


def is_vowel(character: str) -> bool:
    """Whether a character is a lone vowel, ㅏ to ㅣ."""
    return "ㅏ" <= character <= "ㅣ"


def is_hangul_word(text: str) -> bool:
    """Whether a text is made of whole syllables only, at least one."""
    return bool(text) and all(map(is_syllable, text))


def letters(syllable: str) -> tuple[str, str, str]:
    """The initial, the medial and the final ("" without one) of a whole syllable."""
    initial, rest = divmod(ord(syllable) - 0xAC00, 588)
    medial, final = divmod(rest, 28)
    return INITIALS[initial], MEDIALS[medial], FINALS[final]


def syllable(initial: str, medial: str, final: str = "") -> str:
    """The reverse of `letters`. Raises `ValueError` for a letter that cannot stand there."""
    place = INITIALS.index(initial) * 588 + MEDIALS.index(medial) * 28 + FINALS.index(final)
    return chr(0xAC00 + place)


def has_final(character: str) -> bool:
    """Whether a syllable ends in a consonant; False for anything that is no syllable."""
    return is_syllable(character) and (ord(character) - 0xAC00) % 28 != 0


@cache
def _keys_of(character: str) -> str:
    if not is_syllable(character):
        return _KEYS.get(character, character)
    return "".join(_KEYS.get(letter, letter) for letter in letters(character) if letter)


def keystrokes(text: str) -> str:
    """The keys that type a text, as jamo; what is no Hangul stays as it is.

    Whatever an input method shows while a word is typed has keystrokes that begin the word's own.
    """
    return "".join(_keys_of(character) for character in text)


def compose(jamo: str) -> str:
    """The syllables that an input method makes of keystrokes; jamo that fit nowhere stay alone.

    `compose(keystrokes(word))` is the word again if it is made of whole syllables.
    """
    written: list[str] = []
    initial = medial = final = ""  # the syllable under way, as keystrokes
    for key in keystrokes(jamo):
        if is_vowel(key) and final:
            written.append(_join(initial, medial, final[:-1]))
            initial, medial, final = final[-1], key, ""
        elif is_vowel(key) and (not medial or medial + key in _LETTER):
            medial += key
        elif is_consonant(key) and initial and medial and _may_end(final + key):
            final += key
        else:
            written.append(_join(initial, medial, final))
            initial = medial = final = ""
            if is_vowel(key):
                medial = key
            elif is_consonant(key):
                initial = key
            else:
                written.append(key)
    written.append(_join(initial, medial, final))
    return "".join(written)


def _may_end(keys: str) -> bool:
    return _LETTER.get(keys, keys) in FINALS


def _join(initial: str, medial: str, final: str) -> str:
    medial, final = _LETTER.get(medial, medial), _LETTER.get(final, final)
    return syllable(initial, medial, final) if initial and medial else initial + medial


def initials(text: str) -> str:
    """The initial of every syllable (초성); what is no syllable stays as it is."""
    return "".join(letters(c)[0] if is_syllable(c) else c for c in text)


def is_initials(text: str) -> bool:
    """Whether a text is lone consonants only, at least one, as when a word is searched by initials."""
    return bool(text) and all(map(is_consonant, text))


def spelt_initials(text: str) -> str:
    """Consonants one by one: an input method writes ㄱㅅ as ㄳ."""
    return "".join(_KEYS.get(character, character) for character in text)


def split_partial(word: str) -> tuple[str, str]:
    """A word as it may be once more keys have come: what is sure to stay, and the keys in the air.

    1. 고양ㅇ, 두쫀ㅋㅋ: the jamo at the end are in the air.
    2. 고양잉, 닭: a final consonant, or the last of two, may begin the next syllable: 고양이 ㅇ, 달 ㄱ.
       A whole word such as 말 looks the same, so this is one reading beside the word itself.
    3. 고양이: nothing is.
    """
    whole = word.rstrip(_JAMO)
    if whole != word:
        return whole, keystrokes(word[len(whole) :])
    if not word or not has_final(word[-1]):
        return word, ""
    initial, medial, final = letters(word[-1])
    keys = _KEYS.get(final, final)
    return word[:-1] + syllable(initial, medial, keys[:-1]), keys[-1]


def _key_costs() -> dict[tuple[str, str], float]:
    """What it costs to have hit one key for another; pairs that are not in it cost 1."""
    costs: dict[tuple[str, str], float] = {}
    for above, row in enumerate(_ROWS):
        for column, key in enumerate(row):
            near = row[column + 1 : column + 2]
            if above + 1 < len(_ROWS):  # the row below is half a key to the right
                near += _ROWS[above + 1][max(column - 1, 0) : column + 1]
            costs.update({(key, other): _NEAR_COST for other in near})
    costs.update({pair: _NEAR_COST for pair in _SHIFTED.items()})
    for alike in _ALIKE:
        costs.update({(a, b): _ALIKE_COST for a in alike for b in alike if a != b})
    return costs | {(b, a): cost for (a, b), cost in costs.items()}


_COSTS = _key_costs()


def typo_distance(a: str, b: str, limit: float) -> float:
    """How far apart two words were typed; infinite once it is above `limit`.

    A restricted Damerau-Levenshtein distance on keystrokes (Damerau 1964): a key too many, missing,
    wrong or swapped with the next costs 1, a key beside the right one 0.8, and 0.7 one that sounds
    alike: ㅐ ㅔ, ㅚ ㅙ ㅞ, plain, tense and aspirated consonants.
    """
    a, b = keystrokes(a), keystrokes(b)
    reach = int(limit)
    if abs(len(a) - len(b)) > reach:
        return inf
    before: list[float] = []
    last = [float(j) for j in range(len(b) + 1)]
    for i in range(1, len(a) + 1):
        row = [float(i)] + [inf] * len(b)
        # A cell further from the diagonal would need more insertions than the limit allows.
        for j in range(max(1, i - reach), min(len(b), i + reach) + 1):
            row[j] = _cheapest(a, b, i, j, (before, last, row))
        if min(row) > limit and min(last) > limit:
            return inf
        before, last = last, row
    return last[-1] if last[-1] <= limit else inf


def _cheapest(
    a: str, b: str, i: int, j: int, rows: tuple[list[float], list[float], list[float]]
) -> float:
    """The distance between `a[:i]` and `b[:j]`, given the two rows before and the row so far."""
    before, last, row = rows
    x, y = a[i - 1], b[j - 1]
    best = last[j - 1] if x == y else last[j - 1] + _COSTS.get((x, y), 1.0)
    best = min(best, last[j] + 1.0, row[j - 1] + 1.0)
    if i > 1 and j > 1:
        two, other = a[i - 2 : i], b[j - 2 : j]
        if two[0] == y and x == other[0]:
            best = min(best, before[j - 2] + 1.0)
        elif two in _SAME_DIPHTHONG and other in _SAME_DIPHTHONG:
            best = min(best, before[j - 2] + _ALIKE_COST)
    return best
