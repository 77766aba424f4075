"""Filling the list of results, tier by tier: what was asked for first, what may have been meant last.

Each tier is one query of the full-text index. Its texts come before those of every later tier, so an
expansion that is rare never outweighs a word that was typed; within a tier BM25 orders, or recency where
there are too many to weigh them all.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import product
from math import log
from typing import Any

from catalog.search.concepts import GENERIC, Concept, How, Interpreter
from catalog.search.resolve import stems_of

MOST_WEIGHED = 5_000
"""Matches that BM25 may weigh, at about 2.4 us each. Where there are more, the newest come first."""
FEW = 5
"""Later tiers, which only resemble what was asked for, are for queries with fewer results than this."""
CERTAIN = frozenset((How.EXACT, How.VARIANT))
"""Reasons that hold without a guess at what was meant."""
_READ = "{lemmas also}"
"""The columns of the analyser. In `words`, 개 is a dog and a counter."""
_PHRASES = 6
_IN_TURN = 100.0
"""The weight of the first of the texts that are taken in turn."""
_NEAR = 4
_SHARE = 0.45
"""Of texts that hold some words only, those that tell less than this part of the best are left out."""
_CANDIDATES = 120
_COMMON = 20_000
_TEXTS = 1_000_000
"""Of about so many texts, a word that n of them hold tells log(texts / n): the idf of BM25."""


@dataclass(frozen=True, slots=True)
class Found:
    """One document of the list."""

    document_id: int
    how: How
    tier: int
    weight: float
    """Of BM25, higher is better; 0 where there were too many to weigh."""


class Waterfall:
    """The list of results of one query, while it fills."""

    def __init__(
        self, connection: Any, interpreter: Interpreter, limit: int, allowed: "Allowed | None"
    ) -> None:
        self.found: dict[int, Found] = {}
        self.fewer = False
        self._connection = connection
        self._interpreter = interpreter
        self._limit = limit
        self._allowed = allowed
        self._excluded = ""
        self._tier = 0

    def fill(self, concepts: Sequence[Concept], excluded: Sequence[Concept]) -> None:
        """Runs the tiers until the list is full, or nothing is left to try."""
        self._excluded = " OR ".join(map(_exact, excluded))
        telling = [one for one in concepts if not one.silent] or list(concepts)
        known = [one for one in telling if one.exact or len(telling) == 1 or self._holds(one)]
        self.fewer = len(known) < len(telling)
        for tier in self._tiers(known or telling):
            if len(self.found) >= self._limit:
                return
            self._tier += 1
            tier()

    def _holds(self, concept: Concept) -> bool:
        """Whether some text holds a word that the lexicon does not know."""
        return self._first(_exact(concept)) is not None

    def _first(self, expression: str) -> Any:
        return self._connection.execute(
            "SELECT rowid FROM search_index WHERE search_index MATCH ? LIMIT 1", (expression,)
        ).fetchone()

    def glance(self, before: Sequence[Concept], last: Concept) -> None:
        """The newest texts with every word, the last of which may still be typed."""
        choices = [*last.exact, *self._interpreter.begun(last)]
        told = " AND ".join(_exact(one) for one in before if not one.silent)
        if not told:
            self._interleave(choices, last.how if last.exact else How.COMPLETION)
        elif choices:
            for row in self._rows(f"{told} AND {_any(choices)}", weigh=False, limit=self._limit):
                self._take(row, How.COMPLETION)

    def list_newest(self) -> None:
        """The titles of the newest videos, which the filters choose among."""
        rows = self._connection.execute(
            "SELECT id, 0.0 FROM document WHERE field = 'title' ORDER BY id DESC"
        )
        for row in self._allowed.only(rows, self._limit) if self._allowed else ():
            self._take(row, How.EXACT)

    def keep(self, reasons: frozenset[How]) -> None:
        """Leaves only what was found for one of these reasons."""
        self.found = {key: one for key, one in self.found.items() if one.how in reasons}

    def _tiers(self, concepts: Sequence[Concept]) -> Iterator[Callable[[], None]]:
        if len(concepts) == 1:
            yield from self._tiers_of_one(concepts[0])
            return
        yield lambda: self._in_order(concepts)
        yield lambda: self._together(concepts, _exact)
        if len(self.found) < FEW:
            yield lambda: self._together(concepts, self._widened)
        telling = [one for one in concepts if not one.generic]
        if len(self.found) < FEW and 0 < len(telling) < len(concepts):
            yield from self._tiers(telling)
            return
        if len(self.found) < FEW:
            yield lambda: self._covering(telling or concepts)

    def _tiers_of_one(self, concept: Concept) -> Iterator[Callable[[], None]]:
        interpreter = self._interpreter
        if concept.unknown:
            yield lambda: self._add(_any((), concept.words), How.EXACT, 0)
        if concept.several:
            yield lambda: self._interleave(concept.exact[: concept.likely], concept.how)
            yield lambda: self._interleave(concept.exact[concept.likely :], concept.how)
        elif concept.exact:
            syllables = [one for one in concept.exact if len(one) == 1]
            if syllables:
                yield lambda: self._add(_by_itself(syllables), concept.how, concept.n)
            yield lambda: self._add(_any(concept.exact), concept.how, concept.n)
        if not concept.unknown and not concept.number:
            yield lambda: self._add(_as_written(concept), concept.how, 0)
        yield lambda: self._add_phrases(interpreter.variants(concept), How.VARIANT)
        yield lambda: self._apart(concept)
        yield lambda: self._add_phrases(interpreter.longer(concept), How.PART)
        if len(self.found) < FEW:
            yield lambda: self._add_phrases(interpreter.shorter(concept), How.PART)
        if len(self.found) < FEW and not concept.several:
            yield lambda: self._interleave(interpreter.begun(concept), How.COMPLETION)
        if len(self.found) < FEW:
            yield lambda: self._head(concept)
        if len(self.found) < FEW - 2 and concept.how is not How.TYPO:
            yield lambda: self._add_phrases(interpreter.slips(concept), How.TYPO)

    def _widened(self, concept: Concept) -> str:
        phrases = [
            *concept.exact,
            *self._interpreter.variants(concept),
            *self._interpreter.longer(concept),
        ]
        return _any(phrases, concept.words)

    def _in_order(self, concepts: Sequence[Concept]) -> None:
        """The words side by side in the order asked, then near each other."""
        if any(not one.exact for one in concepts):
            return
        choices = list(product(*(one.exact[:2] for one in concepts)))[:_PHRASES]
        how = _how(concepts)
        self._add(_any(" ".join(choice) for choice in choices), how, 0)
        near = " OR ".join(
            f"{_READ} : NEAR({' '.join(map(_quoted, choice))}, {_NEAR})" for choice in choices
        )
        self._tier += 1
        self._add(near, how, 0)

    def _together(self, concepts: Sequence[Concept], expression: Callable[[Concept], str]) -> None:
        how = _how(concepts) if expression is _exact else How.VARIANT
        rarest = min(one.n for one in concepts)
        self._add(" AND ".join(map(expression, concepts)), how, rarest)

    def _covering(self, concepts: Sequence[Concept]) -> None:
        """Texts that hold some of the words, by how much those tell of what was asked for.

        A word that n texts hold tells log(texts / n), the idf of BM25; here every word counts once, so
        that two of three words always beat one that is said twice. Common words only tell texts apart
        that hold a rare one.
        """
        tells = [(log(_TEXTS / (one.n + 1)), one) for one in concepts]
        rare = [(tell, one) for tell, one in tells if one.n <= _COMMON]
        held: defaultdict[int, float] = defaultdict(float)
        for tell, one in rare:
            for row in self._rows(self._widened(one), weigh=False, limit=MOST_WEIGHED):
                held[row[0]] += tell
        best = dict(nlargest(_CANDIDATES, held.items(), key=lambda item: (item[1], item[0])))
        for tell, one in tells:
            if one.n > _COMMON:
                for number in self._among(best, _exact(one)):
                    best[number] += tell
        most = max(best.values(), default=0.0)
        self.fewer = True
        for number, told in sorted(best.items(), key=lambda item: (-item[1], -item[0])):
            if told >= most * _SHARE and len(self.found) < 2 * self._limit:
                self._take((number, told), How.FEWER)

    def _among(self, numbers: Iterable[int], expression: str) -> list[int]:
        """Which of these documents hold that."""
        rows = self._connection.execute(
            "SELECT rowid FROM search_index WHERE search_index MATCH ?"
            f" AND rowid IN ({','.join(map(str, numbers))})",
            (expression,),
        )
        return [row[0] for row in rows]

    def _head(self, concept: Concept) -> None:
        """The last part of a compound by itself: what it is a kind of. Then the first."""
        parts = next((phrase.split() for phrase in concept.exact if " " in phrase), [])
        for part in (parts[-1:] + parts[:1]) if not concept.number and not concept.literal else []:
            self._tier += 1
            if len(part) > 1 and part not in GENERIC:
                self._add(_any([part]), How.FEWER, 0)

    def _apart(self, concept: Concept) -> None:
        """The parts of a compound anywhere in the text."""
        choices = [phrase.split() for phrase in concept.exact if " " in phrase]
        if choices and not concept.number and not concept.literal:
            self._add(
                " OR ".join(
                    f"({_READ} : ({' AND '.join(map(_quoted, parts))}))"
                    for parts in choices[:_PHRASES]
                ),
                How.VARIANT,
                0,
            )

    def _add_phrases(self, phrases: Sequence[str], how: How) -> None:
        if phrases:
            self._add(_any(phrases), how, 0)

    def _interleave(self, phrases: Sequence[str], how: How) -> None:
        """The newest texts of each of several words, in turn: nobody knows which one was meant."""
        lists = [
            list(self._rows(_any([phrase]), weigh=False, limit=self._limit)) for phrase in phrases
        ]
        for place in range(max(map(len, lists), default=0)):
            for rows in lists:
                if place < len(rows) and len(self.found) < self._limit:
                    self._take((rows[place][0], _IN_TURN / (1 + len(self.found))), how)

    def _add(self, expression: str, how: How, n: int) -> None:
        if not expression:
            return
        weigh = self._may_weigh(expression, n)
        # Twice as many as wanted: the texts themselves have a say in the order of a tier.
        for row in self._rows(expression, weigh=weigh, limit=2 * self._limit):
            if len(self.found) >= 2 * self._limit:
                return
            self._take(row, how)

    def _take(self, row: tuple[int, float], how: How) -> None:
        self.found.setdefault(row[0], Found(row[0], how, self._tier, row[1]))

    def _may_weigh(self, expression: str, n: int) -> bool:
        if 0 < n <= MOST_WEIGHED:
            return True
        count = self._connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM search_index WHERE search_index MATCH ? LIMIT ?)",
            (self._without_excluded(expression), MOST_WEIGHED + 1),
        ).fetchone()[0]
        return bool(count <= MOST_WEIGHED)

    def _without_excluded(self, expression: str) -> str:
        return f"({expression}) NOT ({self._excluded})" if self._excluded else expression

    def _rows(self, expression: str, *, weigh: bool, limit: int) -> Iterator[tuple[int, float]]:
        """Documents with their weights, the best or the newest first, those already found among them."""
        order = "rank" if weigh else "rowid DESC"
        weight = "-rank" if weigh else "0.0"
        wanted = limit + len(self.found)
        rows = self._connection.execute(
            f"SELECT rowid, {weight} FROM search_index WHERE search_index MATCH ?"
            f" ORDER BY {order}" + ("" if self._allowed else " LIMIT ?"),
            (self._without_excluded(expression),) + (() if self._allowed else (wanted,)),
        )
        return iter(rows) if self._allowed is None else self._allowed.only(rows, wanted)


class Allowed:
    """The documents that the filters of a query let through."""

    def __init__(self, connection: Any, condition: str, values: dict[str, Any]) -> None:
        self._connection = connection
        self._query = (
            "SELECT d.id FROM document d JOIN video v ON v.id = d.video_id"
            f" WHERE d.id IN ({{}}) AND {condition}"
        )
        self._values = values

    def only(self, rows: Iterable[Any], limit: int) -> Iterator[tuple[int, float]]:
        """Those of the rows that pass, in their order."""
        taken = 0
        cursor = iter(rows)
        size = 200
        while batch := [row for row, _ in zip(cursor, range(size), strict=False)]:
            numbers = ",".join(str(row[0]) for row in batch)
            passing = {
                row[0]
                for row in self._connection.execute(self._query.format(numbers), self._values)
            }
            for row in batch:
                if row[0] in passing:
                    taken += 1
                    yield row
                    if taken >= limit:
                        return
            size = 2000


def _by_itself(syllables: Iterable[str]) -> str:
    """Nouns of one syllable where they are words of their own: 차, not the last part of 전기차."""
    return " OR ".join(f"also : {_quoted(one)}" for one in syllables)


def _as_written(concept: Concept) -> str:
    """The words as written, for texts that the analyser has read otherwise than the word alone."""
    written = [word for word in concept.words if len(word) > 1]
    return " OR ".join(f"words : {_quoted(word)}" for word in written)


def _exact(concept: Concept) -> str:
    return _any(concept.exact, concept.words if concept.unknown else ())


def _any(phrases: Iterable[str], written: Iterable[str] = ()) -> str:
    """Any of these phrases, or any of these words as written, whatever the analyser made of them.

    The latter finds texts that it has not read yet.
    """
    choices = [f"{_READ} : {_quoted(phrase)}" for phrase in phrases]
    for word in written:
        choices += [f"{_READ} : {_quoted(one)}" for one in (word, *stems_of(word))]
        if len(word) > 1:
            choices.append(f"words : {_quoted(word)} *")
    return f"({' OR '.join(choices)})" if choices else '""'


def _quoted(phrase: str) -> str:
    """An FTS5 string: https://sqlite.org/fts5.html#fts5_strings."""
    return '"' + phrase.replace('"', '""') + '"'


def _how(concepts: Sequence[Concept]) -> How:
    return max((one.how for one in concepts), key=list(How).index)
