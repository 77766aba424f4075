"""What a word that no text holds was meant to be: the first guess that some text bears out."""

from collections.abc import Callable
from itertools import product

from catalog.search.lexicon import Lexicon, Word
from catalog.search.query import alike
from catalog.search.query.concepts import Concept, How
from catalog.search.query.resolve import compound, resolved

_MOST_OF_EACH = 4


def guess(lexicon: Lexicon, concept: Concept, text: str) -> None:
    """Gives an unknown word the phrases of the first guess that finds words. None may."""
    concept.unknown = True
    for way in _WAYS:
        way(lexicon, concept, text)
        if concept.exact or concept.parts:
            return


def _initials(lexicon: Lexicon, concept: Concept, text: str) -> None:
    found = alike.of_initials(lexicon, text)
    if len(found) == 1:
        _several(concept, How.INITIALS, found[0], lambda one: alike.is_whole(one, text))


def _same_sound(lexicon: Lexicon, concept: Concept, text: str) -> None:
    concept.how = How.VARIANT
    concept.exact = alike.phrases(alike.respellings(lexicon, text, loose=False))


def _completions(lexicon: Lexicon, concept: Concept, text: str) -> None:
    _several(concept, How.COMPLETION, alike.completions(lexicon, text), alike.is_solid)


def _holders(lexicon: Lexicon, concept: Concept, text: str) -> None:
    concept.how, concept.exact = How.PART, alike.phrases(alike.holders(lexicon, text))


def _like_sound(lexicon: Lexicon, concept: Concept, text: str) -> None:
    concept.how = How.VARIANT
    concept.exact = alike.phrases(alike.respellings(lexicon, text)[:1])


def _other_layout(lexicon: Lexicon, concept: Concept, text: str) -> None:
    for meant in alike.of_other_layout(lexicon, text):
        other = resolved(lexicon, meant)
        if other.phrases:
            concept.exact, concept.n = list(other.phrases), other.n
            _take_for(concept, How.LAYOUT, meant)
            return


def _slips(lexicon: Lexicon, concept: Concept, text: str) -> None:
    found = alike.slips(lexicon, text)
    if found:
        concept.exact = alike.phrases(found)
        _take_for(concept, How.TYPO, found[0].word)


def _compound_begun(lexicon: Lexicon, concept: Concept, text: str) -> None:
    concept.how, concept.exact = How.COMPLETION, alike.compounds_begun(lexicon, text)


def _initials_of_two(lexicon: Lexicon, concept: Concept, text: str) -> None:
    readings = [alike.phrases(one)[:_MOST_OF_EACH] for one in alike.of_initials(lexicon, text)]
    if readings:
        concept.how, concept.several = How.INITIALS, True
        concept.exact = [" ".join(one) for one in product(*readings)]


def _compound(lexicon: Lexicon, concept: Concept, text: str) -> None:
    found = compound(lexicon, text)
    concept.how = How.EXACT
    concept.exact, concept.n, concept.parts = list(found.phrases), found.n, found.parts


_WAYS = (
    _initials,
    _same_sound,
    _completions,
    _holders,
    _like_sound,
    _other_layout,
    _slips,
    _initials_of_two,
    _compound,
    _compound_begun,
)


def _several(
    concept: Concept, how: How, words: list[Word], is_likely: Callable[[Word], bool]
) -> None:
    concept.exact = alike.phrases(words)
    concept.likely = len(alike.phrases(filter(is_likely, words)))
    concept.how, concept.several = how, bool(words)


def _take_for(concept: Concept, how: How, meant: str) -> None:
    concept.how, concept.instead, concept.words = how, meant, (meant,)
