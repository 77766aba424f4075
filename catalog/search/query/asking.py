"""Asking the catalog: words, "phrases", -exclusions, OR and filters; anything else is text, never an error.

`search` gives the ranked answer, `glance` the first one while somebody types. Neither loads an analyser.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from catalog.clock import now
from catalog.search.lexicon import Lexicon
from catalog.search.query import ranking, reading, syntax
from catalog.search.query.concepts import Concept, How
from catalog.search.query.highlight import Highlighter
from catalog.search.query.interpreter import Interpreter
from catalog.search.query.matching import Allowed, Matcher, holding
from catalog.search.query.synonyms import Synonyms
from catalog.search.query.waterfall import CERTAIN, Waterfall
from catalog.search.spans import Span

if TYPE_CHECKING:
    from catalog.search.query.widening import Widening

NO_SYNONYMS = Synonyms()
_MOST_VIDEOS = 5_000
"""Filters that fewer videos pass are answered first, the words after."""
_LONGEST_QUERY, _LONGEST_WORD = 400, 64
"""Characters. What is pasted beyond them is not looked for."""
_CONTROLS = {code: " " for code in (*range(0x20), *range(0x7F, 0xA0))}


class Match(NamedTuple):
    """One document that answers a query. Higher scores are better."""

    document_id: int
    video_id: int
    scene_id: int | None
    field: str
    text: str
    highlights: tuple[tuple[int, int], ...]
    """Code-point spans of `text`."""
    score: float
    how: How
    """Why it is here."""


class Answer(NamedTuple):
    """What a query found."""

    matches: tuple[Match, ...] = ()
    instead: str = ""
    """The query as it was taken, where a word of it was guessed: 횡단보도 for 횡당보도."""


def search(
    connection: Any,
    query: str,
    *,
    limit: int = 20,
    folder: bytes | None = None,
    after: int | None = None,
    synonyms: Synonyms = NO_SYNONYMS,
    guess: bool = True,
) -> Answer:
    """The best documents for a query, the best first.

    `folder` keeps to videos with a copy under that folder (raw bytes), `after` to those recorded or
    added since that instant (seconds since 1970). Unless `guess`, only texts that hold every word, or a
    variant of it. A query of filters alone finds the titles of the newest videos that pass.
    """
    asked = syntax.parse(cut(query))
    one = _Query(connection, synonyms)
    wanted, excluded = reading.concepts_of(one.interpreter, asked)
    passing = allowed(connection, asked, folder, after)
    waterfall = one.waterfall(limit, " OR ".join(map(holding, excluded)), passing)
    if wanted:
        waterfall.fill(wanted)
    elif passing is not None and not asked.groups:
        waterfall.list_newest()
    if not guess:
        waterfall.keep(CERTAIN)
    return one.answer(waterfall, wanted, limit)


def glance(
    connection: Any, query: str, *, limit: int = 20, synonyms: Synonyms = NO_SYNONYMS
) -> Answer:
    """The newest documents for a query whose last word may still be typed, within a frame.

    Where that finds nothing, or the query is more than words, the answer of `search`.
    """
    words = reading.words_of(syntax.parse(cut(query)))
    if words:
        one = _Query(connection, synonyms)
        wanted = one.interpreter.concepts(words)
        waterfall = one.waterfall(limit)
        waterfall.glance(wanted[:-1], wanted[-1])
        if waterfall.found:
            return one.answer(waterfall, wanted, limit)
    return search(connection, query, limit=limit, synonyms=synonyms)


class _Query:
    """What one query needs: the connection, and what it has asked the lexicon so far."""

    def __init__(self, connection: Any, synonyms: Synonyms) -> None:
        self._connection = connection
        self._lexicon = Lexicon(connection)
        self._synonyms = synonyms
        self.interpreter = Interpreter(self._lexicon, synonyms)

    def waterfall(
        self, limit: int, excluded: str = "", allowed: Allowed | None = None
    ) -> Waterfall:
        """An empty list of results."""
        return Waterfall(Matcher(self._connection, excluded, allowed), limit, self._widening)

    def _widening(self) -> "Widening":
        # Most queries are answered without, and the command line starts a fifth faster.
        from catalog.search.query.widening import Widening

        return Widening(self._lexicon, self._synonyms)

    def answer(self, waterfall: Waterfall, wanted: Sequence[Concept], limit: int) -> Answer:
        """The results in their order, with highlights."""
        found = list(waterfall.found.values())
        ranked = ranking.ranked(self._connection, found, wanted)[:limit]
        exact = [phrase for one in wanted for phrase in one.exact]
        written = [word for one in wanted for word in one.words]
        highlighter = Highlighter(self._lexicon, [*exact, *waterfall.used], written)
        spans = highlighter.spans([one.text for one in ranked])
        return Answer(tuple(_matches(ranked, spans)), _instead(wanted))


def cut(query: str) -> str:
    """A query as SQLite can take it: no lone surrogates, no control characters, and not without end."""
    plain = query[:_LONGEST_QUERY].encode("utf-8", "replace").decode().translate(_CONTROLS)
    return " ".join(word[:_LONGEST_WORD] for word in plain.split(" "))


def allowed(
    connection: Any, asked: syntax.Query, folder: bytes | None, after: int | None
) -> Allowed | None:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    videos = None
    if asked.filters:
        from catalog.search.query import filters

        condition, values = filters.condition(asked.filters, now())
        conditions.append(condition)
        videos = filters.selective(connection, asked.filters, _MOST_VIDEOS, now())
    if folder is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM location l WHERE l.video_id = d.video_id"
            " AND substr(l.path, 1, length(:under)) = :under)"
        )
        values["under"] = folder.rstrip(b"/") + b"/"
    if after is not None:
        conditions.append("coalesce(unixepoch(v.recorded_at), v.added_at) >= :since")
        values["since"] = after
    if not conditions:
        return None
    return Allowed(connection, " AND ".join(conditions), values, videos)


def _matches(
    ranked: Sequence[ranking.Ranked], spans: Sequence[tuple[Span, ...]]
) -> Iterator[Match]:
    for one, marks in zip(ranked, spans, strict=True):
        yield Match(
            document_id=one.document_id,
            video_id=one.video_id,
            scene_id=one.scene_id,
            field=one.field,
            text=one.text,
            highlights=marks,
            score=one.score,
            how=one.how,
        )


def _instead(concepts: Sequence[Concept]) -> str:
    if not any(one.instead for one in concepts):
        return ""
    return " ".join(one.instead or one.text for one in concepts)
