"""Asking the full-text index: words, "phrases" and -exclusions; anything else is text, never an error."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.search.text import Normalised, is_hangul, normalise, runs, without_particle
from catalog.sqlite import sqlite3

_TERM = re.compile(r'(-?)"([^"]*)"?|(-?)(\S+)')


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase of a query. `variants` are normal-form texts, any of which satisfies it."""

    variants: tuple[str, ...]
    excluded: bool


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


def parse(query: str) -> tuple[Term, ...]:
    """The terms of a query. Words are taken with and without a particle at their end."""
    terms = []
    for minus, phrase, word_minus, word in _TERM.findall(query):
        content = normalise(phrase or word).text
        pieces = runs(content)
        if not pieces:
            continue
        variants = [" ".join(pieces)]
        if word and is_hangul(pieces[-1]) and (stem := without_particle(pieces[-1])):
            variants.append(" ".join([*pieces[:-1], stem]))
        terms.append(Term(tuple(variants), excluded=bool(minus or word_minus)))
    return tuple(terms)


def search(
    connection: "sqlite3.Connection",
    query: str,
    *,
    limit: int = 20,
    folder: bytes | None = None,
    after: int | None = None,
) -> list[Match]:
    """Documents that hold every word, else those that hold any, the best first.

    `folder` keeps to videos with a copy under that folder (raw bytes), `after` to those recorded or
    added since that instant (seconds since 1970).
    """
    terms = parse(query)
    wanted = [term for term in terms if not term.excluded]
    if not wanted:
        return []
    for joint in (" AND ", " OR "):
        rows = _rows(connection, _expression(terms, joint), limit, folder, after)
        if rows or len(wanted) == 1:
            break
    return [_match(row, wanted) for row in rows]


def _expression(terms: Iterable[Term], joint: str) -> str:
    terms = tuple(terms)
    positive = joint.join(_any_of(term) for term in terms if not term.excluded)
    negative = " OR ".join(_any_of(term) for term in terms if term.excluded)
    return f"({positive}) NOT ({negative})" if negative else f"({positive})"


def _any_of(term: Term) -> str:
    return "(" + " OR ".join(_phrase(variant) for variant in term.variants) + ")"


def _phrase(variant: str) -> str:
    """An FTS5 phrase. Only letters and digits get here, so quoting it is safe."""
    tokens: list[str] = []
    pieces = variant.split(" ")
    for piece in pieces:
        last = piece is pieces[-1]
        if not is_hangul(piece) or len(piece) == 1:
            tokens.append(piece)
            continue
        tokens += [piece[i : i + 2] for i in range(len(piece) - 1)]
        if not last:
            tokens.append(piece[-1])
    prefix = "" if is_hangul(pieces[-1]) and len(pieces[-1]) > 1 else " *"
    return '"' + " ".join(tokens) + '"' + prefix


def _rows(
    connection: "sqlite3.Connection",
    expression: str,
    limit: int,
    folder: bytes | None,
    after: int | None,
) -> list["sqlite3.Row"]:
    conditions = ["search_index MATCH :expression"]
    if folder is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM location l WHERE l.video_id = d.video_id"
            " AND substr(l.path, 1, length(:folder)) = :folder)"
        )
    if after is not None:
        conditions.append("coalesce(unixepoch(v.recorded_at), v.added_at) >= :after")
    return connection.execute(
        "SELECT d.id, d.video_id, d.scene_id, d.field, d.text, bm25(search_index) AS rank"
        " FROM search_index JOIN document d ON d.id = search_index.rowid"
        " JOIN video v ON v.id = d.video_id"
        f" WHERE {' AND '.join(conditions)} ORDER BY rank, d.id DESC LIMIT :limit",
        {
            "expression": expression,
            "limit": limit,
            "folder": None if folder is None else folder.rstrip(b"/") + b"/",
            "after": after,
        },
    ).fetchall()


def _match(row: "sqlite3.Row", terms: Iterable[Term]) -> Match:
    return Match(
        document_id=row["id"],
        video_id=row["video_id"],
        scene_id=row["scene_id"],
        field=row["field"],
        text=row["text"],
        highlights=highlight(row["text"], terms),
        score=round(-row["rank"], 4),
    )


def highlight(original: str, terms: Iterable[Term]) -> tuple[tuple[int, int], ...]:
    """Where the terms stand in the original text, as code-point spans in order, none overlapping."""
    normal = normalise(original)
    spans: list[tuple[int, int]] = []
    for term in terms:
        for variant in term.variants:
            found = _spans_of(variant, normal)
            spans += found
            if found:
                break
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _spans_of(variant: str, normal: Normalised) -> list[tuple[int, int]]:
    # Runs may stand apart in the text by spaces or punctuation, as they did when it was indexed.
    pattern = r"[\W_]*".join(re.escape(piece) for piece in variant.split(" "))
    return [normal.original_span(*match.span()) for match in re.finditer(pattern, normal.text)]
