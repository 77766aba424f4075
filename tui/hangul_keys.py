"""Shortcuts while the keyboard is in Hangul mode: each letter is taken for the key it lies on.

On the two-set (두벌식) layout the key `j` types ㅓ, and `g` then `j` arrive as the syllable 허.
"""

LEADS = (
    "r",
    "R",
    "s",
    "e",
    "E",
    "f",
    "a",
    "q",
    "Q",
    "t",
    "T",
    "d",
    "w",
    "W",
    "c",
    "z",
    "x",
    "v",
    "g",
)
VOWELS = (
    *("k", "o", "i", "O", "j", "p", "u", "P", "h", "hk", "ho", "hl", "y", "n", "nj", "np", "nl"),
    *("b", "m", "ml", "l"),
)
TAILS = (
    *("", "r", "R", "rt", "s", "sw", "sg", "e", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg", "a"),
    *("q", "qt", "t", "T", "d", "w", "c", "z", "x", "v", "g"),
)
_JAMO = "".join(map(chr, range(ord("ㄱ"), ord("ㅣ") + 1)))
_JAMO_KEYS = (
    *(
        "r",
        "R",
        "rt",
        "s",
        "sw",
        "sg",
        "e",
        "E",
        "f",
        "fr",
        "fa",
        "fq",
        "ft",
        "fx",
        "fv",
        "fg",
        "a",
    ),
    *("q", "Q", "qt", "t", "T", "d", "w", "W", "c", "z", "x", "v", "g"),
    *VOWELS,
)
_BY_JAMO = dict(zip(_JAMO, _JAMO_KEYS, strict=True))
_FIRST, _LAST = ord("가"), ord("힣")


def latin_letters(character: str) -> str:
    """The letters on the keys that typed a syllable or a jamo; empty for any other character."""
    if len(character) != 1:
        return ""
    if _FIRST <= ord(character) <= _LAST:
        lead, rest = divmod(ord(character) - _FIRST, len(VOWELS) * len(TAILS))
        vowel, tail = divmod(rest, len(TAILS))
        return LEADS[lead] + VOWELS[vowel] + TAILS[tail]
    return _BY_JAMO.get(character, "")


def latin_keys(key: str, *, typing: bool) -> tuple[str, ...]:
    """The keys that a key event stands for, or none where it stands for itself.

    While a text box has the focus, Hangul is text, and only combinations such as `ctrl+ㅊ` count.
    """
    *modifiers, last = key.split("+")
    if typing and not modifiers:
        return ()
    return tuple("+".join((*modifiers, letter)) for letter in latin_letters(last))
