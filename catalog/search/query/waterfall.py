"""Filling the list of results, tier by tier: what was asked for first, what may have been meant last.

Each tier is a question to the full-text index. Its texts come before those of every later tier, so an
expansion that is rare never outweighs a word that was typed. Within a tier
`catalog.search.query.ranking` orders.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from heapq import nlargest
from itertools import product
from math import log
from typing import TYPE_CHECKING, NamedTuple

from catalog.search.query.concepts import GENERIC, Concept, How
from catalog.search.query.matching import (
    MOST_WEIGHED,
    Matcher,
    Row,
    all_of,
    any_of,
    apart,
    as_written,
    begun_by,
    by_itself,
    holding,
    near,
)

if TYPE_CHECKING:
    from catalog.search.query.widening import Widening

FEW = 5
"""Later tiers, which only resemble what was asked for, are for queries with fewer results than this."""
CERTAIN = frozenset((How.EXACT, How.VARIANT))
"""Reasons that hold without a guess at what was meant."""
_CHOICES = 6
_IN_TURN = 100.0
"""The weight of the first of the texts that are taken in turn."""
_TEXTS = 1_000_000
"""Of about so many texts, a word that n of them hold tells log(texts / n): the idf of BM25."""
_SHARE = 0.45
"""Of texts that hold some words only, those that tell less than this part of the best are left out."""
_CANDIDATES = 60
_MOST_HELD = 1_000


class Found(NamedTuple):
    """One document of the list."""

    document_id: int
    how: How
    tier: int
    weight: float
    """Higher is better; 0 where nobody weighed."""


class Waterfall:
    """The list of results of one query, while it fills."""

    def __init__(
        self, matcher: Matcher, limit: int, make_widening: "Callable[[], Widening]"
    ) -> None:
        """`make_widening` is called if the texts that hold the words do not fill the list."""
        self.found: dict[int, Found] = {}
        self._matcher = matcher
        self._make_widening = make_widening
        self._limit = limit
        self._tier = 0
        self._lacking = False
        """Whether no text at all holds one of the words, so that none holds them all."""

    @cached_property
    def _widening(self) -> "Widening":
        return self._make_widening()

    @property
    def used(self) -> list[str]:
        """Every phrase beyond those of the concepts that was looked for, for the highlights."""
        return self._widening.used if "_widening" in self.__dict__ else []

    def fill(self, concepts: Sequence[Concept]) -> None:
        """Runs the tiers until the list is full, or nothing is left to try."""
        telling = [one for one in concepts if not one.silent] or list(concepts)
        known = [one for one in telling if one.exact or self._matcher.any(holding(one))]
        self._lacking = len(known) < len(telling)
        for tier in self._tiers(known or telling):
            if len(self.found) >= self._limit:
                return
            self._tier += 1
            tier()

    def glance(self, before: Sequence[Concept], last: Concept) -> None:
        """The newest texts with every word, the last of which may still be typed."""
        choices = [*last.exact, *self._widening.begun(last)]
        told = [holding(one) for one in before if not one.silent]
        how = last.how if last.exact else How.COMPLETION
        if not told:
            self._in_turn(choices, how)
        elif choices:
            rows = self._matcher.newest(all_of([*told, any_of(choices)]), self._limit)
            self._take(rows, how)

    def list_newest(self) -> None:
        """The titles of the newest videos, which the filters choose among."""
        self._take(self._matcher.titles(self._limit), How.EXACT)

    def keep(self, reasons: frozenset[How]) -> None:
        """Leaves only what was found for one of these reasons."""
        self.found = {key: one for key, one in self.found.items() if one.how in reasons}

    @property
    def _few(self) -> bool:
        return len(self.found) < FEW

    def _tiers(self, concepts: Sequence[Concept]) -> Iterator[Callable[[], None]]:
        if len(concepts) == 1:
            yield from self._tiers_of_one(concepts[0])
            return
        yield lambda: self._in_order(concepts)
        yield lambda: self._close(concepts)
        yield lambda: self._add(all_of(map(holding, concepts)), _how(concepts))
        if self._few:
            yield lambda: self._add(all_of(map(self._widened, concepts)), How.VARIANT)
        telling = [one for one in concepts if not one.generic]
        if self._few and 0 < len(telling) < len(concepts):
            yield from self._tiers(telling)
        elif self._few:
            yield lambda: self._covering(concepts)

    def _tiers_of_one(self, concept: Concept) -> Iterator[Callable[[], None]]:
        widening = self._widening
        if concept.unknown:
            as_typed = concept.how if concept.instead else How.EXACT
            yield lambda: self._add(any_of((), concept.words), as_typed)
        if concept.several:
            yield lambda: self._in_turn(concept.exact[: concept.likely], concept.how)
            yield lambda: self._in_turn(concept.exact[concept.likely :], concept.how)
        else:
            yield lambda: self._exactly(concept)
        if concept.unknown:
            yield lambda: self._add(begun_by(concept.words), How.COMPLETION)
        elif not concept.number:
            yield lambda: self._add(as_written(concept.words), concept.how)
        yield lambda: self._add_any(widening.variants(concept), How.VARIANT)
        compound = concept.how in CERTAIN and not concept.number and not concept.literal
        if compound:
            yield lambda: self._apart(concept)
        yield lambda: self._add_any(widening.longer(concept), How.PART)
        if self._few:
            yield lambda: self._add_any(widening.shorter(concept), How.PART)
        if self._few and not concept.several:
            yield lambda: self._in_turn(widening.begun(concept), How.COMPLETION)
        if self._few and compound:
            yield lambda: self._head(concept)
        if not self.found and not concept.unknown:
            yield lambda: self._add_any(widening.slips(concept), How.TYPO)

    def _exactly(self, concept: Concept) -> None:
        if not concept.exact:
            return
        syllables = [one for one in concept.exact if len(one) == 1]
        weigh = concept.n <= MOST_WEIGHED
        if syllables:
            self._add(by_itself(syllables), concept.how, weigh=weigh)
            self._tier += 1
        self._add(any_of(concept.exact), concept.how, weigh=weigh)

    def _in_order(self, concepts: Sequence[Concept]) -> None:
        """The words side by side, in the order asked."""
        self._add_any(map(" ".join, _choices(concepts)), _how(concepts))

    def _close(self, concepts: Sequence[Concept]) -> None:
        """The words near each other."""
        self._add(" OR ".join(f"({near(one)})" for one in _choices(concepts)), _how(concepts))

    def _widened(self, concept: Concept) -> str:
        widening = self._widening
        wider = [*widening.variants(concept), *widening.longer(concept)]
        return f"({holding(concept)}) OR ({any_of(wider)})" if wider else holding(concept)

    def _covering(self, concepts: Sequence[Concept]) -> None:
        """Texts that hold some of the words, by how much those tell of what was asked for.

        A word that n texts hold tells log(texts / n), the idf of BM25; here every word counts once, so
        that two of three words always beat one that is said twice. Common words only tell texts apart
        that hold a rare one.
        """
        tells = sorted(
            ((log(_TEXTS / (one.n + 1)), one) for one in concepts), key=lambda it: -it[0]
        )
        held: defaultdict[int, float] = defaultdict(float)
        common = []
        for tell, one in tells:
            if held and one.n > _MOST_HELD:
                common.append((tell, one))
                continue
            for row in self._matcher.newest(self._widened(one), _MOST_HELD):
                held[row[0]] += tell
        best = dict(nlargest(_CANDIDATES, held.items(), key=lambda item: (item[1], item[0])))
        for tell, one in common:
            for number in self._matcher.among(best, holding(one)):
                best[number] += tell
        most = max(best.values(), default=0.0)
        ranked = sorted(best.items(), key=lambda item: (-item[1], -item[0]))
        self._take([row for row in ranked if row[1] >= most * _SHARE], How.FEWER)

    def _head(self, concept: Concept) -> None:
        """The last part of a compound by itself: what it is a kind of. Then the first."""
        parts = next((phrase.split() for phrase in concept.exact if " " in phrase), [])
        for part in parts[-1:] + parts[:1]:
            self._tier += 1
            if len(part) > 1 and part not in GENERIC:
                self._widening.used.append(part)
                self._add_any([part], How.FEWER)

    def _apart(self, concept: Concept) -> None:
        """The parts of a compound anywhere in the text."""
        choices = [phrase.split() for phrase in concept.exact[:_CHOICES] if " " in phrase]
        self._add(" OR ".join(f"({apart(parts)})" for parts in choices), How.VARIANT)

    def _add_any(self, phrases: Iterable[str], how: How) -> None:
        phrases = list(phrases)
        syllables = [one for one in phrases if len(one) == 1]
        longer = [one for one in phrases if len(one) > 1]
        choices = [any_of(longer)] if longer else []
        choices += [by_itself(syllables)] if syllables else []
        self._add(" OR ".join(f"({one})" for one in choices), how)

    def _add(self, expression: str, how: How, *, weigh: bool = False) -> None:
        if expression:
            # Twice as many as wanted: the texts themselves have a say in the order of a tier.
            ask = self._matcher.best if weigh else self._matcher.newest
            self._take(ask(expression, 2 * self._limit + len(self.found)), how)

    def _in_turn(self, phrases: Sequence[str], how: How) -> None:
        """The newest texts of each of several words, in turn: nobody knows which one was meant."""
        lists = [self._matcher.newest(any_of([one]), self._limit) for one in phrases]
        for place in range(max(map(len, lists), default=0)):
            for rows in lists:
                if place < len(rows) and len(self.found) < self._limit:
                    self._take([(rows[place][0], _IN_TURN / (1 + len(self.found)))], how)

    def _take(self, rows: Iterable[Row], how: How) -> None:
        for number, weight in rows:
            if number not in self.found and len(self.found) < 2 * self._limit:
                reason = How.FEWER if self._lacking else how
                self.found[number] = Found(number, reason, self._tier, weight)


def _choices(concepts: Sequence[Concept]) -> list[tuple[str, ...]]:
    """The likeliest readings of words in a row; none if one of them has none."""
    return list(product(*(one.exact[:2] for one in concepts)))[:_CHOICES]


def _how(concepts: Sequence[Concept]) -> How:
    return max((one.how for one in concepts), key=list(How).index)
