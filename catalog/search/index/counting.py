"""The lexicon as a count of what the texts of the catalog taught: the same texts give the same lexicon."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from catalog.search.index.analysis import Analysis, Entry
from catalog.search.index.forms import endings, forms_of


def count(connection: Any, added: Iterable[Analysis], gone: Iterable[Analysis] = ()) -> None:
    """Adds what texts teach, and takes away what no text holds any more."""
    counts: Counter[Entry] = Counter()
    for analysis in added:
        counts.update(analysis.entries)
    for analysis in gone:
        counts.subtract(analysis.entries)
    for entry, change in counts.items():
        row = connection.execute(
            "UPDATE search_word SET n = n + ? WHERE word = ? AND kind = ? AND reading = ? RETURNING n",
            (change, *entry),
        ).fetchone()
        if row is None or row[0] == change:
            _put(connection, entry, change)  # new, or counted by another version so far
        elif row[0] <= 0:
            _forget(connection, entry)


def _put(connection: Any, entry: Entry, n: int) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO search_word VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*entry, n, *forms_of(*entry)),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO search_ending VALUES (?, ?)",
        ((ending, entry.word) for ending in endings(entry.word, entry.kind)),
    )


def _forget(connection: Any, entry: Entry) -> None:
    connection.execute("DELETE FROM search_word WHERE word = ? AND kind = ? AND reading = ?", entry)
    _drop_endings(connection, entry.word)


def _drop_endings(connection: Any, word: str) -> None:
    """Drops the endings of a word that none of its entries has."""
    kinds = connection.execute("SELECT kind FROM search_word WHERE word = ?", (word,)).fetchall()
    kept = {ending for (kind,) in kinds for ending in endings(word, kind)}
    connection.executemany(
        "DELETE FROM search_ending WHERE ending = ? AND word = ?",
        ((ending, word) for ending in {word[i:] for i in range(1, len(word))} - kept),
    )


def forget_the_uncounted(connection: Any) -> None:
    """Once every text is counted anew, drops what only another version of the analyser knew."""
    connection.execute("DELETE FROM search_word WHERE n <= 0")
    for (word,) in connection.execute("SELECT DISTINCT word FROM search_ending").fetchall():
        _drop_endings(connection, word)
