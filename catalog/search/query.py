"""Asking the catalog: words, "phrases", -exclusions, OR and filters; anything else is text, never an error.

`search` gives the ranked answer, `glance` the first one while somebody types. Neither loads an analyser.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from catalog.clock import now
from catalog.search import filters, ranking, syntax
from catalog.search.concepts import Concept, How, Interpreter
from catalog.search.highlight import Highlighter
from catalog.search.lexicon import Lexicon
from catalog.search.ranking import Ranked
from catalog.search.synonyms import Synonyms
from catalog.search.text import runs
from catalog.search.waterfall import CERTAIN, Allowed, Waterfall

NO_SYNONYMS = Synonyms()
_PHRASE_READINGS = 8


@dataclass(frozen=True, slots=True)
class Match:
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


@dataclass(frozen=True, slots=True)
class Answer:
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
    asked = syntax.parse(query)
    interpreter = Interpreter(Lexicon(connection), synonyms)
    wanted, excluded = _concepts(interpreter, asked)
    allowed = _allowed(connection, asked, folder, after)
    waterfall = Waterfall(connection, interpreter, limit, allowed)
    if wanted:
        waterfall.fill(wanted, excluded)
    elif allowed is not None and not asked.groups:
        waterfall.list_newest()
    if not guess:
        waterfall.keep(CERTAIN)
    return _answer(connection, interpreter, waterfall, wanted, limit)


def glance(
    connection: Any, query: str, *, limit: int = 20, synonyms: Synonyms = NO_SYNONYMS
) -> Answer:
    """The newest documents for a query whose last word may still be typed, within a frame.

    Where that finds nothing, or the query is more than words, the answer of `search`.
    """
    asked = syntax.parse(query)
    words = [
        group.alternatives[0].text
        for group in asked.groups
        if not group.excluded
        and len(group.alternatives) == 1
        and isinstance(group.alternatives[0], syntax.Word)
        and runs(group.alternatives[0].text)
    ]
    if words and len(words) == len(asked.groups) and not asked.filters:
        interpreter = Interpreter(Lexicon(connection), synonyms)
        wanted = interpreter.concepts(words)
        waterfall = Waterfall(connection, interpreter, limit, None)
        waterfall.glance(wanted[:-1], wanted[-1])
        if waterfall.found:
            return _answer(connection, interpreter, waterfall, wanted, limit)
    return search(connection, query, limit=limit, synonyms=synonyms)


def _answer(
    connection: Any,
    interpreter: Interpreter,
    waterfall: Waterfall,
    wanted: Sequence[Concept],
    limit: int,
) -> Answer:
    ranked = ranking.ranked(connection, list(waterfall.found.values()), wanted)[:limit]
    exact = [phrase for one in wanted for phrase in one.exact]
    written = [word for one in wanted for word in one.words]
    highlighter = Highlighter(interpreter.lexicon, [*exact, *interpreter.used], written)
    return Answer(tuple(_matches(ranked, highlighter)), _instead(wanted))


def _concepts(interpreter: Interpreter, asked: syntax.Query) -> tuple[list[Concept], list[Concept]]:
    wanted: list[Concept] = []
    excluded: list[Concept] = []
    row: list[str] = []
    for group in asked.groups:
        plain = len(group.alternatives) == 1 and isinstance(group.alternatives[0], syntax.Word)
        if plain and not group.excluded:
            if runs(group.alternatives[0].text):
                row.append(group.alternatives[0].text)
            continue
        wanted += interpreter.concepts(row)
        row = []
        choices = [
            _phrase(interpreter, one.text)
            if isinstance(one, syntax.Phrase)
            else _joined(interpreter.concepts([one.text]))
            for one in group.alternatives
            if runs(one.text)
        ]
        if choices:
            (excluded if group.excluded else wanted).append(_either(choices))
    return wanted + interpreter.concepts(row), excluded


def _phrase(interpreter: Interpreter, text: str) -> Concept:
    """A phrase in quotes: its words side by side in any spacing, and so in the text."""
    parts = interpreter.concepts(text.split())
    literal = "".join(runs(text))
    concept = _joined(parts)
    concept.text, concept.literal = text, literal
    whole = interpreter.of_word(literal)
    if whole.how is How.EXACT:
        concept.exact += whole.exact
    concept.words = (" ".join(runs(text)), literal)
    return concept


def _joined(parts: Sequence[Concept]) -> Concept:
    if len(parts) == 1:
        return parts[0]
    text = " ".join(one.text for one in parts)
    readings = [one.exact[:2] for one in parts if one.exact]
    if readings:  # "무단 투기" is also in 무단 투기하다
        readings[-1] = [*readings[-1], *(f"{one}하다" for one in readings[-1])]
    choices = list(product(*readings))[:_PHRASE_READINGS]
    phrases = [" ".join(choice) for choice in choices if choice]
    return Concept(text, (text,), phrases, min((one.n for one in parts), default=0))


def _either(choices: Sequence[Concept]) -> Concept:
    if len(choices) == 1:
        return choices[0]
    return Concept(
        " OR ".join(one.text for one in choices),
        tuple(word for one in choices for word in one.words),
        list(dict.fromkeys(phrase for one in choices for phrase in one.exact)),
        sum(one.n for one in choices),
    )


def _allowed(
    connection: Any, asked: syntax.Query, folder: bytes | None, after: int | None
) -> Allowed | None:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if asked.filters:
        condition, values = filters.condition(asked.filters, now())
        conditions.append(condition)
    if folder is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM location l WHERE l.video_id = d.video_id"
            " AND substr(l.path, 1, length(:under)) = :under)"
        )
        values["under"] = folder.rstrip(b"/") + b"/"
    if after is not None:
        conditions.append("coalesce(unixepoch(v.recorded_at), v.added_at) >= :since")
        values["since"] = after
    return Allowed(connection, " AND ".join(conditions), values) if conditions else None


def _matches(ranked: Sequence[Ranked], highlighter: Highlighter) -> Iterator[Match]:
    spans = highlighter.spans([one.text for one in ranked])
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


__all__ = ["NO_SYNONYMS", "Answer", "How", "Match", "glance", "search"]
