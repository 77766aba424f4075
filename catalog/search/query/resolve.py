"""What a word of a query stands for, by the lexicon and the rules of inflection. No analyser here."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import inf, log
from typing import NamedTuple

from catalog.search.korean.inflection import dictionary_forms, forms_before_auxiliary, forms_in_a
from catalog.search.korean.text import PARTICLES, is_hangul, runs, stems_before_particles
from catalog.search.lexicon import Lexicon, Word
from catalog.search.tokens import COMPOUND, NOUN, PREDICATE

_RARE = 10
_WAYS_TO_MOVE = ("가다", "오다", "다니다", "나가다", "나오다", "오르다", "내리다", "들다")
"""걸어가다 and 뛰어다니다 are ways of 걷다 and 뛰다."""
_TITLES = "님들씨"
_VERBS_OF_NOUNS = ("하다", "되다", "시키다", "당하다", "받다")
_LONGEST_PART = 8
_UNKNOWN_COST, _PART_COST, _SINGLE_COST = 18.0, 9.0, 15.0
_SENTENCE_SYLLABLES = 6
_LONGEST_FORM = 5
_GENERIC_SILENT = frozenset(
    "하다 있다 되다 않다 이다 아니다 싶다 못하다 말다 보이다 찾다 나오다 보다 주다".split()
)


class Resolved(NamedTuple):
    """The readings of one word. `phrases` are token sequences of the index, the likeliest first."""

    text: str
    phrases: tuple[str, ...] = ()
    n: int = 0
    """How often the commonest of them occurs."""
    silent: bool = False
    """Whether it is a word without content of its own: 하는, 있는."""
    stripped: bool = False
    """Whether it was only found without a particle: 소방과, which may become 소방관."""
    parts: tuple[str, ...] = ()
    """A sentence typed without spaces: its words, each to be resolved by itself."""


def resolve(lexicon: Lexicon, word: str) -> Resolved:
    """What a Hangul word, of one or more syllables, stands for. Nothing if no text holds it."""
    stems = stems_of(word)
    forms = dictionary_forms(word)
    lexicon.entries((word, *stems, *forms))  # all at once; what follows is answered from memory
    readings = lexicon.readings(word)
    found = [one for one in (*readings, *lexicon.terms([word])) if one.tokens]
    found = _nominal(word, found)
    stripped = not found
    for stem in stems if not found else ():
        found = [one for one in lexicon.terms([stem]) if one.kind != PREDICATE]
        found = found or [one for one in lexicon.readings(stem) if one.tokens]
        if found:
            break
    if not found or word not in {one.word for one in found}:
        found += _predicates(lexicon, word)
    if not found and readings:
        return Resolved(word, silent=True)
    return _resolved(lexicon, word, found)._replace(stripped=stripped and not readings)


def _nominal(word: str, found: Sequence[Word]) -> list[Word]:
    """Of a word that is a noun as it stands, the noun: who types 산 hardly means 사다."""
    nouns = [one for one in found if one.tokens == word or one.kind == COMPOUND]
    others = [one for one in found if one not in nouns]
    if sum(one.n for one in nouns) * _RARE < sum(one.n for one in others):
        return list(found)
    return nouns or others


def _predicates(lexicon: Lexicon, word: str) -> list[Word]:
    """Predicates that a word may be a form of; else the noun of one: 산책 for 산책하는."""
    for forms in (dictionary_forms(word), forms_before_auxiliary(word)):
        found = [one for one in lexicon.terms(forms) if one.kind == PREDICATE]
        if found:
            return found
    moving = [
        form + way
        for lemma in dictionary_forms(word)
        for form in forms_in_a(lemma)
        for way in _WAYS_TO_MOVE
    ]
    found = [one for one in lexicon.terms(moving) if one.kind == PREDICATE]
    if found:
        return found
    nouns = [
        form.removesuffix(verb)
        for form in dictionary_forms(word)
        for verb in _VERBS_OF_NOUNS
        if form.endswith(verb) and len(form) > len(verb) + 1
    ]
    return [one for one in lexicon.terms(nouns) if one.kind != PREDICATE]


def resolved(lexicon: Lexicon, text: str) -> Resolved:
    """What a word in any script stands for."""
    pieces = runs(text)
    if len(pieces) != 1:
        return mixed(lexicon, text)
    return (
        resolve(lexicon, text)
        if pieces[0] == text and is_hangul(text)
        else mixed(lexicon, pieces[0])
    )


def _resolved(lexicon: Lexicon, word: str, found: Iterable[Word]) -> Resolved:
    counts: dict[str, int] = {}
    for one in found:
        counts[one.tokens] = max(counts.get(one.tokens, 0), one.n)
    phrases = tuple(sorted(counts, key=lambda tokens: -counts[tokens]))
    return Resolved(word, phrases, max(map(lexicon.frequency, phrases), default=0))


def stems_of(word: str) -> list[str]:
    """The word without each particle that it may end in, the longest first, and without 님 or 들."""
    stems = stems_before_particles(word)
    titled = [one[:-1] for one in (word, *stems) if len(one) > 2 and one[-1] in _TITLES]
    return [*stems, *titled]


def related_forms(lexicon: Lexicon, word: str, phrases: Sequence[str]) -> list[Word]:
    """Words of the same stem: 달리기 and 달리다, 운동 and 운동하다, 걸어가다 and 걷다."""
    nouns = [phrase[:-2] for phrase in phrases if phrase.endswith("하다") and len(phrase) > 3]
    verbs = [phrase + "하다" for phrase in phrases if len(phrase) > 1 and " " not in phrase]
    made_of = dictionary_forms(word) if word.endswith("기") or word[-1:] in "음임" else ()
    verbal = [one for one in phrases if one.endswith("다")]
    before = [form for one in verbal for form in forms_before_auxiliary(one)]
    before += forms_before_auxiliary(word) if verbal else ()
    # 들어오다 is no kind of hearing, though 듣다 has the form.
    ways = [
        form + way
        for one in verbal
        if " " not in one and one != "듣다"
        for form in forms_in_a(one)
        for way in _WAYS_TO_MOVE
    ]
    terms = lexicon.terms([*nouns, *verbs, *made_of, *before, *ways])
    return [one for one in terms if one.tokens not in phrases]


def segments(lexicon: Lexicon, word: str) -> list[str]:
    """The likeliest way to cut a word into words of the lexicon; [] if none covers most of it.

    Viterbi over the counts of the lexicon, in which what is unknown costs much.
    """
    pieces = {
        word[start:end]
        for start in range(len(word))
        for end in range(start + 1, min(len(word), start + _LONGEST_PART) + 1)
    }
    pieces.discard(word)
    entries = lexicon.entries(pieces)
    costs = {piece: _cost(piece, entries[piece]) for piece in pieces}
    costs[word] = inf
    if len(word) >= _SENTENCE_SYLLABLES:
        _reckon_with_forms(lexicon, costs)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(word) + 1):
        best.append(
            min(
                (best[start][0] + costs[word[start:end]], start)
                for start in range(max(0, end - _LONGEST_PART), end)
            )
        )
    cuts = [len(word)]
    while cuts[-1]:
        cuts.append(best[cuts[-1]][1])
    parts = [word[start:end] for end, start in pairwise(cuts)][::-1]
    unknown = sum(len(part) for part in parts if costs[part] >= _UNKNOWN_COST)
    return parts if len(parts) > 1 and unknown * 3 <= len(word) else []


def _reckon_with_forms(lexicon: Lexicon, costs: dict[str, float]) -> None:
    """Lowers the costs of pieces that no text holds as they are, but that are forms of known predicates."""
    forms = {
        piece: dictionary_forms(piece)
        for piece, cost in costs.items()
        if cost >= _UNKNOWN_COST and 1 < len(piece) <= _LONGEST_FORM
    }
    lexicon.entries({form for some in forms.values() for form in some})
    for piece, some in forms.items():
        known = [one for one in lexicon.terms(some) if one.kind == PREDICATE]
        if known:
            costs[piece] = _PART_COST + 2 - min(log(max(one.n for one in known) + 1), 8.0)


def _cost(piece: str, entries: Sequence[Word]) -> float:
    counted = [one for one in entries if one.tokens and (len(piece) > 1 or one.kind == NOUN)]
    if not counted:
        return _UNKNOWN_COST + 4.0 * len(piece)
    common = max(one.n for one in counted)
    return (_SINGLE_COST if len(piece) == 1 else _PART_COST) - min(log(common + 1), 8.0)


def compound(lexicon: Lexicon, word: str) -> Resolved:
    """A solid word as a phrase of known parts, with or without a particle at its end."""
    for stem in (word, *stems_of(word)):
        parts = segments(lexicon, stem) if len(stem) > 2 else []
        if not parts:
            continue
        if len(stem) >= _SENTENCE_SYLLABLES and len(parts) > 2:
            return Resolved(word, parts=tuple(parts))
        if sum(len(part) == 1 for part in parts) > 1:
            continue
        readings = [resolve(lexicon, part) for part in parts]
        if all(one.phrases for one in readings):
            phrase = " ".join(one.phrases[0] for one in readings)
            return Resolved(word, (phrase,), min(one.n for one in readings))
    return Resolved(word)


def mixed(lexicon: Lexicon, text: str) -> Resolved:
    """A word of several scripts, or of another one than Hangul: bmw가, k-pop, 주차장cctv."""
    pieces = runs(text)
    if len(pieces) > 1:
        pieces = [
            piece for place, piece in enumerate(pieces) if not place or piece not in PARTICLES
        ]
    readings = []
    for piece in pieces:
        found = resolve(lexicon, piece) if is_hangul(piece) else _latin(lexicon, piece)
        if not found.phrases and not found.silent:
            return Resolved(text)
        readings.append(found)
    phrase = " ".join(one.phrases[0] for one in readings if one.phrases)
    joined = _latin(lexicon, "".join(pieces)) if len(pieces) > 1 else Resolved(text)
    phrases = tuple(dict.fromkeys(filter(None, (phrase, *joined.phrases))))
    return Resolved(text, phrases, max(joined.n, min((one.n for one in readings), default=0)))


def _latin(lexicon: Lexicon, word: str) -> Resolved:
    return _resolved(lexicon, word, lexicon.terms([word]))
