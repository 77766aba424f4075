"""The first catalog: videos, scenes, captions, jobs and the full-text index."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = (
    """
CREATE TABLE folder (
    id INTEGER NOT NULL,
    path BLOB NOT NULL,
    recursive INTEGER DEFAULT 1 NOT NULL,
    polling INTEGER DEFAULT 0 NOT NULL,
    prompt TEXT,
    glossary TEXT,
    added_at INTEGER NOT NULL,
    present INTEGER DEFAULT 1 NOT NULL,
    files_seen INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (path)
) STRICT
    """,
    """
CREATE TABLE video (
    id INTEGER NOT NULL,
    content_id TEXT NOT NULL,
    full_hash TEXT,
    size INTEGER NOT NULL,
    duration REAL,
    width INTEGER,
    height INTEGER,
    fps REAL,
    codec TEXT,
    rotation INTEGER,
    recorded_at TEXT,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    caption_id INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT status_known CHECK (status IN ('queued', 'running', 'captioned', 'needs_review', 'failed', 'dead', 'offline')),
    UNIQUE (content_id),
    CONSTRAINT video_current_caption FOREIGN KEY(caption_id) REFERENCES caption (id)
) STRICT
    """,
    """
CREATE TABLE scene (
    id INTEGER NOT NULL,
    video_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    start REAL NOT NULL,
    "end" REAL NOT NULL,
    keyframe REAL NOT NULL,
    thumbnail BLOB,
    caption_id INTEGER,
    PRIMARY KEY (id),
    UNIQUE (video_id, idx),
    CONSTRAINT scene_has_length CHECK ("end" > start),
    FOREIGN KEY(video_id) REFERENCES video (id) ON DELETE CASCADE,
    CONSTRAINT scene_current_caption FOREIGN KEY(caption_id) REFERENCES caption (id)
) STRICT
    """,
    """
CREATE TABLE job (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    video_id INTEGER NOT NULL,
    model TEXT DEFAULT '' NOT NULL,
    prompt TEXT DEFAULT '' NOT NULL,
    frames INTEGER,
    priority INTEGER DEFAULT 0 NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    run_after INTEGER NOT NULL,
    lease TEXT,
    lease_until INTEGER,
    heartbeat_at INTEGER,
    progress REAL DEFAULT 0.0 NOT NULL,
    scenes_done INTEGER DEFAULT 0 NOT NULL,
    scenes_total INTEGER,
    error_code TEXT,
    error_message TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT state_known CHECK (state IN ('queued', 'running', 'done', 'failed', 'dead', 'cancelled')),
    CONSTRAINT lease_while_running CHECK ((state = 'running') = (lease IS NOT NULL)),
    FOREIGN KEY(video_id) REFERENCES video (id) ON DELETE CASCADE
) STRICT
    """,
    """
CREATE TABLE caption (
    id INTEGER NOT NULL,
    video_id INTEGER NOT NULL,
    scene_id INTEGER,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    model TEXT DEFAULT '' NOT NULL,
    quantization TEXT DEFAULT 'none' NOT NULL,
    prompt TEXT DEFAULT '' NOT NULL,
    frames TEXT DEFAULT '[]' NOT NULL,
    provenance TEXT DEFAULT '{}' NOT NULL,
    review TEXT DEFAULT '[]' NOT NULL,
    created_at INTEGER NOT NULL,
    job_id INTEGER,
    previous_id INTEGER,
    proposed INTEGER DEFAULT 0 NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT origin_known CHECK (origin IN ('model', 'human')),
    FOREIGN KEY(video_id) REFERENCES video (id) ON DELETE CASCADE,
    FOREIGN KEY(scene_id) REFERENCES scene (id) ON DELETE CASCADE,
    FOREIGN KEY(job_id) REFERENCES job (id) ON DELETE SET NULL,
    FOREIGN KEY(previous_id) REFERENCES caption (id)
) STRICT
    """,
    """
CREATE TABLE location (
    id INTEGER NOT NULL,
    video_id INTEGER NOT NULL,
    path BLOB NOT NULL,
    path_key TEXT NOT NULL,
    volume TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    online INTEGER DEFAULT 1 NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(video_id) REFERENCES video (id) ON DELETE CASCADE,
    UNIQUE (path)
) STRICT
    """,
    """
CREATE TABLE tag (
    video_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (video_id, name),
    FOREIGN KEY(video_id) REFERENCES video (id) ON DELETE CASCADE
) STRICT
    """,
    """
CREATE TABLE state (
    "key" TEXT NOT NULL,
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY ("key")
) STRICT
    """,
    """
CREATE TABLE document (
    id INTEGER NOT NULL,
    video_id INTEGER NOT NULL,
    scene_id INTEGER,
    field TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(video_id) REFERENCES video (id) ON DELETE CASCADE,
    FOREIGN KEY(scene_id) REFERENCES scene (id) ON DELETE CASCADE
) STRICT
    """,
)

INDEXES = (
    "CREATE INDEX video_by_status ON video (status, id)",
    "CREATE INDEX job_by_video ON job (video_id, id)",
    "CREATE INDEX job_open ON job (state) WHERE state IN ('queued', 'running', 'failed', 'dead')",
    "CREATE UNIQUE INDEX job_live ON job (video_id, kind, prompt, model) WHERE state IN ('queued', 'running', 'failed')",
    "CREATE INDEX job_ready ON job (priority DESC, run_after, id) WHERE state IN ('queued', 'failed')",
    "CREATE INDEX caption_by_job ON caption (job_id)",
    "CREATE INDEX caption_by_subject ON caption (video_id, scene_id, id)",
    "CREATE INDEX location_by_key ON location (path_key)",
    "CREATE INDEX location_by_video ON location (video_id)",
    "CREATE INDEX document_by_video ON document (video_id)",
)

SEARCH = (
    # `grams` is written by catalog.search.index; the row id is that of the document.
    """
    CREATE VIRTUAL TABLE search_index
    USING fts5(grams, tokenize = "unicode61 remove_diacritics 0")
    """,
    """
    CREATE TRIGGER document_deleted AFTER DELETE ON document
    BEGIN DELETE FROM search_index WHERE rowid = old.id; END
    """,
)


def upgrade() -> None:
    """Makes every table, index and trigger."""
    for statement in (*TABLES, *INDEXES, *SEARCH):
        op.execute(statement)
