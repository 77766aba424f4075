"""What the meaning index holds: writing codes, taking them out, and finding the nearest."""

import json
from collections.abc import Collection, Iterable
from contextlib import closing
from dataclasses import dataclass

from catalog.errors import HaeseolError
from catalog.search.meaning.opening import Connection

_NEAREST = """
SELECT document_id, vec_distance_cosine(vec_int8(code), vec_int8(:code)) AS distance
FROM (
    SELECT document_id FROM coarse WHERE bits IS NOT NULL {within}
    ORDER BY vec_distance_hamming(vec_bit(bits), vec_bit(:bits)), document_id DESC LIMIT :candidates
) JOIN fine USING (document_id)
ORDER BY distance, document_id DESC LIMIT :limit
"""

_LEAST_CANDIDATES = 400
_CANDIDATES_A_RESULT = 8
"""So many of the texts nearest by signs are compared by their int8 codes."""


@dataclass(frozen=True, slots=True)
class Code:
    """What is to be written of one text."""

    document_id: int
    text_hash: int
    code: bytes
    """int8; all zero where the model knows nothing of the text."""


def stamped_model(connection: Connection) -> str | None:
    """The fingerprint of the model that made the codes; None in a new index."""
    row = connection.execute("SELECT model FROM stamp").fetchone()
    return None if row is None else str(row[0])


def count(connection: Connection) -> int:
    """How many documents are indexed."""
    return int(connection.execute("SELECT count(*) FROM coarse").fetchone()[0])


def hashes(connection: Connection, after: int, upto: int) -> dict[int, int]:
    """The text hashes of the indexed documents with `after` < id <= `upto`."""
    rows = connection.execute(
        "SELECT document_id, text_hash FROM coarse WHERE document_id > ? AND document_id <= ?",
        (after, upto),
    )
    return {row[0]: row[1] for row in rows}


def write(
    connection: Connection, model: str, dimension: int, codes: Iterable[Code], replaced: str | None
) -> None:
    """Writes codes in one transaction; those of the model `replaced` are thrown away in the same.

    Raises `HaeseolError` if the index has meanwhile become that of a third model.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        stamped = stamped_model(connection)
        if stamped not in (model, replaced):
            raise HaeseolError(
                "another haeseol makes the meaning index with another model; `meaning_model` must be "
                "the same for both"
            )
        if stamped != model:
            for table in ("stamp", "coarse", "fine"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("INSERT INTO stamp VALUES (?, ?)", (model, dimension))
        for one in codes:
            _put(connection, one)


def _put(connection: Connection, one: Code) -> None:
    known = any(one.code)
    connection.execute(
        "INSERT INTO coarse VALUES (?, ?, iif(?, vec_quantize_binary(vec_int8(?)), NULL))"
        " ON CONFLICT DO UPDATE SET text_hash = excluded.text_hash, bits = excluded.bits",
        (one.document_id, one.text_hash, known, one.code),
    )
    if known:
        connection.execute(
            "INSERT INTO fine VALUES (?, ?) ON CONFLICT DO UPDATE SET code = excluded.code",
            (one.document_id, one.code),
        )
    else:
        connection.execute("DELETE FROM fine WHERE document_id = ?", (one.document_id,))


def remove(connection: Connection, ids: Collection[int]) -> None:
    """Takes documents out, in one transaction."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for table in ("coarse", "fine"):
            connection.executemany(
                f"DELETE FROM {table} WHERE document_id = ?", [(one,) for one in ids]
            )


def nearest(
    connection: Connection, code: bytes, limit: int, within: Collection[int] | None = None
) -> list[tuple[int, float]]:
    """The documents nearest to a code, with their cosine distances from 0 to 2, the nearest first.

    A first pass over all compares signs (Hamming distance), a second the int8 codes of the best; both
    as in https://alexgarcia.xyz/sqlite-vec/guides/binary-quant.html. `within` keeps to those documents.
    """
    if not any(code):
        return []
    with closing(
        connection.execute("SELECT vec_quantize_binary(vec_int8(?))", (code,))
    ) as quantized:
        bits = quantized.fetchone()[0]
    condition = (
        "" if within is None else "AND document_id IN (SELECT value FROM json_each(:within))"
    )
    rows = connection.execute(
        _NEAREST.format(within=condition),
        {
            "code": code,
            "bits": bits,
            "candidates": max(_LEAST_CANDIDATES, _CANDIDATES_A_RESULT * limit),
            "limit": limit,
            "within": None if within is None else json.dumps(list(within)),
        },
    )
    return [(row[0], row[1]) for row in rows]
