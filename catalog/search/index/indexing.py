"""Reading texts with the analyser, in batches, and keeping the lexicon of what they taught.

The triggers of the catalog list every document whose text is new or changed (`search_pending`) and every
text that is gone but still counted (`search_stale`). A batch is analysed outside any transaction, then
written in one that first looks whether the texts are still the same. So a kill loses nothing but the
batch at hand, two indexers do no harm, and what they leave is what a rebuild from scratch would give.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.clock import now
from catalog.database import Catalog
from catalog.schema import State
from catalog.search.index import counting
from catalog.search.index.analysis import Analyser, Analysis, analyser_version
from catalog.search.index.documents import DELETE, INSERT, damage, make_index_anew, raw_connection

BATCH, LARGE_BATCH = 400, 2_000
"""Documents to a transaction: a tenth of a second of the one write lock; half a second where many wait."""
_STATE = "search"
_MERGE_PAGES = 2_000
_MANY = 10_000
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
        batch = _next_batch(catalog, LARGE_BATCH if left - done > _MANY else BATCH)
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


def ask_rebuild(catalog: Catalog, *, check: bool = False) -> None:
    """Lists every document to be read anew. The index serves as it is until they are.

    The lexicon starts to count from nothing; its old words stay until the end, so that they can be asked.
    With `check`, an index that SQLite finds damaged is thrown away first; that takes seconds for a million.
    """
    with catalog.write() as session:
        connection = raw_connection(session)
        if check and damage(connection):
            make_index_anew(connection)
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


def _next_batch(catalog: Catalog, size: int) -> list[Text]:
    with catalog.read() as connection:
        texts = [
            Text(row[0], row[1])
            for table in ("search_pending", "search_rebuild")
            for row in connection.execute(
                f"SELECT d.id, d.text FROM {table} p JOIN document d ON d.id = p.document_id"
                " ORDER BY d.id DESC LIMIT ?",
                (size,),
            )
        ][:size]
        texts = list({one.id: one for one in texts}.values())
        stale = connection.execute("SELECT id, text FROM search_stale LIMIT ?", (size,))
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
    counting.count(
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
        # The text too: SQLite gives the number of a row that is gone to the next one.
        gone = connection.execute(
            "DELETE FROM search_stale WHERE id = ? AND text = ?", (one.id, one.text)
        )
        return bool(gone.rowcount)
    row = connection.execute("SELECT text FROM document WHERE id = ?", (one.id,)).fetchone()
    if row is None or row[0] != one.text:
        return False  # changed meanwhile: it is on the list again, or still
    waited = 0
    for table in ("search_pending", "search_rebuild"):
        gone = connection.execute(f"DELETE FROM {table} WHERE document_id = ?", (one.id,))
        waited += gone.rowcount
    return waited > 0


def _finish_rebuild(catalog: Catalog) -> None:
    """Once everything is read anew, drops what only the old analyser knew."""
    with catalog.write() as session:
        state = session.get_one(State, _STATE)
        connection = raw_connection(session)
        if not state.value.get("rebuilding") or waiting(connection):
            return
        counting.forget_the_uncounted(connection)
        connection.execute(
            "DELETE FROM search_index WHERE rowid IN (SELECT id FROM search_index_docsize"
            " WHERE id NOT IN (SELECT id FROM document))"
        )
        state.value = {**state.value, "rebuilding": False}
