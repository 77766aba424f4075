"""Whether the search index is what the texts would give: quick checks, and a comparison row by row."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.database import Catalog
from catalog.language import tr
from catalog.search.index.analysis import Analyser
from catalog.search.index.counting import count
from catalog.search.index.documents import damage, raw_connection
from catalog.search.index.indexing import BATCH, analyser_of, row_of, waiting
from catalog.sqlite import sqlite3

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index is."""

    documents: int
    waiting: int
    words: int
    analyser: str

    def json(self) -> dict[str, Any]:
        """The shape of `index --json`."""
        return {
            "texts": self.documents,
            "waiting": self.waiting,
            "words": self.words,
            "analyser": self.analyser,
        }


def state(connection: Any) -> IndexState:
    """Counts of texts and words, and the analyser that made the index."""
    documents = connection.execute("SELECT count(*) FROM document").fetchone()[0]
    words = connection.execute("SELECT count(*) FROM search_word").fetchone()[0]
    return IndexState(documents, waiting(connection), words, analyser_of(connection))


def faults(
    catalog: Catalog,
    *,
    thorough: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """What is wrong with the index, a sentence each; [] if it is sound.

    `thorough` reads every text anew and compares every row: as long as a rebuild takes. Texts that wait
    for the analyser are no fault, but make the comparison impossible.
    """
    with catalog.write() as session:
        wrong = damage(raw_connection(session))
    found = [tr("SQLite finds the index damaged: {error}", error=wrong)] if wrong else []
    with catalog.read() as connection:
        # One state of the catalog, whatever is written meanwhile; and room for a table of one's own.
        connection.execute("PRAGMA query_only = off")
        connection.execute("BEGIN")
        for sentence, query in (
            (
                "{count} texts are not in the index",
                "SELECT count(*) FROM document WHERE id NOT IN (SELECT id FROM search_index_docsize)",
            ),
            (
                "{count} rows of the index belong to no text",
                "SELECT count(*) FROM search_index_docsize WHERE id NOT IN (SELECT id FROM document)",
            ),
        ):
            number = connection.execute(query).fetchone()[0]
            if number:
                found.append(tr(sentence, count=number))
        if thorough and waiting(connection):
            found.append(tr("{count} texts wait for the analyser", count=waiting(connection)))
        elif thorough and not found:
            found += _differences(connection, on_progress)
    return found


def _differences(connection: Any, on_progress: Callable[[int, int], None]) -> list[str]:
    """How the index differs from one that is made anew beside it, in a file of its own."""
    with tempfile.TemporaryDirectory(prefix="haeseol-verify-") as folder:
        fresh = sqlite3.connect(str(Path(folder) / "index.db"), isolation_level=None)
        try:
            for (statement,) in connection.execute(
                "SELECT sql FROM sqlite_master WHERE name IN"
                " ('search_index', 'search_word', 'search_ending')"
            ):
                fresh.execute(statement)
            fresh.execute("PRAGMA journal_mode = off")
            _fill(connection, fresh, on_progress)
            return [
                *_compared(
                    "search_word", _rows(connection, "search_word"), _rows(fresh, "search_word")
                ),
                *_compared(
                    "search_ending",
                    _rows(connection, "search_ending"),
                    _rows(fresh, "search_ending"),
                ),
                *_compared("search_index", _instances(connection), _instances(fresh)),
            ]
        finally:
            fresh.close()


def _fill(connection: Any, fresh: Any, on_progress: Callable[[int, int], None]) -> None:
    analyser = Analyser()
    total = connection.execute("SELECT count(*) FROM document").fetchone()[0]
    rows = connection.execute("SELECT id, text FROM document ORDER BY id")
    done = 0
    while batch := rows.fetchmany(BATCH):
        analyses = analyser.analyse([text for _, text in batch])
        fresh.execute("BEGIN")
        for (number, _), analysis in zip(batch, analyses, strict=True):
            row_of(fresh, number, analysis)
        count(fresh, added=analyses)
        fresh.execute("COMMIT")
        done += len(batch)
        on_progress(done, total)


def _rows(connection: Any, table: str) -> Any:
    return connection.execute(
        f"SELECT * FROM {table} ORDER BY 1, 2" + (", 3" if "word" in table else "")
    )


def _instances(connection: Any) -> Any:
    """Every token of every row with its place: https://sqlite.org/fts5.html#the_fts5vocab_virtual_table_module."""
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.instances USING fts5vocab(main, search_index, instance)"
    )
    return connection.execute("SELECT term, doc, col, offset FROM temp.instances")


def _compared(name: str, ours: Any, fresh: Any) -> list[str]:
    """Sentences on the rows that only one of two sorted tables has."""
    only: list[str] = []
    one, other = next(ours, None), next(fresh, None)
    while one is not None or other is not None:
        left = None if one is None else tuple(one)
        right = None if other is None else tuple(other)
        if left == right:
            one, other = next(ours, None), next(fresh, None)
            continue
        if len(only) < _SHOWN:
            only.append(f"{name}: {left} / {right}")
        if right is None or (left is not None and _key(left) < _key(right)):
            one = next(ours, None)
        else:
            other = next(fresh, None)
    return only


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.encode() if isinstance(value, str) else value or 0 for value in row)
