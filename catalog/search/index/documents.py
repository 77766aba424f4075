"""Writing what is searched, in the transaction that writes the text.

A new text is found at once by its words as written, with and without a particle. The lemmas follow when
the analyser has read it: see `catalog.search.index.indexing`.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.schema import Document
from catalog.search.korean.text import is_hangul, normalise, runs, stems_before_particles
from catalog.sqlite import sqlite3

DELETE = "DELETE FROM search_index WHERE rowid = ?"
INSERT = "INSERT INTO search_index(rowid, lemmas, also, words) VALUES (?, ?, ?, ?)"
_BATCH = 2_000


def put_document(
    session: Session, video_id: int, field: str, content: str, scene_id: int | None = None
) -> None:
    """Makes `content` the searchable text of a field. Empty content takes the field out."""
    document = session.scalars(
        select(Document).where(
            Document.video_id == video_id,
            Document.scene_id.is_(None) if scene_id is None else Document.scene_id == scene_id,
            Document.field == field,
        )
    ).one_or_none()
    if document is not None and document.text == content:
        return
    if not content:
        if document is not None:
            session.delete(document)
        return
    if document is None:
        document = Document(video_id=video_id, scene_id=scene_id, field=field, text=content)
        session.add(document)
    else:
        document.text = content
    session.flush()
    connection = raw_connection(session)
    # Two statements, never INSERT OR REPLACE: that leaves the old terms behind in FTS5.
    connection.execute(DELETE, (document.id,))
    connection.execute(INSERT, (document.id, *_columns(content)))


def raw_connection(session: Session) -> Any:
    """SQLite's own connection under a session, inside the session's transaction."""
    return session.connection().connection.dbapi_connection


def damage(connection: Any) -> str:
    """What SQLite finds wrong with the index; empty if it is sound. Needs a connection that may write."""
    try:
        connection.execute("INSERT INTO search_index(search_index) VALUES ('integrity-check')")
    except sqlite3.DatabaseError as error:
        return str(error)
    return ""


def make_index_anew(connection: Any) -> None:
    """Throws the index away, and finds texts by their words until the analyser has read them."""
    (statement,) = connection.execute(
        "SELECT sql FROM sqlite_master WHERE name = 'search_index'"
    ).fetchone()
    configuration = connection.execute("SELECT k, v FROM search_index_config").fetchall()
    connection.execute("DROP TABLE search_index")
    connection.execute(statement)
    for key, value in configuration:
        if key != "version":
            connection.execute(
                "INSERT INTO search_index(search_index, rank) VALUES (?, ?)", (key, value)
            )
    index_everything_at_once(connection)


def index_everything_at_once(connection: Any) -> None:
    """Fills an empty index with the words of every document, before the analyser comes."""
    rows = connection.execute("SELECT id, text FROM document")
    while batch := rows.fetchmany(_BATCH):
        connection.executemany(INSERT, ((row[0], *_columns(row[1])) for row in batch))


def _columns(content: str) -> tuple[str, str, str]:
    """What can be said of a text without an analyser, for the columns of the index."""
    found = runs(normalise(content).text)
    words = [run for run in found if is_hangul(run)]
    stems = [stem for run in words for stem in stems_before_particles(run)]
    stems += [run for run in words if len(run) == 1]
    return " ".join(found), " ".join(stems), " ".join(words)
