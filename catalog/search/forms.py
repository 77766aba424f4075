"""The other faces of a word that the lexicon can be asked by: as typed, as initials, as it sounds."""

from catalog.search.hangul import initials, is_hangul_word, keystrokes
from catalog.search.sounds import sound_key
from catalog.search.text import COUNTER

NOUN, PREDICATE, COMPOUND, LATIN, WRITTEN = "n", "p", "c", "l", "w"
"""The kinds of entries in the lexicon. `WRITTEN` is a word as it stands in a text."""

_SIGNS = {"%": "퍼센트", "°": "도"}
"""Counters that are no letters, which the index would drop."""
_LONG = 3
_SHORTEST_ENDING = 2


def forms_of(word: str, kind: str, reading: str) -> tuple[str | None, str | None, str | None]:
    """Keystrokes, initials and sound of an entry; None where nobody would look for it by that."""
    if kind == WRITTEN:
        # 강아지가 begins as 강아지 does, which has keystrokes of its own.
        covered = reading and word.startswith(reading.replace(" ", ""))
        return (None if covered else keystrokes(word)), None, None
    if kind == PREDICATE:
        return keystrokes(word), None, None
    hangul = is_hangul_word(word)
    return (
        keystrokes(word),
        initials(word) if hangul and len(word) > 1 else None,
        (sound_key(word) if len(word) > 1 else None),
    )


def endings(word: str, kind: str) -> list[str]:
    """The parts of a solid noun that a person may search it by: 수박주스, taken for one word, by 주스."""
    if kind != NOUN or len(word) < _LONG or not is_hangul_word(word):
        return []
    return [word[start:] for start in range(1, len(word) - _SHORTEST_ENDING + 1)]


def number_tokens(value: int, counter: str) -> str:
    """The tokens of a numeral with what it counts; the counter is kept apart from a noun of its sound."""
    return f"{value} {_SIGNS.get(counter, counter)}{COUNTER}" if counter else str(value)
