"""The questions that are put to the full-text index, and the documents that answer.

The newest come first at next to no cost: SQLite reads the list of a word from its end and stops. BM25
costs about 2.4 us for each text that matches, and reads the lists of all words to the end besides, also
those that only narrow the answer; so it orders only the texts of single words that are not common.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from catalog.search.query.concepts import Concept
from catalog.search.query.resolve import stems_of

MOST_WEIGHED = 2_000
"""Texts that BM25 may weigh. Where there are more, the newest come first."""
READ = "{lemmas also}"
"""The columns of the analyser. In `words`, 개 is a dog and a counter."""
_NEAR = 4
_BATCH = 500

Row = tuple[int, float]
"""A document and its weight: higher is better, 0 where nobody weighed."""


class Matcher:
    """Asks the index of one connection, for documents that may be shown and hold nothing excluded."""

    def __init__(
        self, connection: Any, excluded: str = "", allowed: "Allowed | None" = None
    ) -> None:
        self._connection = connection
        self._excluded = excluded
        self._allowed = allowed

    def newest(self, expression: str, limit: int) -> list[Row]:
        """The newest documents that match."""
        return self._rows("0.0", expression, "rowid DESC", limit)

    def best(self, expression: str, limit: int) -> list[Row]:
        """The documents that match best by BM25."""
        return self._rows("-rank", expression, "rank", limit)

    def any(self, expression: str) -> bool:
        """Whether any document matches."""
        return bool(self.newest(expression, 1))

    def among(self, numbers: Iterable[int], expression: str) -> list[int]:
        """Which of these documents match."""
        rows = self._connection.execute(
            "SELECT rowid FROM search_index WHERE search_index MATCH ?"
            f" AND rowid IN ({','.join(map(str, numbers))})",
            (expression,),
        )
        return [row[0] for row in rows]

    def titles(self, limit: int) -> list[Row]:
        """The titles of the newest videos that the filters let through."""
        return [] if self._allowed is None else self._allowed.titles(limit)

    def _rows(self, weight: str, expression: str, order: str, limit: int) -> list[Row]:
        asked = f"({expression}) NOT ({self._excluded})" if self._excluded else expression
        query = (
            f"SELECT rowid, {weight} FROM search_index WHERE search_index MATCH ? ORDER BY {order}"
        )
        if self._allowed is None:
            return self._connection.execute(f"{query} LIMIT {limit}", (asked,)).fetchall()  # type: ignore[no-any-return]
        return list(self._passing(self._connection.execute(query, (asked,)), limit))

    def _passing(self, rows: Iterable[Row], limit: int) -> Iterator[Row]:
        allowed = self._allowed
        return islice(rows if allowed is None else allowed.only(rows), limit)


class Allowed:
    """The documents that the filters of a query let through."""

    def __init__(
        self,
        connection: Any,
        condition: str,
        values: dict[str, Any],
        videos: Iterable[int] | None = None,
    ) -> None:
        """`condition` is SQL over a document `d` and its video `v`; `videos` are all that can pass it."""
        self._connection = connection
        self._query = (
            "SELECT d.id FROM document d JOIN video v ON v.id = d.video_id"
            f" WHERE d.id IN ({{}}) AND {condition}"
        )
        self._condition = condition
        self._values = values
        self._documents = None if videos is None else self._of_videos(videos)

    def titles(self, limit: int) -> list[Row]:
        """The titles of the newest videos that pass."""
        return self._connection.execute(  # type: ignore[no-any-return]
            "SELECT d.id, 0.0 FROM video v JOIN document d ON d.video_id = v.id AND d.field = 'title'"
            f" WHERE {self._condition} ORDER BY v.id DESC LIMIT {limit}",
            self._values,
        ).fetchall()

    def _of_videos(self, videos: Iterable[int]) -> set[int]:
        rows = self._connection.execute(
            f"SELECT id FROM document WHERE video_id IN ({','.join(map(str, videos))})"
        )
        return {row[0] for row in rows}

    def only(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of the rows that pass, in their order."""
        rows = iter(rows)
        if self._documents is not None:
            rows = (row for row in rows if row[0] in self._documents)
        while batch := list(islice(rows, _BATCH)):
            numbers = ",".join(str(row[0]) for row in batch)
            passing = {
                row[0]
                for row in self._connection.execute(self._query.format(numbers), self._values)
            }
            yield from (row for row in batch if row[0] in passing)


# Expressions: https://sqlite.org/fts5.html#full_text_query_syntax ----------------------------------


def holding(concept: Concept) -> str:
    """Texts that hold a concept."""
    if not concept.unknown:
        return any_of(concept.exact)
    begun = begun_by(concept.words)
    known = any_of(concept.exact, concept.words)
    return f"({known}) OR ({begun})" if begun else known


def any_of(phrases: Iterable[str], written: Iterable[str] = ()) -> str:
    """Any of these phrases, or any of these words as written, whatever the analyser made of them.

    The latter finds texts that it has not read yet.
    """
    choices = [quoted(phrase) for phrase in phrases]
    for word in written:
        choices += map(quoted, (word, *stems_of(word)))
    return f"{READ} : ({' OR '.join(choices)})" if choices else '""'


def begun_by(words: Iterable[str]) -> str:
    """Words as written that begin so. Empty for syllables."""
    choices = [f"{quoted(word)} *" for word in words if len(word) > 1]
    return f"words : ({' OR '.join(choices)})" if choices else ""


def all_of(expressions: Iterable[str]) -> str:
    """Texts that match every expression."""
    return " AND ".join(f"({one})" for one in expressions)


def apart(parts: Iterable[str]) -> str:
    """Texts that hold all of these tokens, anywhere."""
    return f"{READ} : ({' AND '.join(map(quoted, parts))})"


def near(phrases: Iterable[str]) -> str:
    """Texts that hold these phrases with few words between, in any order."""
    return f"{READ} : NEAR({' '.join(map(quoted, phrases))}, {_NEAR})"


def by_itself(syllables: Iterable[str]) -> str:
    """Nouns of one syllable where they are words of their own: 차, not the last part of 전기차."""
    return f"also : ({' OR '.join(map(quoted, syllables))})"


def as_written(words: Iterable[str]) -> str:
    """Words as written, for texts in which the analyser has read them otherwise. Empty for syllables."""
    choices = [quoted(word) for word in words if len(word) > 1]
    return f"words : ({' OR '.join(choices)})" if choices else ""


def quoted(phrase: str) -> str:
    """A string of the query language."""
    return '"' + phrase.replace('"', '""') + '"'
