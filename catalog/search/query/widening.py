"""Further phrases for a concept, once the texts that hold it do not fill the list."""

from collections.abc import Callable, Iterable

from catalog.search.korean.hangul import is_hangul_word, split_partial
from catalog.search.korean.text import runs
from catalog.search.lexicon import Lexicon
from catalog.search.query import alike
from catalog.search.query.concepts import Concept
from catalog.search.query.resolve import compound, related_forms, resolved, stems_of
from catalog.search.query.synonyms import Synonyms

_MOST_GUESSED = 3


class Widening:
    """Widens the concepts of one query, each in each way once."""

    def __init__(self, lexicon: Lexicon, synonyms: Synonyms) -> None:
        self.used: list[str] = []
        """Every phrase that was looked for so far, for the highlights."""
        self._lexicon = lexicon
        self._synonyms = synonyms
        self._known: dict[tuple[int, str], list[str]] = {}

    def variants(self, concept: Concept) -> list[str]:
        """Other words for the same: spellings, synonyms, words of the same stem."""
        return self._once(concept, self._variants)

    def _variants(self, concept: Concept) -> Iterable[str]:
        found: list[str] = []
        for word in concept.words:
            for other in self._synonyms_of(word, concept.exact):
                found += resolved(self._lexicon, other).phrases or (other,)
            if concept.number or not runs(word):
                continue
            whole, partial = split_partial(word)
            if partial and not is_hangul_word(word) and whole:
                found += resolved(
                    self._lexicon, whole
                ).phrases  # 해녀ㅂ: what is typed of it so far
            found += alike.phrases(related_forms(self._lexicon, word, concept.exact))
            if concept.unknown or not all(one.endswith("다") for one in concept.exact):
                found += alike.phrases(alike.respellings(self._lexicon, word))
        for one in concept.exact if not concept.number else ():
            if len(one) > 2 and is_hangul_word(one):
                phrases = compound(self._lexicon, one).phrases
                found += [it for it in phrases if it.endswith("다") or not one.endswith("다")]
        return found

    def _once(self, concept: Concept, way: Callable[[Concept], Iterable[str]]) -> list[str]:
        key = (id(concept), way.__name__)
        if key not in self._known:
            new = [one for one in dict.fromkeys(way(concept)) if one not in concept.exact]
            self._known[key] = new
            self.used += new
        return self._known[key]

    def _synonyms_of(self, word: str, phrases: Iterable[str]) -> list[str]:
        asked = (word, *(phrase.replace(" ", "") for phrase in phrases))
        return list(dict.fromkeys(other for one in asked for other in self._synonyms.of(one)))

    def longer(self, concept: Concept) -> list[str]:
        """Words that begin with it or hold it."""
        return self._once(concept, self._longer)

    def _longer(self, concept: Concept) -> Iterable[str]:
        if concept.number:
            return []
        # Of a word that was guessed, what was guessed: 길고양이 for 고양ㅇ.
        words = [*concept.words, *(concept.exact[:_MOST_GUESSED] if concept.unknown else ())]
        return alike.phrases(one for word in words for one in alike.holders(self._lexicon, word))

    def shorter(self, concept: Concept) -> list[str]:
        """What it may be with a syllable at its end that is a particle, or the 이 of a name: 서연이."""
        return self._once(concept, self._shorter)

    def _shorter(self, concept: Concept) -> Iterable[str]:
        found = []
        for word in concept.words if not concept.number else ():
            stems = [one for one in stems_of(word) if len(one) > 1] if is_hangul_word(word) else []
            found += alike.phrases(self._lexicon.terms(stems))
            found += alike.phrases(
                one for stem in stems for one in alike.holders(self._lexicon, stem)
            )
        return found

    def begun(self, concept: Concept) -> list[str]:
        """Words that it may become when more is typed."""
        return self._once(concept, self._begun)

    def _begun(self, concept: Concept) -> Iterable[str]:
        found = [
            one
            for word in concept.words
            if not concept.number and (len(word) > 1 or not concept.exact)
            for one in alike.completions(self._lexicon, word)
        ]
        return alike.phrases(found)

    def slips(self, concept: Concept) -> list[str]:
        """Words one key beside it."""
        return self._once(concept, self._slips)

    def _slips(self, concept: Concept) -> Iterable[str]:
        found = [one for word in concept.words for one in alike.slips(self._lexicon, word)]
        return alike.phrases(found)
