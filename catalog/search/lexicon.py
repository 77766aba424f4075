"""What the analyser has learnt, as a query asks for it: words, their readings, and words like a word."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from catalog.search.tokens import COMPOUND, WRITTEN

_AFTER = "\U0010ffff"
_SHARE = 10
"""A reading counts if at least every tenth occurrence of the word is read so."""


class Word(NamedTuple):
    """An entry that answered: the tokens to search for, and how often it occurs."""

    word: str
    kind: str
    tokens: str
    """A phrase of the index. Empty if the word says nothing: 했다."""
    n: int


class Lexicon:
    """The lexicon of one connection. Answers are remembered for as long as this object lives."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._entries: dict[str, list[Word]] = {}

    def entries(self, words: Iterable[str]) -> dict[str, list[Word]]:
        """The entries of each word."""
        wanted = list(dict.fromkeys(words))
        missing = [word for word in wanted if word not in self._entries]
        if missing:
            self._entries.update({word: [] for word in missing})
            for row in self._connection.execute(
                "SELECT word, kind, reading, n FROM search_word"
                " WHERE word IN (SELECT value FROM json_each(?))",
                (json.dumps(missing),),
            ):
                self._entries[row[0]].append(_word(*row))
        return {word: self._entries[word] for word in wanted}

    def terms(self, words: Iterable[str]) -> list[Word]:
        """Those entries of words that are tokens of their own, or compounds of tokens."""
        return [
            entry
            for entries in self.entries(words).values()
            for entry in _usual([one for one in entries if one.kind != WRITTEN])
        ]

    def frequency(self, phrase: str) -> int:
        """How often a token of the index occurs; of a phrase, its rarest token."""
        tokens = phrase.split()
        terms = self.entries(tokens)
        return min(
            max((one.n for one in terms[token] if one.kind != WRITTEN), default=0)
            for token in tokens
        )

    def readings(self, word: str) -> list[Word]:
        """How a word is read in texts, the usual reading first."""
        written = [one for one in self.entries([word])[word] if one.kind == WRITTEN]
        return sorted(_usual(written), key=lambda one: -one.n)

    def beginning(self, keys: str, limit: int) -> list[Word]:
        """Words whose keystrokes begin so, the commonest first."""
        return self._by(
            "keys >= ? AND keys < ? ORDER BY n DESC LIMIT ?", keys, keys + _AFTER, limit
        )

    def typed(self, candidates: Sequence[str]) -> list[Word]:
        """Words with any of these keystrokes."""
        return self._by("keys IN (SELECT value FROM json_each(?))", json.dumps(candidates))

    def by_initials(self, initials: str, limit: int, *, whole: bool) -> list[Word]:
        """Words with these initials, or whose initials begin so; the commonest first."""
        if whole:
            return self._by("initials = ? ORDER BY n DESC LIMIT ?", initials, limit)
        return self._by(
            "initials >= ? AND initials < ? ORDER BY n DESC LIMIT ?",
            *(initials, initials + _AFTER, limit),
        )

    def sounding(self, sounds: Sequence[str]) -> list[Word]:
        """Words that sound so."""
        return self._by("sound IN (SELECT value FROM json_each(?))", json.dumps(sounds))

    def ending(self, part: str, limit: int) -> list[Word]:
        """Words that hold this part, not at their beginning; the commonest first."""
        return self._by(
            "word IN (SELECT word FROM search_ending WHERE ending >= ? AND ending < ?)"
            " AND kind <> 'w' ORDER BY n DESC LIMIT ?",
            *(part, part + _AFTER, limit),
        )

    def _by(self, condition: str, *values: object) -> list[Word]:
        rows = self._connection.execute(
            f"SELECT word, kind, reading, n FROM search_word WHERE {condition}", values
        )
        return [_word(*row) for row in rows]


def _word(word: str, kind: str, reading: str, n: int) -> Word:
    return Word(word, kind, reading if kind in (WRITTEN, COMPOUND) else word, n)


def _usual(entries: Sequence[Word]) -> list[Word]:
    """The entries that are not the analyser's slips: a rare reading of a word read otherwise."""
    most = sum(one.n for one in entries)
    return [one for one in entries if one.n * _SHARE >= most]
