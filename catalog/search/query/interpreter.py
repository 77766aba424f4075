"""From the words of a query to what they stand for, else to what they may have been meant to be."""

from collections.abc import Sequence

from catalog.search.korean.hangul import is_hangul_word
from catalog.search.korean.numerals import Number, numbers
from catalog.search.korean.text import PARTICLES
from catalog.search.lexicon import Lexicon
from catalog.search.query.concepts import Concept, How
from catalog.search.query.resolve import compound, resolved, stems_of
from catalog.search.query.synonyms import Synonyms
from catalog.search.tokens import NOUN, number_tokens

_MOST_TORN = 4
_LONGEST_TORN = 8
_REQUESTS = frozenset(
    """
    찾아줘 찾아줘요 찾아주세요 찾아봐 찾기 보여줘 보여줘요 보여주세요 알려줘 알려주세요
    있어 있나 있나요 있어요 있지 있었지 뭐야 뭐지
    """.split()
)


class Interpreter:
    """Turns words of a query into concepts, by one lexicon and the person's synonyms."""

    def __init__(self, lexicon: Lexicon, synonyms: Synonyms) -> None:
        self.lexicon = lexicon
        self._synonyms = synonyms

    def concepts(self, words: Sequence[str]) -> list[Concept]:
        """The concepts of words in a row, of which numerals may take two: 세 명."""
        found: list[Concept] = []
        for text, number in _numerals_joined(self._rejoined(words)):
            if number:
                found.append(_numeral(text, number))
                continue
            concept = self.of_word(text)
            if concept.unknown and len(text) == 1 and len(words) > 1 and is_hangul_word(text):
                concept.silent = True  # what one syllable may become is anybody's guess
            found += self.concepts(concept.parts) if concept.parts else [concept]
        return found

    def _rejoined(self, words: Sequence[str]) -> list[str]:
        """Words that were one before somebody put a space in: 횡단 보도, 강아 지."""
        rejoined: list[str] = []
        place = 0
        while place < len(words):
            taken = next(
                (
                    size
                    for size in range(min(_MOST_TORN, len(words) - place), 1, -1)
                    if self._is_torn(words[place : place + size])
                ),
                1,
            )
            rejoined.append("".join(words[place : place + taken]))
            place += taken
        return rejoined

    def _is_torn(self, pieces: Sequence[str]) -> bool:
        word = "".join(pieces)
        if len(word) > _LONGEST_TORN or not all(map(is_hangul_word, pieces)):
            return False
        stems = (word, *stems_of(word))
        solid = any(one.kind == NOUN and one.n > 0 for one in self.lexicon.terms(stems))
        return solid and not any(numbers(one) for one in (word, " ".join(pieces)))

    def of_word(self, text: str) -> Concept:
        """One word: what it stands for, else what it may have been meant to be."""
        concept = Concept(text, (text,))
        if text in _REQUESTS:
            concept.silent = True
            return concept
        found = resolved(self.lexicon, text)
        concept.exact, concept.n, concept.silent = list(found.phrases), found.n, found.silent
        if not concept.exact and not concept.silent:
            self._by_synonym(concept, text)
            if not concept.exact:
                from catalog.search.query.guessing import guess  # only unknown words need it

                guess(self.lexicon, concept, text)
        elif found.stripped:
            self._or_completed(concept, text)
        return concept

    def _or_completed(self, concept: Concept, text: str) -> None:
        """Takes a word with a particle that no text holds for a word half typed, too: 소방과."""
        from catalog.search.query import alike

        longer = alike.phrases(alike.completions(self.lexicon, text))
        if longer:
            concept.exact = [*longer, *(one for one in concept.exact if len(one) > 1)]
            concept.how, concept.several = How.COMPLETION, True
            concept.likely = len(longer)  # no text holds it with the particle

    def _by_synonym(self, concept: Concept, text: str) -> None:
        """Takes an unknown word for those that the person's own file says it is."""
        for word in (text, *(stems_of(text) if is_hangul_word(text) else ())):
            for other in self._synonyms.of(word):
                concept.exact += resolved(self.lexicon, other).phrases
        if concept.exact:
            concept.how, concept.unknown = How.VARIANT, True
            concept.exact[:0] = compound(self.lexicon, text).phrases


def _numeral(text: str, found: Sequence[Number]) -> Concept:
    phrases = [number_tokens(one.value, one.counter) for one in found]
    return Concept(text, (text,), phrases, number=True)


def _numerals_joined(words: Sequence[str]) -> list[tuple[str, tuple[Number, ...]]]:
    """Words, with those that make up one numeral taken together: 세 명이 is 3 명."""
    text = " ".join(words)
    joined: list[tuple[str, tuple[Number, ...]]] = []
    found = numbers(text)
    place = 0
    for word in words:
        start, end = place, place + len(word)
        place = end + 1
        over = tuple(one for one in found if one.start < end and one.end > start)
        if not over or not _is_rest(text, over[-1].end):
            joined.append((word, ()))
        elif over[0].start >= start:
            if over[0].start > start:
                joined.append((text[start : over[0].start], ()))  # 고양이세마리
            joined.append((text[over[0].start : over[-1].end], over))
    return joined


def _is_rest(text: str, end: int) -> bool:
    """Whether nothing but a particle follows a numeral in its word."""
    rest = text[end:].partition(" ")[0]
    return not rest or rest in PARTICLES or len(rest) == 1
