"""Search by lemmas: an index of three columns, a lexicon, and the lists of what waits for the analyser."""

from alembic import op

from catalog.search.index.documents import index_everything_at_once

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    "DROP TRIGGER document_deleted",
    "DROP TABLE search_index",
    # Written by catalog.search.index.documents and catalog.search.indexing; the row id is that of the document.
    # No content is kept: three columns of tokens would take more room than the texts.
    """
    CREATE VIRTUAL TABLE search_index USING fts5(
        lemmas, also, words,
        content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 0"
    )
    """,
    # What is beside the point weighs less: 부산 in 부산하게.
    "INSERT INTO search_index(search_index, rank) VALUES ('rank', 'bm25(1.0, 0.4, 0.3)')",
    # `keys`, `initials` and `sound` are how a word is typed, its first consonants, and how it sounds.
    """
    CREATE TABLE search_word (
        word TEXT NOT NULL,
        kind TEXT NOT NULL,
        reading TEXT NOT NULL,
        n INTEGER NOT NULL,
        keys TEXT,
        initials TEXT,
        sound TEXT,
        PRIMARY KEY (word, kind, reading)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX search_word_keys ON search_word (keys, n) WHERE keys IS NOT NULL",
    "CREATE INDEX search_word_initials ON search_word (initials, n) WHERE initials IS NOT NULL",
    "CREATE INDEX search_word_sound ON search_word (sound) WHERE sound IS NOT NULL",
    # Parts of long words, from each syllable on.
    """
    CREATE TABLE search_ending (
        ending TEXT NOT NULL,
        word TEXT NOT NULL,
        PRIMARY KEY (ending, word)
    ) STRICT, WITHOUT ROWID
    """,
    # Documents that the analyser has not read as they are now, and those that it shall read anew.
    "CREATE TABLE search_pending (document_id INTEGER PRIMARY KEY) STRICT",
    "CREATE TABLE search_rebuild (document_id INTEGER PRIMARY KEY) STRICT",
    # Texts that are gone, but still counted in the lexicon.
    "CREATE TABLE search_stale (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT",
    """
    CREATE TRIGGER document_added AFTER INSERT ON document
    BEGIN INSERT OR IGNORE INTO search_pending VALUES (new.id); END
    """,
    """
    CREATE TRIGGER document_changed AFTER UPDATE OF text ON document WHEN old.text <> new.text
    BEGIN
        INSERT INTO search_stale (text) SELECT old.text
        WHERE NOT EXISTS (SELECT 1 FROM search_pending WHERE document_id = old.id)
        AND NOT EXISTS (SELECT 1 FROM search_rebuild WHERE document_id = old.id);
        INSERT OR IGNORE INTO search_pending VALUES (old.id);
    END
    """,
    """
    CREATE TRIGGER document_deleted AFTER DELETE ON document
    BEGIN
        INSERT INTO search_stale (text) SELECT old.text
        WHERE NOT EXISTS (SELECT 1 FROM search_pending WHERE document_id = old.id)
        AND NOT EXISTS (SELECT 1 FROM search_rebuild WHERE document_id = old.id);
        DELETE FROM search_pending WHERE document_id = old.id;
        DELETE FROM search_rebuild WHERE document_id = old.id;
        DELETE FROM search_index WHERE rowid = old.id;
    END
    """,
    "INSERT INTO search_rebuild SELECT id FROM document",
)


def upgrade() -> None:
    """Makes the tables. What is there already is found by its words at once, by its lemmas later."""
    for statement in STATEMENTS:
        op.execute(statement)
    index_everything_at_once(op.get_bind().connection.dbapi_connection)
