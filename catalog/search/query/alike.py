"""Words like a word of a query: what it may become, how else it is spelt, what was meant by a slip.

Each function returns words of the lexicon, the likeliest first. None of them says that a word is there
when no text holds it: the lexicon only knows words of texts.
"""

from collections.abc import Iterable, Iterator

from catalog.search.index.forms import sound_of
from catalog.search.korean.hangul import (
    is_hangul_word,
    is_initials,
    keystrokes,
    spelt_initials,
    typo_distance,
)
from catalog.search.korean.keyboard import hangul_candidates, latin_from_hangul
from catalog.search.korean.sounds import sound_keys
from catalog.search.lexicon import Lexicon, Word
from catalog.search.query.resolve import stems_of
from catalog.search.tokens import COMPOUND, LATIN, NOUN, PREDICATE, WRITTEN

_MOST = 24
_LETTERS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎㅏㅐㅑㅒㅓㅔㅕㅖㅗㅛㅜㅠㅡㅣ"
_SHORTEST_TYPO = 5
"""Keystrokes. Words of two light syllables have neighbours everywhere."""
_LONGEST_TYPO = 24
_SHORTEST_INITIALS = 2


def completions(lexicon: Lexicon, word: str) -> list[Word]:
    """Words that begin as this one does, to the key: 고양ㅇ and 고야 both begin 고양이.

    Words of their own come before compounds and names that the analyser took apart.
    """
    found = [one for one in lexicon.beginning(keystrokes(word), _MOST) if one.word != word]
    return sorted(found, key=lambda one: not is_solid(one))


def compounds_begun(lexicon: Lexicon, word: str) -> list[str]:
    """Phrases of a word and a beginning of another, for a compound that texts write apart: 심폐소생."""
    for cut in range(len(word) - 1, 1, -1):
        heads = phrases(one for one in lexicon.terms([word[:cut]]) if is_solid(one))
        tails = completions(lexicon, word[cut:]) if heads else []
        tails += [one for one in lexicon.terms([word[cut:]]) if heads and is_solid(one)]
        if tails:
            return [f"{heads[0]} {tail}" for tail in phrases(tails)]
    return []


def respellings(lexicon: Lexicon, word: str, *, loose: bool = True) -> list[Word]:
    """Other spellings of a loan-word, and Latin words that are read so: 케익 and 케이크, bmw and 비엠더블유.

    Unless `loose`, only those that sound the same.
    """
    for stem in [word, *stems_of(word)] if is_hangul_word(word) else [word]:
        keys = [sound_of(stem), *(sound_keys(stem) if loose else ())] if len(stem) > 1 else []
        found = [one for one in lexicon.sounding(keys) if one.word != stem] if keys else []
        if found:
            place = {key: number for number, key in enumerate(keys)}
            far = {one.word: place.get(sound_of(one.word), 0) for one in found}
            nearest = sorted(set(far.values()))[: len(stem) - 1]
            near = [one for one in found if far[one.word] in nearest]
            return sorted(near, key=lambda one: (far[one.word], -one.n))
    return []


def holders(lexicon: Lexicon, word: str) -> list[Word]:
    """Solid words that hold this one, not at their beginning."""
    return [one for one in lexicon.ending(word, _MOST) if one.word != word] if len(word) > 1 else []


def of_initials(lexicon: Lexicon, text: str) -> list[list[Word]]:
    """Words with these initials; of two words in a row if no single word has them.

    One list for each word that was meant.
    """
    initials = spelt_initials(text)
    if not is_initials(text) or len(initials) < _SHORTEST_INITIALS:
        return []
    words = (
        *lexicon.by_initials(initials, _MOST, whole=True),
        *lexicon.by_initials(initials, _MOST, whole=False),
    )
    found = sorted(dict.fromkeys(words), key=lambda one: not is_whole(one, text))[:_MOST]
    if found:
        return [found]
    for cut in range(len(initials) - _SHORTEST_INITIALS, _SHORTEST_INITIALS - 1, -1):
        first = lexicon.by_initials(initials[:cut], _MOST, whole=True)
        rest = of_initials(lexicon, initials[cut:]) if first else []
        if rest:
            return [first, *rest]
    return []


def is_solid(word: Word) -> bool:
    """Whether the analyser takes a word for one."""
    return word.kind in (NOUN, PREDICATE, LATIN)


def is_whole(word: Word, initials: str) -> bool:
    """Whether a word is likely meant by its initials: all of them, and it is no compound.

    Any initials are those of some two common words side by side.
    """
    return word.kind not in (COMPOUND, WRITTEN) and len(word.word) == len(spelt_initials(initials))


def of_other_layout(lexicon: Lexicon, text: str) -> list[str]:
    """What was meant by keys typed on the wrong layout, as texts: rkddkwl is 강아지, ㅊㅊㅅㅍ is cctv."""
    if text.isascii():
        return list(hangul_candidates(text)) if text.isalpha() and len(text) > 2 else []
    latin = latin_from_hangul(text)
    known = latin.isascii() and latin.isalpha() and lexicon.terms([latin])
    return [latin] if known else []


def slips(lexicon: Lexicon, word: str) -> list[Word]:
    """Words one wrong, missing, doubled or swapped key away, the nearest first.

    Every text at distance 1 is asked for by its keystrokes: some hundreds of looks into an index, and no
    index of neighbours to keep.
    """
    for stem in (word, *stems_of(word)):
        keys = keystrokes(stem)
        if not _SHORTEST_TYPO <= len(keys) <= _LONGEST_TYPO or not is_hangul_word(stem):
            continue
        once = {stem[:i] + stem[i + 1 :] for i in range(1, len(stem)) if stem[i] == stem[i - 1]}
        candidates = {*_neighbours(keys), *map(keystrokes, once)} - {keys}
        found = [
            (distance, -one.n, one)
            for one in lexicon.typed(sorted(candidates))
            if (distance := 1.0 if one.word in once else typo_distance(stem, one.word, 1.0)) <= 1.0
            and one.tokens
        ]
        if found:
            found.sort(key=lambda each: each[:2])
            return [one for _, _, one in found][:_MOST]
    return []


def _neighbours(keys: str) -> Iterator[str]:
    for place in range(len(keys) + 1):
        head, tail = keys[:place], keys[place:]
        for letter in _LETTERS:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]


def phrases(words: Iterable[Word]) -> list[str]:
    """The token sequences of words, without repeats and without words that say nothing."""
    return list(dict.fromkeys(one.tokens for one in words if one.tokens))
