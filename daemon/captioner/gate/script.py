"""Which letters a text is written in, and which language that is."""

import re
import unicodedata

from daemon.captioner.gate.sentences import without_quotations

MIN_HANGUL_SHARE = 0.6
"""Below this share of Hangul among the letters that are no name, a text is hardly Korean."""
MIN_HANGUL_SHARE_WITH_NAMES = 0.15
"""Below this share among all letters, even a list of brands is no Korean sentence."""
MOST_ENGLISH_WORDS = 2
"""So many small English words may be names of things on a screen; more are the model's English."""

_HANGUL = re.compile(r"[가-힣]")
_LATIN_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_ADDRESS = re.compile(r"[A-Za-z0-9]+(?:[./@_:-]+[A-Za-z0-9]+)+")
_UNITS = frozenset(
    "m cm mm km kg g mg ml l cc px fps bpm dpi kcal cal kw kwh w v hz khz mhz ghz gb mb kb tb ms s min"
    " h mph kph rpm db pm am vs x y z com net org kr co www http https html jpg png mp".split()
)
_SMALL_ENGLISH = frozenset(
    "the and is are was were with of from this that these there his her their its while which who"
    " wearing walking standing sitting holding playing man woman people".split()
)
_ENGLISH_VERB = re.compile(
    r"(?<![A-Za-z.])[a-z]{4,}(?:하[고는며여다]|한|합니다|했|해|된|되[고는어]|적인)"
)
_HANJA_IN_BRACKETS = re.compile(r"(?<=[가-힣])\s?[(\[（〔][㐀-鿿豈-﫿·,\s]{1,12}[)\]）〕]")


def is_empty(text: str) -> bool:
    """Whether there is no letter and no digit in it."""
    return not any(character.isalnum() or character == "\ufffd" for character in text)


def is_not_korean(text: str) -> bool:
    """Whether a text is in another language, or in two at once. Names, units and quotations are fine."""
    own = _ADDRESS.sub("", without_quotations(text))
    if not any(character.isalpha() for character in own):
        own = text
    korean = len(_HANGUL.findall(own))
    letters = sum(character.isalpha() for character in own)
    if not letters or korean < MIN_HANGUL_SHARE_WITH_NAMES * letters:
        return True
    named = sum(len(word) for word in _LATIN_WORD.findall(own) if _is_name(word))
    return korean < MIN_HANGUL_SHARE * (letters - named) or _has_english(own)


def _is_name(word: str) -> bool:
    """A brand, an acronym or a unit: capitals, `iPhone`, `km`."""
    return word != word.lower() or word in _UNITS


def _has_english(text: str) -> bool:
    """Whether English words stand where Korean ones should."""
    found = _LATIN_WORD.findall(text)
    small = [word for word in found if not _is_name(word) and len(word) > 1]
    between_names = {
        word
        for before, word, after in zip(found, found[1:], found[2:], strict=False)
        if before[0].isupper() and after[0].isupper()
    }
    return (
        len(small) > MOST_ENGLISH_WORDS
        or any(word in _SMALL_ENGLISH for word in set(small) - between_names)
        or bool(_ENGLISH_VERB.search(text))
    )


def has_foreign_script(text: str) -> bool:
    """Whether letters other than Hangul and Latin stand outside quotations.

    Hanja in brackets behind the Hangul that they explain are Korean, and so is a single π or μ.
    """
    own = _HANJA_IN_BRACKETS.sub("", without_quotations(text))
    return any(_is_foreign(character) for character in own)


def _is_foreign(character: str) -> bool:
    if not character.isalpha() or character < "\u0180":
        return False
    name = unicodedata.name(character, "")
    if name.startswith(("HANGUL", "GREEK", "FULLWIDTH LATIN", "MATHEMATICAL", "DOUBLE-STRUCK")):
        return False
    if name.startswith("LATIN"):
        return character >= "\u1e00"  # Vietnamese; names in Latin letters are written below it
    return not name.startswith(("MODIFIER", "FEMININE", "MASCULINE", "MICRO", "SCRIPT", "OHM"))
