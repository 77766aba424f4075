"""Reading what surrounds the videos: watched folders, the files below them, the state of the whole."""

import fcntl
import json
from typing import Any

from catalog.browse import OPEN_JOBS, OPEN_STATES, Connection, count_videos, jobs
from catalog.home import Home
from catalog.pace import backlog_seconds
from catalog.paths import path_key
from catalog.views import FolderView, StatusView


def folders(connection: Connection) -> tuple[FolderView, ...]:
    """The watched folders."""
    return tuple(
        FolderView(
            id=row["id"],
            path=path_key(row["path"]),
            recursive=bool(row["recursive"]),
            polling=bool(row["polling"]),
            prompt=row["prompt"],
            glossary=row["glossary"],
            present=bool(row["present"]),
            files=row["files_seen"],
        )
        for row in connection.execute("SELECT * FROM folder ORDER BY path")
    )


def watched_folders(connection: Connection) -> dict[bytes, tuple[bool, bool]]:
    """The watched folders by raw path: whether each is recursive, and whether it is to be polled."""
    rows = connection.execute("SELECT path, recursive, polling FROM folder")
    return {row["path"]: (bool(row["recursive"]), bool(row["polling"])) for row in rows}


def folder_facts(connection: Connection, path: bytes) -> tuple[bool, int]:
    """Whether a folder is watched with those below it, and how many files it held at the last scan."""
    row = connection.execute(
        "SELECT recursive, files_seen FROM folder WHERE path = ?", (path,)
    ).fetchone()
    return (True, 0) if row is None else (bool(row["recursive"]), row["files_seen"])


FileFacts = tuple[int, int, bool]
"""Size in bytes, mtime in nanoseconds, and whether the file is known to be there."""


def files_under(connection: Connection, folder: bytes) -> dict[bytes, FileFacts]:
    """What the catalog holds below a folder, by raw path. A file never read has an mtime of -1."""
    prefix = folder.rstrip(b"/") + b"/"
    # `/` + 1 is `0`: the first key that is no longer below the folder.
    rows = connection.execute(
        "SELECT l.path, l.size, l.online,"
        " CASE WHEN v.content_id LIKE 'path-%' THEN -1 ELSE l.mtime_ns END AS mtime_ns"
        " FROM location l JOIN video v ON v.id = l.video_id WHERE l.path >= ? AND l.path < ?",
        (prefix, prefix[:-1] + b"0"),
    )
    return {row["path"]: (row["size"], row["mtime_ns"], bool(row["online"])) for row in rows}


def file_facts(connection: Connection, path: bytes) -> FileFacts | None:
    """What the catalog holds of one path."""
    row = connection.execute(
        "SELECT size, mtime_ns, online FROM location WHERE path = ?", (path,)
    ).fetchone()
    return None if row is None else (row["size"], row["mtime_ns"], bool(row["online"]))


def status(connection: Connection, home: Home) -> StatusView:
    """The state of the whole."""
    counts = dict.fromkeys(OPEN_STATES, 0)
    counts |= dict(
        connection.execute(
            f"SELECT state, count(*) FROM job WHERE {OPEN_JOBS} GROUP BY state"
        ).fetchall()
    )
    running = daemon_running(home)
    daemon: dict[str, Any] = (_state(connection, "daemon") or {}) if running else {}
    return StatusView(
        daemon_running=running,
        daemon_pid=daemon.get("pid"),
        daemon_model=daemon.get("model"),
        held=(_state(connection, "held") or None) if running else None,
        paused=bool(_state(connection, "paused")),
        queue=counts,
        backlog_seconds=backlog_seconds(connection, counts["queued"] + counts["running"]),
        running=tuple(jobs(connection, ("running",))),
        videos=count_videos(connection),
        scenes=int(connection.execute("SELECT count(*) FROM scene").fetchone()[0]),
        folders=folders(connection),
        catalog_path=str(home.catalog_file),
        catalog_bytes=home.catalog_file.stat().st_size,
    )


def _state(connection: Connection, key: str) -> Any:
    row = connection.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
    return None if row is None else json.loads(row[0])


def daemon_running(home: Home) -> bool:
    """Whether a daemon holds this home. The kernel drops its lock with the process, however it ends."""
    try:
        with home.lock_file.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
