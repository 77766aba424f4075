"""Reading texts with the analyser, in batches, and keeping the lexicon of what they taught.

The triggers of the catalog list every document whose text is new or changed (`search_pending`) and every
text that is gone but still counted (`search_stale`). A batch is analysed outside any transaction, then
written in one that first looks whether the texts are still the same. So a kill loses nothing but the
batch at hand, two indexers do no harm, and what they leave is what a rebuild from scratch would give.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.clock import now
from catalog.database import Catalog
from catalog.schema import State
from catalog.search.analysis import Analyser, Analysis, Entry, analyser_version
from catalog.search.forms import endings, forms_of
from catalog.search.index import DELETE, INSERT, raw_connection

BATCH = 400
"""Documents to a transaction: a tenth of a second of the one write lock, a few megabytes of memory."""
_STATE = "search"
_MERGE_PAGES = 2_000
_MERGE_AFTER = 5_000
"""After so many documents in one go the segments of the index are merged."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be read: of a document, or one that is gone and must no longer be counted."""

    id: int
    text: str
    stale: bool = False


def waiting(connection: Any) -> int:
    """How many texts the analyser has yet to read."""
    return sum(
        int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        for table in ("search_pending", "search_stale", "search_rebuild")
    )


def index_pending(
    catalog: Catalog,
    on_progress: Callable[[int, int], None] = lambda done, all_in_all: None,
    should_stop: Callable[[], bool] = lambda: False,
    analyser: Analyser | None = None,
) -> int:
    """Reads everything that waits, the newest changes first. Returns how many documents it indexed.

    `on_progress` is told how many are done and how many there are. Loads the analyser if none is given
    and something waits.
    """
    ask_rebuild_after_upgrade(catalog)
    with catalog.read() as connection:
        left = waiting(connection)
    done = 0
    while left and not should_stop():
        analyser = analyser or Analyser()
        batch = _next_batch(catalog)
        if not batch:
            break
        analyses = analyser.analyse([one.text for one in batch])
        with catalog.write() as session:
            done += _write_batch(raw_connection(session), batch, analyses)
        on_progress(done, max(left, done))
    _finish_rebuild(catalog)
    if done >= _MERGE_AFTER:
        merge(catalog, should_stop)
    return done


def analyser_of(connection: Any) -> str:
    """The analyser that made the index; empty for an index that has not been read yet."""
    row = connection.execute("SELECT value FROM state WHERE key = ?", (_STATE,)).fetchone()
    return "" if row is None else str(json.loads(row[0])["analyser"])


def ask_rebuild(catalog: Catalog) -> None:
    """Lists every document to be read anew. The index serves as it is until they are.

    The lexicon starts to count from nothing; its old words stay until the end, so that they can be asked.
    """
    with catalog.write() as session:
        connection = raw_connection(session)
        connection.execute("UPDATE search_word SET n = 0 WHERE n <> 0")
        connection.execute("DELETE FROM search_stale")
        connection.execute("INSERT OR IGNORE INTO search_rebuild SELECT id FROM document")
        value = {"analyser": analyser_version(), "rebuilding": True}
        session.merge(State(key=_STATE, value=value, updated_at=now()))


def ask_rebuild_after_upgrade(catalog: Catalog) -> bool:
    """Asks for a rebuild if another version of the analyser made the index. Returns whether it did."""
    with catalog.write() as session:
        state = session.get(State, _STATE)
        if state is None:
            value = {"analyser": analyser_version(), "rebuilding": True}
            session.add(State(key=_STATE, value=value, updated_at=now()))
            return False
        if state.value["analyser"] == analyser_version():
            return False
    ask_rebuild(catalog)
    return True


