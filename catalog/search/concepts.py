"""What a query asks for, one concept for each word or phrase that a text must hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from catalog.search import alike
from catalog.search.forms import NOUN, number_tokens
from catalog.search.hangul import is_hangul_word, split_partial
from catalog.search.lexicon import Lexicon
from catalog.search.numerals import Number, numbers
from catalog.search.resolve import Resolved, compound, mixed, related_forms, resolve, stems_of
from catalog.search.synonyms import Synonyms
from catalog.search.text import PARTICLES, is_hangul, runs


class How(StrEnum):
    """Why a text is among the results."""

    EXACT = "exact"  # the words asked for, in any form
    VARIANT = "variant"  # another spelling, a synonym, a word of the same stem
    COMPLETION = "completion"  # a word that begins so
    PART = "part"  # a longer word that holds the word
    INITIALS = "initials"  # a word with these initials
    LAYOUT = "layout"  # typed on the other keyboard layout
    TYPO = "typo"  # one key beside
    FEWER = "fewer"  # some of the words only


GENERIC = frozenset(
    """
    영상 동영상 비디오 장면 모습 화면 사진 클립 부분 컷 찾다 나오다 보이다 보여주다 알려주다 것 거 곳 데
    때 좀 어디 언제 누구 모든 전부 모두 보다 관련 관하다 대하다 검색 찍다 담다 담기다 찍히다 우리 촬영
    촬영하다 나 내 그 중 등 들어가다 있다 하다
    """.split()
)
"""What people say around what they look for. The first to be left out when no text holds every word."""
_MOST_TORN = 4
_LONGEST_TORN = 8
_REQUESTS = frozenset(
    """
    찾아줘 찾아줘요 찾아주세요 찾아봐 찾기 보여줘 보여줘요 보여주세요 알려줘 알려주세요
    있어 있나 있나요 있어요 있지 있었지 뭐야 뭐지
    """.split()
)


@dataclass(slots=True)
class Concept:
    """One thing asked for, with the phrases of index tokens that stand for it."""

    text: str
    words: tuple[str, ...]
    """As asked, each of which would do: several of them where the query says OR."""
    exact: list[str] = field(default_factory=list)
    n: int = 0
    how: How = How.EXACT
    """How `exact` came about."""
    unknown: bool = False
    """Whether no text that the analyser has read holds it as typed; a text that waits still may."""
    silent: bool = False
    number: bool = False
    literal: str = ""
    """A phrase that must stand so in the text, in normal form and without spaces."""
    instead: str = ""
    """What was taken to be meant, where it is not what was typed."""
    parts: tuple[str, ...] = ()
    """A sentence typed without spaces: its words."""
    likely: int = 0
    """So many of `exact` are likelier than the others."""
    several: bool = False
    """Whether `exact` are different words, among which none is known to be the one that was meant."""

    @property
    def generic(self) -> bool:
        """Whether it says little of what is looked for."""
        return self.silent or self.text in GENERIC or any(one in GENERIC for one in self.exact)


class Interpreter:
    """Turns words of a query into concepts, by one lexicon and the person's synonyms."""

    def __init__(self, lexicon: Lexicon, synonyms: Synonyms) -> None:
        self.used: list[str] = []
        """Every phrase that was looked for so far, for the highlights."""
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
        found = self._resolved(text)
        concept.exact, concept.n, concept.silent = list(found.phrases), found.n, found.silent
        if not concept.exact and not concept.silent:
            self._by_synonym(concept, text)
            if not concept.exact:
                self._guess(concept, text)
        elif found.stripped:
            self._or_completed(concept, text)
        return concept

    def _or_completed(self, concept: Concept, text: str) -> None:
        """Takes a word with a particle that no text holds for a word half typed, too: 소방과."""
        longer = alike.phrases(alike.completions(self.lexicon, text))
        if longer:
            concept.exact = [*longer, *concept.exact]
            concept.how, concept.several = How.COMPLETION, True

    def _resolved(self, text: str) -> Resolved:
        pieces = runs(text)
        if len(pieces) == 1 and is_hangul(text) and len(pieces[0]) == len(text):
            return resolve(self.lexicon, text)
        return (
            mixed(self.lexicon, "".join(pieces)) if len(pieces) == 1 else mixed(self.lexicon, text)
        )

    def _by_synonym(self, concept: Concept, text: str) -> None:
        """Takes an unknown word for those that the person's own file says it is."""
        for word in (text, *(stems_of(text) if is_hangul_word(text) else ())):
            for other in self._synonyms.of(word):
                concept.exact += self._resolved(other).phrases
        if concept.exact:
            concept.how, concept.unknown = How.VARIANT, True

    def _guess(self, concept: Concept, text: str) -> None:
        """What an unknown word was meant to be: the first of these that some text holds."""
        lexicon = self.lexicon
        concept.unknown = True
        initials = alike.of_initials(lexicon, text)
        if len(initials) == 1:
            concept.how, concept.several = How.INITIALS, True
            concept.exact = alike.phrases(initials[0])
            concept.likely = sum(alike.is_whole(one, text) for one in initials[0])
            return
        spelt = alike.respellings(lexicon, text, loose=False)
        if spelt:
            concept.how, concept.exact = How.VARIANT, alike.phrases(spelt)
            return
        completions = alike.completions(lexicon, text)
        if completions:
            concept.how, concept.several = How.COMPLETION, True
            concept.exact = alike.phrases(completions)
            return
        holders = alike.holders(lexicon, text)
        if holders:
            concept.how, concept.exact = How.PART, alike.phrases(holders)
            return
        spelt = alike.respellings(lexicon, text)
        if spelt:
            concept.how, concept.exact = How.VARIANT, alike.phrases(spelt[:1])
            return
        for meant in alike.of_other_layout(lexicon, text):
            other = self._resolved(meant)
            if other.phrases:
                self._take_for(concept, How.LAYOUT, meant)
                concept.exact, concept.n = list(other.phrases), other.n
                return
        slips = alike.slips(lexicon, text)
        if slips:
            self._take_for(concept, How.TYPO, slips[0].word)
            concept.exact = alike.phrases(slips)
            return
        if initials:
            concept.how, concept.several = How.INITIALS, True
            concept.exact = [
                " ".join(one) for one in product(*(alike.phrases(one)[:4] for one in initials))
            ]
            return
        found = compound(lexicon, text)
        concept.exact, concept.n, concept.parts = list(found.phrases), found.n, found.parts

    def _take_for(self, concept: Concept, how: How, meant: str) -> None:
        concept.how, concept.instead, concept.words = how, meant, (meant,)

    def variants(self, concept: Concept) -> list[str]:
        """Other words for the same: spellings, synonyms, words of the same stem."""
        found: list[str] = []
        for word in concept.words:
            for other in self._synonyms_of(word, concept.exact):
                found += self._resolved(other).phrases or (other,)
            if concept.number or not runs(word):
                continue
            whole, partial = split_partial(word)
            if partial and not is_hangul_word(word) and whole:
                found += self._resolved(whole).phrases  # 해녀ㅂ: what is typed of it so far
            found += alike.phrases(alike.respellings(self.lexicon, word))
            found += alike.phrases(related_forms(self.lexicon, word, concept.exact))
            solid = [one for one in (word, *concept.exact) if len(one) > 2 and is_hangul_word(one)]
            for one in solid if not any(" " in phrase for phrase in concept.exact) else ():
                phrases = compound(self.lexicon, one).phrases
                found += [it for it in phrases if it.endswith("다") or not one.endswith("다")]
        return self._new(concept, found)

    def _new(self, concept: Concept, phrases: Iterable[str]) -> list[str]:
        new = [one for one in dict.fromkeys(phrases) if one not in concept.exact]
        self.used += new
        return new

    def _synonyms_of(self, word: str, phrases: Iterable[str]) -> list[str]:
        asked = (word, *(phrase.replace(" ", "") for phrase in phrases))
        return list(dict.fromkeys(other for one in asked for other in self._synonyms.of(one)))

    def longer(self, concept: Concept) -> list[str]:
        """Words that begin with it or hold it."""
        found = [
            one
            for word in concept.words
            if len(word) > 1 and not concept.number
            for one in (*alike.holders(self.lexicon, word),)
        ]
        return self._new(concept, alike.phrases(found))

    def shorter(self, concept: Concept) -> list[str]:
        """What it may be with a syllable at its end that is a particle, or the 이 of a name: 서연이."""
        found = []
        for word in concept.words if not concept.number else ():
            stems = [one for one in stems_of(word) if len(one) > 1] if is_hangul_word(word) else []
            found += alike.phrases(self.lexicon.terms(stems))
            found += alike.phrases(
                one for stem in stems for one in alike.holders(self.lexicon, stem)
            )
        return self._new(concept, found)

    def begun(self, concept: Concept) -> list[str]:
        """Words that it may become when more is typed."""
        found = [
            one
            for word in concept.words
            if not concept.number and (len(word) > 1 or not concept.exact)
            for one in alike.completions(self.lexicon, word)
        ]
        return self._new(concept, alike.phrases(found))

    def slips(self, concept: Concept) -> list[str]:
        """Words one key beside it."""
        found = [one for word in concept.words for one in alike.slips(self.lexicon, word)]
        return self._new(concept, alike.phrases(found))


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
