"""An answer by words, and what meaning adds to it under the same filters and exclusions."""

from collections.abc import Sequence
from typing import Any

from catalog.search.lexicon import Lexicon
from catalog.search.meaning.asking import Meaning
from catalog.search.query import syntax
from catalog.search.query.asking import Answer, Match, allowed, cut, search
from catalog.search.query.concepts import How
from catalog.search.query.interpreter import Interpreter
from catalog.search.query.matching import Matcher, holding
from catalog.search.query.reading import concepts_of
from catalog.search.query.synonyms import Synonyms

_BY_WORDS = 200
"""So many are found by words at least: few of what words find then counts as found by meaning only."""
_DIGITS = 6


def search_by_both(
    connection: Any,
    query: str,
    meaning: Meaning,
    *,
    limit: int,
    folder: bytes | None,
    after: int | None,
    synonyms: Synonyms,
) -> Answer:
    """Like `search`; texts that only meaning found come in by their fused score, without highlights.

    `meaning.trouble` says afterwards why meaning had no part in it. Raises `InterruptedByUserError`.
    """
    by_words = search(
        connection,
        query,
        limit=max(limit, _BY_WORDS),
        folder=folder,
        after=after,
        synonyms=synonyms,
    )
    alone = Answer(by_words.matches[:limit], by_words.instead)
    asked = syntax.parse(cut(query))
    text = " ".join(asked.text_words)
    if not text:
        return alone
    found = {one.document_id: one for one in by_words.matches}
    scope = _Scope(connection, asked, folder, after, synonyms)
    ranking = meaning.blend(list(found), text, scope.passing).ranking[:limit]
    if meaning.trouble:
        return alone
    found.update(_near_in_meaning(connection, [one for one, _ in ranking if one not in found]))
    matches = [
        found[one]._replace(score=round(score, _DIGITS)) for one, score in ranking if one in found
    ]
    return Answer(tuple(matches), by_words.instead)


class _Scope:
    """What the filters and exclusions of a query let through."""

    def __init__(
        self,
        connection: Any,
        asked: syntax.Query,
        folder: bytes | None,
        after: int | None,
        synonyms: Synonyms,
    ) -> None:
        self._connection = connection
        self._allowed = allowed(connection, asked, folder, after)
        _, excluded = concepts_of(Interpreter(Lexicon(connection), synonyms), asked)
        self._excluded = " OR ".join(map(holding, excluded))

    def passing(self, documents: Sequence[int]) -> list[int]:
        """Those of the documents that are still there and pass, in their order."""
        kept = _existing(self._connection, documents)
        if self._allowed is not None:
            kept = [row[0] for row in self._allowed.only([(one, 0.0) for one in kept])]
        if self._excluded:
            held = set(Matcher(self._connection).among(kept, self._excluded))
            kept = [one for one in kept if one not in held]
        return kept


def _existing(connection: Any, documents: Sequence[int]) -> list[int]:
    rows = connection.execute(f"SELECT id FROM document WHERE id IN ({_listed(documents)})")
    there = {row[0] for row in rows}
    return [one for one in documents if one in there]


def _near_in_meaning(connection: Any, documents: Sequence[int]) -> dict[int, Match]:
    rows = connection.execute(
        "SELECT id, video_id, scene_id, field, text FROM document"
        f" WHERE id IN ({_listed(documents)})"
    )
    return {
        number: Match(number, video, scene, field, text, (), 0.0, How.MEANING)
        for number, video, scene, field, text in rows
    }


def _listed(documents: Sequence[int]) -> str:
    return ",".join(map(str, documents))