def merge(catalog: Catalog, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Merges the segments of the index, a few pages a transaction, so that others can write between."""
    pages = -_MERGE_PAGES  # negative at first: https://sqlite.org/fts5.html#the_merge_command
    while not should_stop():
        with catalog.write() as session:
            connection = raw_connection(session)
            before = connection.total_changes
            connection.execute(
                "INSERT INTO search_index(search_index, rank) VALUES ('merge', ?)", (pages,)
            )
            if connection.total_changes - before < 2:
                return
        pages = _MERGE_PAGES


def _next_batch(catalog: Catalog) -> list[Text]:
    with catalog.read() as connection:
        texts = [
            Text(row[0], row[1])
            for table in ("search_pending", "search_rebuild")
            for row in connection.execute(
                f"SELECT d.id, d.text FROM {table} p JOIN document d ON d.id = p.document_id"
                " ORDER BY d.id DESC LIMIT ?",
                (BATCH,),
            )
        ][:BATCH]
        texts = list({one.id: one for one in texts}.values())
        stale = connection.execute("SELECT id, text FROM search_stale LIMIT ?", (BATCH,))
        return texts + [Text(row[0], row[1], stale=True) for row in stale]


def _write_batch(connection: Any, batch: Sequence[Text], analyses: Sequence[Analysis]) -> int:
    kept = [
        (one, analysis)
        for one, analysis in zip(batch, analyses, strict=True)
        if _take_off_the_lists(connection, one)
    ]
    documents = [(one.id, analysis) for one, analysis in kept if not one.stale]
    for number, analysis in documents:
        connection.execute(DELETE, (number,))
        row_of(connection, number, analysis)
    count(
        connection,
        added=[analysis for _, analysis in documents],
        gone=[analysis for one, analysis in kept if one.stale],
    )
    return len(documents)


def row_of(connection: Any, number: int, analysis: Analysis) -> None:
    """Writes the row of one document."""
    connection.execute(INSERT, (number, analysis.lemmas, analysis.also, analysis.words))


def _take_off_the_lists(connection: Any, one: Text) -> bool:
    """Whether this text still waits for its reading. From now on it does not."""
    if one.stale:
        gone = connection.execute("DELETE FROM search_stale WHERE id = ?", (one.id,))
        return bool(gone.rowcount)
    row = connection.execute("SELECT text FROM document WHERE id = ?", (one.id,)).fetchone()
    if row is None or row[0] != one.text:
        return False  # changed meanwhile: it is on the list again, or still
    waited = 0
    for table in ("search_pending", "search_rebuild"):
        gone = connection.execute(f"DELETE FROM {table} WHERE document_id = ?", (one.id,))
        waited += gone.rowcount
    return waited > 0


def count(connection: Any, added: Iterable[Analysis], gone: Iterable[Analysis] = ()) -> None:
    """Adds to the lexicon what texts teach, and takes away what no text holds any more."""
    counts: Counter[Entry] = Counter()
    for analysis in added:
        counts.update(analysis.entries)
    for analysis in gone:
        counts.subtract(analysis.entries)
    for entry, change in counts.items():
        known = connection.execute(
            "UPDATE search_word SET n = n + ? WHERE word = ? AND kind = ? AND reading = ?",
            (change, *entry),
        )
        if not known.rowcount:
            connection.execute(
                "INSERT INTO search_word VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*entry, change, *forms_of(*entry)),
            )
            _put_endings(connection, entry)
        elif change < 0:
            _forget_uncounted(connection, entry)


def _put_endings(connection: Any, entry: Entry) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO search_ending VALUES (?, ?)",
        ((ending, entry.word) for ending in endings(entry.word, entry.kind)),
    )


def _forget_uncounted(connection: Any, entry: Entry) -> None:
    gone = connection.execute(
        "DELETE FROM search_word WHERE word = ? AND kind = ? AND reading = ? AND n <= 0", entry
    )
    if gone.rowcount:
        _drop_endings(connection, [entry.word])


def _drop_endings(connection: Any, words: Iterable[str]) -> None:
    for word in words:
        kinds = connection.execute(
            "SELECT kind FROM search_word WHERE word = ?", (word,)
        ).fetchall()
        kept = {ending for (kind,) in kinds for ending in endings(word, kind)}
        for ending in set(_all_endings(word)) - kept:
            connection.execute(
                "DELETE FROM search_ending WHERE ending = ? AND word = ?", (ending, word)
            )


def _all_endings(word: str) -> Iterator[str]:
    return (word[start:] for start in range(1, len(word)))


def _finish_rebuild(catalog: Catalog) -> None:
    """Once everything is read anew, drops what only the old analyser knew."""
    with catalog.write() as session:
        state = session.get_one(State, _STATE)
        connection = raw_connection(session)
        if not state.value.get("rebuilding") or waiting(connection):
            return
        gone = connection.execute("SELECT DISTINCT word FROM search_word WHERE n <= 0").fetchall()
        connection.execute("DELETE FROM search_word WHERE n <= 0")
        _drop_endings(connection, (word for (word,) in gone))
        state.value = {**state.value, "rebuilding": False}
