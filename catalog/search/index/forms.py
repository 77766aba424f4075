"""The other faces of a word that the lexicon can be asked by: as typed, as initials, as it sounds."""

from catalog.search.korean.hangul import initials, is_hangul_word, keystrokes, letters
from catalog.search.korean.letter_names import letter_readings
from catalog.search.korean.sounds import sound_key
from catalog.search.korean.text import runs
from catalog.search.tokens import NOUN, PREDICATE, STEM, WRITTEN

_LONG = 3
_SHORTEST_ENDING = 2


def forms_of(word: str, kind: str, reading: str) -> tuple[str | None, str | None, str | None]:
    """Keystrokes, initials and sound of an entry; None where nobody would look for it by that."""
    if kind == WRITTEN:
        # 강아지가 begins as 강아지 does, which has keystrokes of its own.
        covered = reading and word.startswith(reading.replace(" ", ""))
        return (None if covered else keystrokes(word)), _initials_of_adnominal(word, reading), None
    if kind == PREDICATE:
        return keystrokes(word), None, None
    spelt = kind != STEM and len(word) > 1 and is_hangul_word(word)
    return (
        keystrokes(word),
        initials(word) if spelt else None,
        sound_of(word) if len(word) > 1 else None,
    )


def _initials_of_adnominal(word: str, reading: str) -> str | None:
    """Those of 빨간 and 예쁜, which stand before a noun in a search by initials: ㅃㄱ ㅇㅅ."""
    short = 1 < len(word) <= _LONG and reading.endswith("다") and " " not in reading
    return initials(word) if short and letters(word[-1])[2] == "ㄴ" else None


def sound_of(word: str) -> str:
    """How a word sounds; of one in two scripts each part is read by itself: pc방."""
    parts = runs(word)
    if len(parts) < 2:
        return sound_key(word)
    return sound_key("".join((letter_readings(part) or (part,))[0] for part in parts))


def endings(word: str, kind: str) -> list[str]:
    """The parts of a solid noun that a person may search it by: 수박주스, taken for one word, by 주스."""
    if kind not in (NOUN, STEM) or len(word) < _LONG or not is_hangul_word(word):
        return []
    return [word[start:] for start in range(1, len(word) - _SHORTEST_ENDING + 1)]
