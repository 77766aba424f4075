"""The meaning index: a database beside the catalog with a code for each text.

It is no part of the catalog, because everything in it can be made again and sqlite-vec is optional.
Its tables are ordinary ones, which sqlite-vec's functions read. A `vec0` table takes two to four times
as long for as many candidates as are needed here, cannot be changed by a connection without the
extension, and keeps the space of what is deleted (https://github.com/asg017/sqlite-vec/issues/184).
"""

import fcntl
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from catalog.database import BUSY_SECONDS, connect_readonly
from catalog.errors import HaeseolError
from catalog.home import Home
from catalog.language import tr
from catalog.sqlite import sqlite3

Connection: TypeAlias = "sqlite3.Connection"

COMMAND = "index meaning"
"""The command that brings the index up to date, for messages."""

_TABLES = """
CREATE TABLE IF NOT EXISTS stamp (
    model TEXT NOT NULL,       -- fingerprint of the model that made the codes
    dimension INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS coarse (  -- every query reads it whole, so it is narrow
    document_id INTEGER PRIMARY KEY,
    text_hash INTEGER NOT NULL,
    bits BLOB                  -- the code's signs; NULL where the model knows nothing of the text
) STRICT;
CREATE TABLE IF NOT EXISTS fine (
    document_id INTEGER PRIMARY KEY,
    code BLOB NOT NULL         -- int8
) STRICT;
"""


def index_file(home: Home) -> Path:
    """Where the meaning index of a home lies."""
    return home.data_dir / "meaning.db"


def open_for_reading(home: Home) -> Connection:
    """A connection that cannot write. Raises `HaeseolError` if there is no index yet."""
    path = index_file(home)
    if not path.exists():
        raise HaeseolError(
            tr(
                "the meaning index is not made yet; make it: {command}",
                command=home.command(COMMAND),
            )
        )
    try:
        connection = connect_readonly(path)
    except sqlite3.Error as error:
        raise unreadable(path, error) from error
    return _extended(connection)


def open_for_writing(home: Home) -> Connection:
    """A connection that makes the index where it is missing. Raises `HaeseolError`."""
    path = index_file(home)
    try:
        # SQLite does not wait its turn to switch a new file to a write-ahead log.
        with (home.data_dir / "meaning.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                _make(path)
            connection = _connected(path)
    except (OSError, sqlite3.Error) as error:
        raise unreadable(path, error) from error
    return _extended(connection)


def _make(path: Path) -> None:
    """Under another name first: whoever finds the index finds its tables."""
    new = path.with_name(f"{path.name}.new")
    for left_over in new.parent.glob(f"{new.name}*"):
        left_over.unlink()
    new.touch(mode=0o600)
    _connected(new).close()
    new.replace(path)


def _connected(path: Path) -> Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA synchronous = normal")
        connection.executescript(_TABLES)
    except BaseException:
        connection.close()
        raise
    return connection


def unreadable(path: Path, error: Exception) -> HaeseolError:
    """What to say when SQLite refuses the index."""
    if "locked" in str(error):
        return HaeseolError(
            tr("the meaning index {path} is busy with another process; try again later", path=path)
        )
    return HaeseolError(
        tr(
            "the meaning index {path} cannot be used: {error}. If its disk is sound, delete it; it is made "
            "anew from the catalog",
            path=path,
            error=error,
        )
    )


def _extended(connection: Connection) -> Connection:
    """Loads sqlite-vec. Its Python module would import numpy, a quarter of a second, for nothing."""
    package = find_spec("sqlite_vec")
    try:
        if package is None or package.origin is None:
            raise HaeseolError(
                tr(
                    "meaning search needs the package sqlite-vec; install haeseol with its extra: "
                    "`pip install 'haeseol[meaning]'`"
                )
            )
        connection.enable_load_extension(True)
        connection.load_extension(str(Path(package.origin).parent / "vec0"))
        connection.enable_load_extension(False)
    except (
        AttributeError,
        sqlite3.Error,
    ) as error:  # a Python built without extensions has no method
        connection.close()
        raise HaeseolError(
            tr("this SQLite does not load the extension sqlite-vec: {error}", error=error)
        ) from error
    except HaeseolError:
        connection.close()
        raise
    return connection
